import { LstmError } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import type { Constant } from '../ops/constant.ts'

/** @throws LstmError `UNSUPPORTED` for weights of 8 or 16 bits: a step is smaller than what they can tell apart */
export function checkNarrow(graph: Graph): void {
  const narrow = [...graph.constants].filter(([, constant]) => (constant as Constant).storage !== undefined).map(([name]) => name)
  if (narrow.length === 0) return
  throw new LstmError('UNSUPPORTED', `training: the weights ${narrow.map((name) => `'${name}'`).join(', ')} are quantised; train the model they were made of, and quantise the result`)
}
