import type { Emission } from './emission.ts'
import { FLOW_WRITERS } from './flow.ts'
import { ELEMENTWISE } from './functions.ts'
import { MOVEMENT } from './movement.ts'
import { NodeExport, type NodeWriter } from './node-export.ts'
import { PRODUCTS } from './products.ts'
import { writeRecurrent } from './recurrent.ts'
import { WINDOW_WRITERS } from './windows.ts'

/** Operators that no file can have, and why. */
export const REFUSED: Readonly<Record<string, string>> = {
  history: 'what it remembers goes on from run to run, and ONNX has nothing that does; write the model that the stream was made of',
}

let known: Readonly<Record<string, NodeWriter<never>>> | undefined

/** How nodes of each operator of ours are written. */
function writers(): Readonly<Record<string, NodeWriter<never>>> {
  known ??= { ...ELEMENTWISE, ...MOVEMENT, ...PRODUCTS, ...WINDOW_WRITERS, ...FLOW_WRITERS, lstm: writeRecurrent, gru: writeRecurrent, rnn: writeRecurrent }
  return known
}

/** Whether nodes of an operator are written. */
export function isWritten(op: string): boolean {
  return Object.hasOwn(writers(), op)
}

/** Adds what stands for all nodes of a graph; what cannot be written is collected. */
export function writeNodes(emission: Emission): void {
  const all = writers()
  for (const node of emission.typed.graph.nodes) {
    emission.file.refusals.attempt(() => {
      const c: NodeExport<never> = new NodeExport(node, emission)
      const write = Object.hasOwn(all, node.op) ? all[node.op] : undefined
      if (write === undefined) throw c.unsupported(REFUSED[node.op] ?? 'the operator has no counterpart in ONNX')
      write(c)
    })
    for (const value of node.outputs) if (value !== '') emission.defineMissing(value)
  }
}
