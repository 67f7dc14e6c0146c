// Comparisons and logic, element by element, as in ONNX. Truth is uint8, 0 or 1.
import { LstmError } from '../../errors.ts'
import { lengthOf } from '../../values/shape.ts'
import { numericInput } from './arithmetic.ts'
import { label, requireInput } from '../node/checks.ts'
import { broadcastShapes } from '../node/sizes.ts'
import { evaluateBroadcast, planBinary, type BinaryFunction } from '../layout/broadcast.ts'
import type { GraphNode, ValueType } from '../graph-data.ts'
import type { InferenceContext, Operator } from '../operator.ts'

interface Relation {
  readonly kernel: BinaryFunction
  readonly of: (a: number, b: number) => boolean
  /** The kernel is given b and a. */
  readonly swapped?: boolean
}

/** `operands`: what it takes: truth, numbers, or either. */
function relation(name: string, onnx: string, operands: 'truth' | 'numbers' | 'either', { kernel, of, swapped = false }: Relation): Operator {
  const infer = (node: GraphNode, context: InferenceContext): ValueType => {
    if (node.inputs.length !== 2) throw new LstmError('SHAPE', `${label(node)}: expected 2 inputs, got ${node.inputs.length}`)
    const a = operands === 'numbers'
      ? numericInput(node, context, 0)
      : requireInput(node, context, 0, operands === 'truth' ? 'uint8' : context.input(0)?.dtype ?? 'float32')
    const b = requireInput(node, context, 1, a.dtype)
    return { dtype: 'uint8', shape: broadcastShapes(node, [a.shape, b.shape]) }
  }
  return {
    name,
    onnx,
    mostInputs: 2,
    attributes: [],
    time: 'pointwise',
    infer: (node, context) => [infer(node, context)],
    cost: () => ({ detail: '', multiplyAdds: 0 }),
    evaluate(_node, context, _settings, [type]) {
      return evaluateBroadcast(type, [context.value(0), context.value(1)], ([a = NaN, b = NaN]) => Number(of(a, b)))
    },
    plan(_node, planner) {
      const [a, b] = [0, 1].map((position) => ({ slot: planner.input(position), shape: planner.shapeOf(position) }))
      if (a === undefined || b === undefined) return
      const out = { slot: planner.output(0), shape: planner.outputShape(0) }
      planBinary(planner, kernel, planner.dtypeOf(0), swapped ? b : a, swapped ? a : b, out)
    },
  }
}

/** a = b: false beside NaN. Inputs: a, b of one dtype, any. */
export const equal: Operator = relation('equal', 'Equal', 'either', { kernel: 'equal', of: (a, b) => a === b })
/** a < b. Inputs: a, b, float32 or int32; so are those of the next three. */
export const less: Operator = relation('less', 'Less', 'numbers', { kernel: 'less', of: (a, b) => a < b })
/** a <= b. */
export const lessOrEqual: Operator = relation('lessOrEqual', 'LessOrEqual', 'numbers', { kernel: 'lessOrEqual', of: (a, b) => a <= b })
/** a > b. */
export const greater: Operator = relation('greater', 'Greater', 'numbers', { kernel: 'less', of: (a, b) => a > b, swapped: true })
/** a >= b. */
export const greaterOrEqual: Operator = relation('greaterOrEqual', 'GreaterOrEqual', 'numbers', { kernel: 'lessOrEqual', of: (a, b) => a >= b, swapped: true })
/** a and b. Inputs: a, b, uint8, where every number other than 0 is true; so are those of the next three. */
export const and: Operator = relation('and', 'And', 'truth', { kernel: 'and', of: (a, b) => a !== 0 && b !== 0 })
/** a or b. */
export const or: Operator = relation('or', 'Or', 'truth', { kernel: 'or', of: (a, b) => a !== 0 || b !== 0 })
/** Either a or b, not both. */
export const xor: Operator = relation('xor', 'Xor', 'truth', { kernel: 'xor', of: (a, b) => (a !== 0) !== (b !== 0) })

/** Not a. Input: a. */
export const not: Operator = {
  name: 'not',
  onnx: 'Not',
  mostInputs: 1,
  attributes: [],
  time: 'pointwise',
  infer: (node, context) => [requireInput(node, context, 0, 'uint8')],
  cost: () => ({ detail: '', multiplyAdds: 0 }),
  evaluate: (_node, context, _settings, [type]) => evaluateBroadcast(type, [context.value(0)], ([a]) => Number(a === 0)),
  plan(_node, planner) {
    const a = { slot: planner.input(0), shape: [lengthOf(planner.shapeOf(0))] }
    planBinary(planner, 'not', 'uint8', a, a, { slot: planner.output(0), shape: a.shape })
  },
}

/** Whether a is not a number. Input: a, float32. */
export const isNaN: Operator = {
  name: 'isNaN',
  onnx: 'IsNaN',
  mostInputs: 1,
  attributes: [],
  time: 'pointwise',
  infer: (node, context) => [{ dtype: 'uint8', shape: requireInput(node, context, 0, 'float32').shape }],
  cost: () => ({ detail: '', multiplyAdds: 0 }),
  evaluate: (_node, context, _settings, [type]) => evaluateBroadcast(type, [context.value(0)], ([a]) => Number(Number.isNaN(a))),
  plan(_node, planner) {
    const a = { slot: planner.input(0), shape: [lengthOf(planner.shapeOf(0))] }
    const out = { slot: planner.output(0), shape: a.shape }
    // What is not equal to itself.
    planBinary(planner, 'equal', 'float32', a, a, out)
    planBinary(planner, 'not', 'uint8', out, out, out)
  },
}
