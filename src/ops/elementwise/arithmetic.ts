// Functions of two numbers, element by element, as in ONNX. Inputs broadcast, and are all float32 or all int32.
import { LstmError } from '../../errors.ts'
import type { DType } from '../../values/dtype.ts'
import { formatShape, lengthOf, type Dimension, type SymbolicShape } from '../../values/shape.ts'
import { switchOf } from '../node/attributes.ts'
import { label, requireInput } from '../node/checks.ts'
import { broadcastShapes, productOf, quotientOf } from '../node/sizes.ts'
import { evaluateBroadcast, planBinary, type BinaryFunction, type Operand } from '../layout/broadcast.ts'
import type { GraphNode, ValueType } from '../graph-data.ts'
import type { InferenceContext, Operator, Planner } from '../operator.ts'

/** A function for the kernel, and in JavaScript: results are rounded to float32, or wrapped to int32, afterwards. */
interface Arithmetic {
  readonly kernel: BinaryFunction
  readonly float: (a: number, b: number) => number
  readonly int: (a: number, b: number) => number
  /** Of two sizes, where that is a size again. */
  readonly size?: (a: Dimension, b: Dimension) => Dimension | undefined
}

const floorModulo = (a: number, b: number): number => {
  const remainder = a % b
  return remainder !== 0 && (remainder < 0) !== (b < 0) ? remainder + b : remainder
}

/** Of whole sizes: cut towards zero, as int32 is. */
const quotientOfSizes = (a: Dimension, b: Dimension): Dimension | undefined => {
  const quotient = b === 0 ? undefined : quotientOf([a], [b])
  return typeof quotient === 'number' ? Math.trunc(quotient) : quotient
}

const MIN: Arithmetic = { kernel: 'min', float: Math.min, int: Math.min }
const MAX: Arithmetic = { kernel: 'max', float: Math.max, int: Math.max }
const ADD: Arithmetic = {
  kernel: 'add', float: (a, b) => a + b, int: (a, b) => a + b,
  size: (a, b) => (typeof a === 'number' && typeof b === 'number' ? a + b : a === 0 ? b : b === 0 ? a : undefined),
}
const SUB: Arithmetic = {
  kernel: 'sub', float: (a, b) => a - b, int: (a, b) => a - b,
  size: (a, b) => (typeof a === 'number' && typeof b === 'number' ? a - b : b === 0 ? a : a === b ? 0 : undefined),
}
const MUL: Arithmetic = { kernel: 'mul', float: (a, b) => a * b, int: Math.imul, size: (a, b) => productOf([a, b]) }
const DIV: Arithmetic = { kernel: 'div', float: (a, b) => a / b, int: (a, b) => (b === 0 ? 0 : a / b), size: quotientOfSizes }
const REMAINDER: Arithmetic = { kernel: 'remainder', float: (a, b) => a % b, int: (a, b) => (b === 0 ? 0 : a % b) }
const MODULO: Arithmetic = { kernel: 'modulo', float: floorModulo, int: (a, b) => (b === 0 ? 0 : floorModulo(a, b)) }

/** f of lists of sizes that are as long as each other, or one of which is a single size. */
function sizesOf(a: SymbolicShape | undefined, b: SymbolicShape | undefined, f: Arithmetic['size']): SymbolicShape | undefined {
  if (a === undefined || b === undefined || f === undefined || (a.length !== b.length && a.length !== 1 && b.length !== 1)) return undefined
  const at = (list: SymbolicShape, n: number): Dimension => list[list.length === 1 ? 0 : n] as Dimension
  const sizes = Array.from({ length: Math.max(a.length, b.length) }, (_, n) => f(at(a, n), at(b, n)))
  return sizes.every((size) => size !== undefined) ? sizes : undefined
}

/** An input of numbers: float32 or int32. */
export function numericInput(node: GraphNode, context: InferenceContext, position: number): ValueType {
  const value = context.input(position)
  if (value?.dtype === 'uint8') {
    throw new LstmError('VALUE', `${label(node)}: expected float32 or int32 input, got uint8 ${formatShape(value.shape)}`)
  }
  return requireInput(node, context, position, value?.dtype ?? 'float32')
}

