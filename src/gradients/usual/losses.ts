import { LstmError } from '../../errors.ts'
import { label } from '../../ops/node/checks.ts'
import type { Operator } from '../../ops/operator.ts'
import { LOSS_OPERATORS } from '../../ops/training/losses.ts'
import type { GradientFamily } from '../family.ts'
import type { GradientRule } from '../rule.ts'

/** A loss multiplies the gradient that it has made already with what comes in, row by row. */
const lossRule: GradientRule = ({ node, outputs, wanted }, build) => {
  const [incoming] = outputs
  const [losses, gradient] = node.outputs as [string, string]
  if (wanted.slice(1).includes(true)) throw new LstmError('UNSUPPORTED', `${label(node)}: targets have no gradient`)
  if (incoming === undefined || wanted[0] !== true) return []
  const shape = build.shapeOf(losses)
  const axes = build.shapeOf(gradient).length
  const broadcast = build.reshape(incoming, [...shape, ...Array.from({ length: axes - shape.length }, () => 1)])
  return [build.node('mul', [gradient, broadcast])]
}

/** Losses by their operators. */
export function lossFamily(operators: readonly Operator[]): GradientFamily {
  return { operators, lowerings: {}, rules: Object.fromEntries(operators.map(({ name }) => [name, lossRule])) }
}

/** Cross-entropies, and losses of each element. */
export const LOSSES: GradientFamily = lossFamily(LOSS_OPERATORS)
