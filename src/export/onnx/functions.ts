// Functions of one variable, and arithmetic, in operators of ONNX.
import { bindFunction, findFunction, type BoundFunction } from '../../ops/elementwise/functions.ts'
import { FUNCTION_NAMES } from '../../ops/elementwise/function-table.ts'
import type { Attributes, NodeExport, NodeWriter } from './node-export.ts'

/** Adds nodes: all but the last make values in between, whose names are returned; numbers become constants. */
export interface Formula {
  readonly x: string
  readonly alpha: number
  readonly beta: number
  readonly of: (op: string, inputs: readonly (string | number)[], attributes?: Attributes) => string
}

/** The last node of a formula: an operator, its inputs and its attributes. */
type Last = readonly [op: string, inputs: readonly (string | number)[], attributes?: Attributes]

const float = (value: number): { readonly float: number } => ({ float: value })

/** Functions that are one operator of ONNX with other attributes, or several. Those in `Operator.onnx` are one, with attributes of the same names. */
const FORMULAS: Readonly<Record<string, (f: Formula) => Last>> = {
  affine: ({ of, x, alpha, beta }) => ['Add', [of('Mul', [x, alpha]), beta]],
  clipped: ({ x, alpha, beta }) => ['Clip', [x, alpha, beta]],
  gelu: ({ x }) => ['Gelu', [x]],
  geluTanh: ({ x }) => ['Gelu', [x], { approximate: 'tanh' }],
  hardShrink: ({ x, alpha }) => ['Shrink', [x], { lambd: float(alpha), bias: float(0) }],
  linear: ({ x }) => ['Identity', [x]],
  logSigmoid: ({ of, x }) => ['Neg', [of('Softplus', [of('Neg', [x])])]],
  scaledTanh: ({ of, x, alpha, beta }) => ['Mul', [of('Tanh', [of('Mul', [x, beta])]), alpha]],
  selu: ({ x, alpha, beta }) => ['Selu', [x], { alpha: float(alpha), gamma: float(beta) }],
  silu: ({ of, x }) => ['Mul', [x, of('Sigmoid', [x])]],
  softShrink: ({ x, alpha }) => ['Shrink', [x], { lambd: float(alpha), bias: float(alpha) }],
  sparsePlus: ({ of, x }) => {
    const raised = of('Add', [x, 1])
    const middle = of('Where', [of('Less', [x, -1]), 0, of('Div', [of('Mul', [raised, raised]), 4])])
    return ['Where', [of('Less', [x, 1]), middle, x]]
  },
  square: ({ x }) => ['Mul', [x, x]],
  squareplus: ({ of, x, alpha }) => ['Div', [of('Add', [x, of('Sqrt', [of('Add', [of('Mul', [x, x]), alpha])])]), 2]],
  tanhShrink: ({ of, x }) => ['Sub', [x, of('Tanh', [x])]],
  thresholdedRelu: ({ of, x, alpha, beta }) => (
    beta === 0 ? ['ThresholdedRelu', [x], { alpha: float(alpha) }] : ['Where', [of('Greater', [x, alpha]), x, beta]]
  ),
}

/** The operator that a function ends with, and what it takes. */
function lastOf(c: NodeExport, name: string, x: string, { alpha, beta }: Pick<BoundFunction, 'alpha' | 'beta'>): readonly [op: string, inputs: string[], attributes: Attributes] {
  const named = (inputs: readonly (string | number)[]): string[] => inputs.map((input) => (typeof input === 'number' ? c.number(`${name}.number`, input) : input))
  const formula = Object.hasOwn(FORMULAS, name) ? FORMULAS[name] : undefined
  if (formula !== undefined) {
    const [op, inputs, attributes = {}] = formula({ x, alpha, beta, of: (inner, given, more) => c.emit(inner, named(given), more) })
    return [op, named(inputs), attributes]
  }
  const facts = findFunction(name)
  if (facts?.onnx === undefined) throw c.unsupported(`the function '${name}' has no counterpart in ONNX`)
  return [facts.onnx, [x], { alpha: facts.alpha === undefined ? undefined : float(alpha), beta: facts.beta === undefined ? undefined : float(beta) }]
}

/** f(x) of a value of the file. */
export function applyFunction(c: NodeExport, { name, alpha, beta }: Pick<BoundFunction, 'name' | 'alpha' | 'beta'>, x: string): string {
  if (name === 'linear') return x
  if (name === 'softmax' || name === 'logSoftmax') return c.emit(name === 'softmax' ? 'Softmax' : 'LogSoftmax', [x], { axis: -1 })
  return c.emit(...lastOf(c, name, x, { alpha, beta }))
}

const elementwise: NodeWriter<BoundFunction> = (c) => {
  const { op } = c.node
  const [name, inputs, attributes] = lastOf(c, op, c.any(0), bindFunction(op, c.settings.alpha, c.settings.beta, op))
  c.emitOutput(name, inputs, attributes)
}