/** One step in JavaScript, with the rounding of the kernel. */
function rounded({ float, int }: Arithmetic, dtype: DType): (a: number, b: number) => number {
  return dtype === 'float32' ? (a, b) => Math.fround(float(a, b)) : (a, b) => int(a, b) | 0
}

/** f of two inputs, or of any number of them from left to right. */
function arithmetic(
  name: string, onnx: string, arity: 'binary' | 'variadic', choose: (node: GraphNode) => Arithmetic, attributes: readonly string[] = [],
): Operator<Arithmetic> {
  const infer = (node: GraphNode, context: InferenceContext): ValueType => {
    const count = node.inputs.length
    if (arity === 'binary' ? count !== 2 : count === 0) {
      throw new LstmError('SHAPE', `${label(node)}: expected ${arity === 'binary' ? '2 inputs' : 'at least one input'}, got ${count}`)
    }
    const { dtype } = numericInput(node, context, 0)
    const shapes = node.inputs.map((_, position) => requireInput(node, context, position, dtype).shape)
    return { dtype, shape: broadcastShapes(node, shapes) }
  }
  return {
    name,
    onnx,
    mostInputs: arity === 'binary' ? 2 : Infinity,
    attributes,
    time: 'pointwise',
    parse: choose,
    infer: (node, context) => [infer(node, context)],
    cost: () => ({ detail: '', multiplyAdds: 0 }),
    evaluate(node, context, settings, [type]) {
      const step = rounded(settings, type.dtype)
      return evaluateBroadcast(type, node.inputs.map((_, position) => context.value(position)), (elements) => elements.reduce(step))
    },
    sizes: (_node, context, { size }) => (arity === 'binary' ? [sizesOf(context.sizes(0), context.sizes(1), size)] : undefined),
    plan(node, planner, { kernel }) {
      const operands = node.inputs.map((_, position) => operandOf(planner, position))
      planChain(planner, operands, operands.slice(1).map(() => kernel))
    },
  }
}

function operandOf(planner: Planner, position: number): Operand {
  return { slot: planner.input(position), shape: planner.shapeOf(position) }
}

/** out = f(...f(f(first, second), third)...): each function works on the result of the one before, in place. */
function planChain(planner: Planner, [first, ...rest]: readonly Operand[], functions: readonly BinaryFunction[]): void {
  const out: Operand = { slot: planner.output(0), shape: planner.outputShape(0) }
  const dtype = planner.dtypeOf(0)
  let left = first as Operand
  rest.forEach((right, n) => {
    // A result that is repeated later on cannot be worked on in place: its elements would be overwritten before they are read.
    if (!fills([left, right], out)) {
      planCopy(planner, left, out, dtype)
      left = out
    }
    planBinary(planner, functions[n] as BinaryFunction, dtype, left, right, out)
    left = out
  })
  if (rest.length === 0) planCopy(planner, left, out, dtype)
}

/** Whether the operands together have the shape of `out`. */
function fills(operands: readonly Operand[], out: Operand): boolean {
  return out.shape.every((size, axis) => operands.some(({ shape }) => (shape[axis - out.shape.length + shape.length] ?? 1) === size))
}

/** out = a, repeated where it is smaller. */
function planCopy(planner: Planner, a: Operand, out: Operand, dtype: DType): void {
  if (lengthOf(a.shape) !== lengthOf(out.shape)) {
    planBinary(planner, 'max', dtype, a, a, out)
    return
  }
  const { copyRows } = planner.kernels
  const bytes = lengthOf(out.shape) * 4
  planner.step(() => copyRows(a.slot.ptr, 0, out.slot.ptr, 0, 1, bytes))
}

