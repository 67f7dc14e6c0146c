import type { Lowering, Lowerings } from '../lowering.ts'

/** The operator as it is, with constants at these positions as parameters: those of one element, too, which elsewhere are settings. */
function withParametersAt(...positions: readonly number[]): Lowering {
  return (node, _settings, inputs, build) => {
    const taken = inputs.map((name, position) => (positions.includes(position) && build.isConstant(name) ? build.parameter(name) : name))
    return build.nodes(node.op, taken, node.attributes, node.outputs.length)
  }
}

/** Weights and biases of convolutions and products. */
export const WEIGHT_LOWERINGS: Lowerings = {
  conv: withParametersAt(1, 2), convTranspose: withParametersAt(1, 2), gemm: withParametersAt(0, 1, 2), matMul: withParametersAt(0, 1),
}
