import type { Lowerings } from '../lowering.ts'

/** A number for a name (FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv): nodes of other names drop other elements. */
export function streamOf(name: string): number {
  let hash = 0x811c9dc5
  for (let n = 0; n < name.length; n++) hash = Math.imul(hash ^ name.charCodeAt(n), 0x01000193)
  return hash | 0
}

/** Elements are dropped in training, and those that stay are divided by 1 - rate. */
export const DROPOUT_LOWERINGS: Lowerings = {
  dropout(node, rate: number, [x = ''], build) {
    return [build.training && rate > 0 ? build.node('drop', [x, build.seed()], { rate, stream: streamOf(node.name) }) : x]
  },
}