/** a + b. Inputs: a, b. */
export const add: Operator<Arithmetic> = arithmetic('add', 'Add', 'binary', () => ADD)
/** a - b. Inputs: a, b. */
export const sub: Operator<Arithmetic> = arithmetic('sub', 'Sub', 'binary', () => SUB)
/** a * b. Inputs: a, b. int32 wraps. */
export const mul: Operator<Arithmetic> = arithmetic('mul', 'Mul', 'binary', () => MUL)
/** a / b. Inputs: a, b. int32 is cut towards zero, and is 0 for b = 0, where ONNX says nothing. */
export const div: Operator<Arithmetic> = arithmetic('div', 'Div', 'binary', () => DIV)
/** The smallest; NaN where one is NaN. Inputs: one or more. */
export const min: Operator<Arithmetic> = arithmetic('min', 'Min', 'variadic', () => MIN)
/** The largest; NaN where one is NaN. Inputs: one or more. */
export const max: Operator<Arithmetic> = arithmetic('max', 'Max', 'variadic', () => MAX)
/** The sum, from left to right. Inputs: one or more. */
export const sum: Operator<Arithmetic> = arithmetic('sum', 'Sum', 'variadic', () => ADD)
/**
 * Remainder of a / b. Inputs: a, b. `fmod` 0 (default): with the sign of b, as Python's %; 1: with the sign
 * of a, as C's. ONNX allows float32 with `fmod` 1 only; here 0 means Python's % for it too.
 */
export const mod: Operator<Arithmetic> = arithmetic('mod', 'Mod', 'binary', (node) => (switchOf(node, 'fmod') ? REMAINDER : MODULO), ['fmod'])

/** x^y with C's special cases, which differ from JavaScript's beside NaN and Infinity; by the ways of assembly/math/power.ts. */
function power(x: number, y: number): number {
  if (x === 1 || (x === -1 && Math.abs(y) === Infinity)) return 1
  if (y === 3) return x * x * x
  if (Math.abs(y) === 0.5 && Number.isFinite(x) && x > 0) return y > 0 ? Math.sqrt(x) : 1 / Math.sqrt(x)
  return y === 2 ? x * x : Math.pow(x, y)
}

/** x^y. Inputs: x and y, both float32. */
export const pow: Operator<Arithmetic> = {
  ...arithmetic('pow', 'Pow', 'binary', () => ({ kernel: 'pow', float: power, int: power })),
  infer(node, context) {
    const x = requireInput(node, context, 0, 'float32')
    const y = requireInput(node, context, 1, 'float32')
    return [{ dtype: 'float32', shape: broadcastShapes(node, [x.shape, y.shape]) }]
  },
}

/** min(high, max(low, x)). Inputs: x, low (optional), high (optional), the latter scalars of x's dtype. */
export const clip: Operator = {
  name: 'clip',
  onnx: 'Clip',
  mostInputs: 3,
  attributes: [],
  time: 'pointwise',
  infer(node, context) {
    const x = numericInput(node, context, 0)
    for (const position of [1, 2]) {
      if (context.input(position) === undefined) continue
      const { shape } = requireInput(node, context, position, x.dtype)
      if (shape.some((size) => size !== 1)) {
        throw new LstmError('SHAPE', `${label(node)}: expected a scalar as input ${position}, got ${formatShape(shape)}`)
      }
    }
    return [x]
  },
  cost: () => ({ detail: '', multiplyAdds: 0 }),
  evaluate(_node, context, _settings, [x]) {
    const value = context.value(0)
    const [low, high] = [1, 2].map((position) => (context.input(position) === undefined ? 'absent' : context.value(position)))
    if (value === undefined || low === undefined || high === undefined) return undefined
    const least = low === 'absent' ? -Infinity : low.data[0] as number
    const most = high === 'absent' ? Infinity : high.data[0] as number
    return evaluateBroadcast(x, [value], ([element = NaN]) => Math.min(Math.max(element, least), most))
  },
  plan(_node, planner) {
    const bounds = ([[1, 'max'], [2, 'min']] as const).filter(([position]) => planner.hasInput(position))
    const operands = bounds.map(([position]) => ({ slot: planner.input(position), shape: [] }))
    planChain(planner, [operandOf(planner, 0), ...operands], bounds.map(([, f]) => f))
  },
}
