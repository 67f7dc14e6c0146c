import { LstmError } from '../errors.ts'
import { isKnown } from './known.ts'
import type { GraphNode } from './graph-data.ts'

/**
 * In the place of loading.ts in `lstm-wasm/core`.
 * @throws LstmError `ENVIRONMENT` naming the operators that nobody has handed over
 */
export async function loadOperators(nodes: readonly GraphNode[]): Promise<void> {
  const unknown = new Set(nodes.filter((node) => !isKnown(node)).map(({ op }) => op))
  if (unknown.size === 0) return
  throw new LstmError('ENVIRONMENT', `lstm-wasm/core has the operators of recurrent and dense layers only, and the model needs ${[...unknown].join(', ')}: import { operators } from 'lstm-wasm/operators', and hand them over: load(source, { operators })`)
}