/** f of two inputs of one type. */
const binary = (op: string, result?: 'bool'): NodeWriter => (c) => {
  const common = c.common(0, 1)
  // onnxruntime compares no uint8.
  const type = common === 'uint8' ? 'int32' : common
  c.emitOutput(op, [c.as(0, type), c.as(1, type)], {}, result ?? type)
}

/** f of any number of inputs; of whole numbers two by two. */
const variadic = (op: string, ofTwo: string): NodeWriter => (c) => {
  const type = c.common(...c.node.inputs.map((_, n) => n))
  const names = c.node.inputs.map((_, n) => c.as(n, type))
  if (type === 'float32' || op !== ofTwo) {
    if (type === 'float32') return c.emitOutput(op, names)
    const [first, ...rest] = names as [string, ...string[]]
    const sum = rest.slice(0, -1).reduce((left, right) => c.emit(ofTwo, [left, right]), first)
    return rest.length === 0 ? c.emitOutput('Identity', [sum], {}, type) : c.emitOutput(ofTwo, [sum, rest.at(-1) as string], {}, type)
  }
  c.emitOutput(op, names, {}, type)
}

const truth = (op: string): NodeWriter => (c) => c.emitOutput(op, c.node.inputs.map((_, n) => c.as(n, 'bool')), {}, 'bool')

/** Python's %, which ONNX has for whole numbers only: C's remainder, moved to the side of the divisor. */
const modulo: NodeWriter = (c) => {
  const type = c.common(0, 1)
  const [a, b] = [c.as(0, type), c.as(1, type)]
  const isC = Boolean(c.attribute('fmod') ?? 0)
  if (isC || type !== 'float32') return c.emitOutput('Mod', [a, b], { fmod: Number(isC) }, type)
  const remainder = c.emit('Mod', [a, b], { fmod: 1 })
  const zero = c.number('zero', 0)
  const isElsewhere = c.emit('Xor', [c.emit('Less', [remainder, zero]), c.emit('Less', [b, zero])])
  const isMoved = c.emit('And', [c.emit('Not', [c.emit('Equal', [remainder, zero])]), isElsewhere])
  c.emitOutput('Where', [isMoved, c.emit('Add', [remainder, b]), remainder])
}

/** (clamp(round(x / scale) + zero, least, most) - zero) scale */
const throughIntegers: NodeWriter<{ readonly scale: number, readonly zero: number, readonly least: number, readonly most: number }> = (c) => {
  const { scale, zero, least, most } = c.settings
  const [steps, origin] = [c.number('scale', scale), c.number('zero', zero)]
  const moved = c.emit('Add', [c.emit('Round', [c.emit('Div', [c.any(0), steps])]), origin])
  const within = c.emit('Clip', [moved, c.number('least', least), c.number('most', most)])
  c.emitOutput('Mul', [c.emit('Sub', [within, origin]), steps])
}

const CASTS = { float32: 1, int32: 6, uint8: 2, bool: 9 } as const

const cast: NodeWriter = (c) => {
  const to = c.attribute('to') as keyof typeof CASTS
  const from = c.input(0)
  const isSame = to === from.type || (to === 'int32' && from.type === 'int64') || (to === 'uint8' && from.type === 'bool')
  return isSame ? c.alias(from) : c.emitOutput('Cast', [from.name], { to: CASTS[to] }, to)
}

/** Elementwise operators. */
export const ELEMENTWISE: Readonly<Record<string, NodeWriter<never>>> = {
  ...Object.fromEntries(FUNCTION_NAMES.filter((name) => name !== 'linear').map((name) => [name, elementwise])),
  add: binary('Add'), sub: binary('Sub'), mul: binary('Mul'), div: binary('Div'), pow: binary('Pow'), mod: modulo,
  max: variadic('Max', 'Max'), min: variadic('Min', 'Min'), sum: variadic('Sum', 'Add'),
  equal: binary('Equal', 'bool'), less: binary('Less', 'bool'), lessOrEqual: binary('LessOrEqual', 'bool'),
  greater: binary('Greater', 'bool'), greaterOrEqual: binary('GreaterOrEqual', 'bool'),
  and: truth('And'), or: truth('Or'), xor: truth('Xor'), not: truth('Not'),
  isNaN: (c: NodeExport) => c.emitOutput('IsNaN', [c.any(0)], {}, 'bool'),
  cast, throughIntegers,
  clip(c: NodeExport) {
    const { type } = c.input(0)
    c.emitOutput('Clip', [c.any(0), c.scalar(1, type), c.scalar(2, type)], {}, type)
  },
  dropout: (c: NodeExport) => c.alias(c.input(0)),
  identity: (c: NodeExport) => c.alias(c.input(0)),
}
