import { cannotImport } from '../errors.ts'
import { isKnown } from './known.ts'
import type { GraphNode } from './graph-data.ts'

/** Loads the other operators and functions when a graph names one that is not known yet. */
export async function loadOperators(nodes: readonly GraphNode[]): Promise<void> {
  // What is in nodes is looked at there.
  if (nodes.every((node) => isKnown(node) && node.bodies === undefined)) return
  try {
    const { loadOperatorsOf } = await import('./families.ts')
    await loadOperatorsOf(nodes)
  } catch (cause) {
    cannotImport(cause, 'operators', "import { operators } from 'lstm-wasm/operators', load(source, { operators })")
  }
}
