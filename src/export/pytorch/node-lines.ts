import type { GraphNode } from '../../ops/graph-data.ts'
import type { SymbolicShape } from '../../values/shape.ts'
import { ExportedNode } from '../exported-node.ts'
import { python, type PythonModule } from './python-module.ts'

/** One node of ours on its way to lines of Python. */
export class NodeLines<Settings = unknown> extends ExportedNode<Settings> {
  readonly module: PythonModule

  constructor(node: GraphNode, module: PythonModule) {
    super(node, module.typed)
    this.module = module
  }

  get rank(): number {
    return this.type(0).shape.length
  }

  get outputShape(): SymbolicShape {
    return this.outputType.shape
  }

  x(position: number): string {
    return this.module.expression(this.node.inputs[position] as string)
  }

  /** The numbers of an input that is a constant. @throws LstmError `UNSUPPORTED` where they are computed */
  numbers(position: number, what: string): number[] {
    const value = this.value(position)
    if (value === undefined) throw this.unsupported(`${what} that are computed`)
    return Array.from(value.data)
  }

  /** An input that is one number, as Python has it. */
  number(position: number): string {
    const value = this.value(position)
    return value?.data.length === 1 ? python(value.data[0] as number) : this.x(position)
  }

  /** An attribute that is an axis. */
  axis(name: string, absent: number): number {
    return Number(this.attribute(name) ?? absent)
  }

  give(expression: string, position: number = 0): void {
    if (this.isNeeded(position)) this.module.assign(this.node.outputs[position] as string, expression)
  }

  alias(expression: string): void {
    this.module.alias(this.node.outputs[0] as string, expression)
  }
}

/** Adds the lines that stand for a node of ours. */
export type LineWriter<Settings = unknown> = (c: NodeLines<Settings>) => void
