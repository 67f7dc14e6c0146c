import { linearBackward, trainedLinear } from '../../ops/training/linear.ts'
import type { GradientFamily } from '../family.ts'

/** The dense layer: on packed weights. */
export const LINEAR: GradientFamily = {
  operators: [trainedLinear, linearBackward],
  lowerings: {
    linear(node, _settings, [x], build) {
      const { weight, bias } = node.parameters as { weight: string, bias?: string }
      const [units] = build.constantShape(weight) as [number, number]
      const w = build.packed(weight, { k: build.shapeOf(x as string).at(-1) as number, units, gates: 0 })
      return [build.node('trainedLinear', [x as string, w, ...(bias === undefined ? [] : [build.parameter(bias)])], { units })]
    },
  },
  /** Of the node that it becomes. */
  rules: {
    trainedLinear({ node, outputs: [dy], wanted }, build) {
      const isWanted = [0, 1, 2].map((position) => (node.inputs[position] ?? '') !== '' && wanted[position] === true)
      return build.nodes('linearBackward', [node.inputs[0] as string, node.inputs[1] as string, dy as string], node.attributes, isWanted)
        .map((name) => (name === '' ? undefined : name))
    },
  },
}
