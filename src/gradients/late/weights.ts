import type { Lowering } from '../lowering.ts'

/** The operator as it is, with constants at these positions as parameters: those of one element, too, which elsewhere are settings. */
export function withParametersAt(...positions: readonly number[]): Lowering {
  return (node, _settings, inputs, build) => {
    const taken = inputs.map((name, position) => (positions.includes(position) && build.isConstant(name) ? build.parameter(name) : name))
    return build.nodes(node.op, taken, node.attributes, node.outputs.length)
  }
}
