// Tables of vectors.
import { lookUp } from '../../ops/training/look-up.ts'
import { scatterAdd as scatterAddOperator } from '../../ops/training/scatter-add.ts'
import type { GradientFamily } from '../family.ts'
import { onlyGradient } from '../usual/elementwise.ts'
import { scatterAdd } from '../usual/movement.ts'

/** Rows of a table that is a parameter. */
export const family: GradientFamily = {
  operators: [lookUp, scatterAddOperator],
  lowerings: { embedding: ({ parameters }, _settings, [indices = ''], build) => [build.node('lookUp', [build.parameter(parameters.weight as string), indices])] },
  rules: {
    lookUp(call, build) {
      const [table = '', indices = ''] = call.node.inputs
      return [scatterAdd(build, onlyGradient(call), indices, build.shapeOf(table), 0), undefined]
    },
  },
}
