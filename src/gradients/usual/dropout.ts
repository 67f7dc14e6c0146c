import { drop } from '../../ops/training/drop.ts'
import type { GradientFamily } from '../family.ts'

/** A number for a name (FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv): nodes of other names drop other elements. */
export function streamOf(name: string): number {
  let hash = 0x811c9dc5
  for (let n = 0; n < name.length; n++) hash = Math.imul(hash ^ name.charCodeAt(n), 0x01000193)
  return hash | 0
}

/** Elements are dropped in training, and those that stay are divided by 1 - rate; the same ones are dropped from the gradient. */
export const DROPOUT: GradientFamily = {
  operators: [drop],
  lowerings: {
    dropout(node, rate: number, [x = ''], build) {
      return [build.training && rate > 0 ? build.node('drop', [x, build.seed()], { rate, stream: streamOf(node.name) }) : x]
    },
  },
  rules: {
    drop: ({ node: { inputs: [, seed = ''], attributes }, outputs: [gradient = ''] }, build) => [build.node('drop', [gradient, seed], attributes), undefined],
  },
}
