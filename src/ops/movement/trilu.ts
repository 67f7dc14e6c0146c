import { LstmError } from '../../errors.ts'
import { bytesOf, createData, type DataOf } from '../../values/dtype.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import { formatShape, lengthOf } from '../../values/shape.ts'
import { switchOf } from '../node/attributes.ts'
import { anyInput, hasInput, label } from '../node/checks.ts'
import { knownIntegers } from '../node/sizes.ts'
import { isFoldable, movementCost, requireSizes } from '../layout/movement.ts'
import type { GraphNode } from '../graph-data.ts'
import type { InferenceContext, Operator } from '../operator.ts'
import { rowwise } from '../time/rules.ts'
import { inBytes, planBox, planNumber, stridesOf } from '../layout/strides.ts'

/** Which diagonal the triangle begins at: 0 is the main one, 1 the one above it. */
function diagonalOf(node: GraphNode, context: Pick<InferenceContext, 'value'>): number {
  if (!hasInput(node, 1)) return 0
  const numbers = knownIntegers(node, context, 1, 'diagonal')
  if (numbers.length !== 1) throw new LstmError('SHAPE', `${label(node)}: expected one number for the diagonal, got ${numbers.length}`)
  return numbers[0] as number
}

/** Whether each element of a matrix stays. */
function keptOf(node: GraphNode, context: Pick<InferenceContext, 'value'>, upper: boolean, rows: number, columns: number): Uint8Array {
  const diagonal = diagonalOf(node, context)
  const kept = new Uint8Array(rows * columns)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) kept[row * columns + column] = Number(upper ? column - row >= diagonal : column - row <= diagonal)
  }
  return kept
}

/**
 * The upper triangle of matrices, or the lower one, and zeros elsewhere. Inputs: x [..., rows, columns], any dtype; diagonal (int32, one
 * number, optional, default 0, known before run time): how far above the main one the triangle begins (or ends). Attribute `upper` 1.
 */
export const trilu: Operator<boolean> = {
  name: 'trilu',
  onnx: 'Trilu',
  mostInputs: 2,
  attributes: ['upper'],
  time: rowwise(() => [-2, -1]),
  parse: (node) => switchOf(node, 'upper', true),
  infer(node, context) {
    const x = anyInput(node, context, 0)
    if (x.shape.length < 2) throw new LstmError('SHAPE', `${label(node)}: expected at least two axes, got ${formatShape(x.shape)}`)
    if (hasInput(node, 1) && anyInput(node, context, 1).dtype !== 'int32') throw new LstmError('VALUE', `${label(node)}: expected an int32 diagonal, got another dtype`)
    return [x]
  },
  cost: movementCost,
  evaluate(node, context, upper, types) {
    if (!isFoldable(node, context, types)) return undefined
    const { dtype, shape, data } = context.value(0) as ArrayLike
    const [rows, columns] = shape.slice(-2) as [number, number]
    const kept = keptOf(node, context, upper, rows, columns)
    const out: DataOf = createData(dtype, data.length)
    for (let n = 0; n < data.length; n++) if (kept[n % (rows * columns)] === 1) out[n] = data[n] as number
    return [new NdArray(out, shape)]
  },
  plan(node, planner, upper) {
    requireSizes(node, planner)
    const { stridedSelect } = planner.kernels
    const shape = planner.shapeOf(0)
    const [x, y] = [planner.input(0), planner.output(0)]
    if (lengthOf(shape) === 0) return
    const [rows, columns] = shape.slice(-2) as [number, number]
    const dtype = planner.dtypeOf(0)
    const mask = planner.constant(keptOf(node, planner, upper, rows, columns))
    const zero = planNumber(planner, 0, dtype)
    const outer = shape.slice(0, -2).map(() => 0)
    const sides = [[...outer, columns, 1], inBytes(stridesOf(shape), dtype), shape.map(() => 0)]
    const { box, rows: boxRows } = planBox(planner, shape, sides, bytesOf(dtype))
    planner.step(() => stridedSelect(box.ptr, mask.ptr, x.ptr, zero.ptr, y.ptr, 0, boxRows))
  },
}
