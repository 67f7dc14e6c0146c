// Operators without weights as expressions of PyTorch.
import { bindFunction, type BoundFunction } from '../../ops/elementwise/functions.ts'
import { FUNCTION_NAMES } from '../../ops/elementwise/function-table.ts'
import { resolveAxis } from '../../ops/node/attributes.ts'
import type { SymbolicShape } from '../../values/shape.ts'
import type { LineWriter, NodeLines } from './node-lines.ts'
import { python } from './python-module.ts'

/** f(x), by the name of ours; a and b are its constants. */
const FORMULAS: Readonly<Record<string, (x: string, a: string, b: string) => string>> = {
  abs: (x) => `torch.abs(${x})`, affine: (x, a, b) => `${a} * ${x} + ${b}`, atan: (x) => `torch.atan(${x})`, ceil: (x) => `torch.ceil(${x})`, celu: (x, a) => `F.celu(${x}, ${a})`,
  clipped: (x, a, b) => `torch.clamp(${x}, ${a}, ${b})`, cos: (x) => `torch.cos(${x})`, elu: (x, a) => `F.elu(${x}, ${a})`, erf: (x) => `torch.erf(${x})`,
  exp: (x) => `torch.exp(${x})`, floor: (x) => `torch.floor(${x})`, gelu: (x) => `F.gelu(${x})`, geluTanh: (x) => `F.gelu(${x}, approximate='tanh')`,
  hardShrink: (x, a) => `F.hardshrink(${x}, ${a})`, hardSigmoid: (x, a, b) => `torch.clamp(${a} * ${x} + ${b}, 0, 1)`, hardSwish: (x) => `F.hardswish(${x})`,
  leakyRelu: (x, a) => `F.leaky_relu(${x}, ${a})`, log: (x) => `torch.log(${x})`, logSigmoid: (x) => `F.logsigmoid(${x})`, mish: (x) => `F.mish(${x})`, neg: (x) => `-${x}`,
  reciprocal: (x) => `torch.reciprocal(${x})`, relu: (x) => `torch.relu(${x})`, round: (x) => `torch.round(${x})`, scaledTanh: (x, a, b) => `${a} * torch.tanh(${b} * ${x})`,
  selu: (x, a, b) => `${b} * torch.where(${x} > 0, ${x}, ${a} * torch.expm1(${x}))`, sigmoid: (x) => `torch.sigmoid(${x})`, sign: (x) => `torch.sign(${x})`,
  silu: (x) => `F.silu(${x})`, sin: (x) => `torch.sin(${x})`, softplus: (x) => `F.softplus(${x})`, softShrink: (x, a) => `F.softshrink(${x}, ${a})`,
  softsign: (x) => `F.softsign(${x})`, sparsePlus: (x) => `torch.where(${x} <= -1, 0.0, torch.where(${x} < 1, (${x} + 1) ** 2 / 4, ${x}))`, sqrt: (x) => `torch.sqrt(${x})`,
  square: (x) => `torch.square(${x})`, squareplus: (x, a) => `(${x} + torch.sqrt(${x} * ${x} + ${a})) / 2`, tanh: (x) => `torch.tanh(${x})`, tanhShrink: (x) => `F.tanhshrink(${x})`,
  thresholdedRelu: (x, a, b) => `torch.where(${x} > ${a}, ${x}, ${b})`,
}

const elementwise: LineWriter<BoundFunction> = (c) => {
  const { alpha, beta } = bindFunction(c.node.op, c.settings.alpha, c.settings.beta, c.node.op)
  const formula = FORMULAS[c.node.op]
  if (formula === undefined) throw c.unsupported('PyTorch has no such function')
  c.give(formula(c.x(0), python(alpha), python(beta)))
}

const binary = (operator: string): LineWriter => (c) => c.give(`${c.number(0)} ${operator} ${c.number(1)}`)

/** Truth is uint8 here. */
const relation = (operator: string): LineWriter => (c) => c.give(`(${c.number(0)} ${operator} ${c.number(1)}).to(torch.uint8)`)
const logic = (operator: string): LineWriter => (c) => c.give(`((${c.x(0)} != 0) ${operator} (${c.x(1)} != 0)).to(torch.uint8)`)

const division: LineWriter = (c) => {
  const isWhole = c.type(0).dtype === 'int32'
  c.give(isWhole ? `torch.div(${c.x(0)}, ${c.x(1)}, rounding_mode='trunc')` : `${c.number(0)} / ${c.number(1)}`)
}

/** Of any number of inputs, from left to right. */
const variadic = (f: string): LineWriter => (c) => c.give(c.node.inputs.map((_, n) => c.x(n)).reduce((left, right) => `${f}(${left}, ${right})`))

/** The axes that a reduction is over; undefined for all. */
function axesOf(c: NodeLines): number[] | undefined {
  const axes = c.has(1) ? c.numbers(1, 'axes') : []
  if (axes.length === 0 && Number(c.attribute('noopWithEmptyAxes') ?? 0) === 1) throw c.unsupported('a reduction over no axes')
  return axes.length === 0 ? undefined : axes
}

/** A reduction over axes; x and how it goes on. */
const reduction = (of: (x: string, dim: string) => string): LineWriter => (c) => {
  const axes = axesOf(c) ?? Array.from({ length: c.rank }, (_, axis) => axis)
  c.give(of(c.x(0), `dim=${python(axes)}, keepdim=${python(Number(c.attribute('keepdims') ?? 1) !== 0)}`))
}

const argument = (name: string): LineWriter => (c) => {
  if (Number(c.attribute('selectLastIndex') ?? 0) !== 0) throw c.unsupported('the last of equal elements')
  c.give(`torch.${name}(${c.x(0)}, dim=${c.axis('axis', 0)}, keepdim=${python(Number(c.attribute('keepdims') ?? 1) !== 0)}).to(torch.int32)`)
}

const reshape: LineWriter = (c) => {
  const { outputShape } = c
  c.give(outputShape.length === 0 ? `${c.x(0)}.reshape(())` : `${c.x(0)}.reshape(${c.module.sizes(c.node, outputShape)})`)
}

const transpose: LineWriter = (c) => {
  const perm = (c.attribute('perm') as readonly number[] | undefined) ?? Array.from({ length: c.rank }, (_, axis) => c.rank - 1 - axis)
  c.give(`${c.x(0)}.permute(${perm.join(', ')})`)
}

/** Bounds beyond these mean the end. */
const FAR = 2 ** 31 - 1

const slice: LineWriter = (c) => {
  const [starts, ends] = [c.numbers(1, 'starts'), c.numbers(2, 'ends')]
  const axes = c.has(3) ? c.numbers(3, 'axes') : starts.map((_, n) => n)
  const steps = c.has(4) ? c.numbers(4, 'steps') : starts.map(() => 1)
  const parts: string[] = Array.from({ length: c.rank }, () => ':')
  const flipped: number[] = []
  axes.forEach((given, n) => {
    const axis = resolveAxis(c.node, given, c.rank)
    const [start, end, step] = [starts[n] as number, ends[n] as number, steps[n] as number]
    const isTurned = step === -1 && (start === -1 || start >= FAR) && end <= -FAR
    if (step < 0 && !isTurned) throw c.unsupported('a part of an axis backwards')
    if (isTurned) flipped.push(axis)
    else parts[axis] = `${start === 0 ? '' : start}:${end >= FAR ? '' : end}${step === 1 ? '' : `:${step}`}`
  })
  c.give(`${c.x(0)}[${parts.join(', ')}]${flipped.length > 0 ? `.flip(${flipped.join(', ')})` : ''}`)
}

/** A row of a table for each index, parts of an axis by number, or by indices that flow in. */
const gather: LineWriter<number> = (c) => {
  const axis = resolveAxis(c.node, c.settings, c.rank)
  const index = c.value(1)
  const lead = Array.from({ length: axis }, () => ':, ').join('')
  if (index?.shape.length === 0) return c.give(`${c.x(0)}[${lead}${index.data[0] as number}]`)
  c.give(`${c.x(0)}[${lead}${c.x(1)}.long()]`)
}

const concat: LineWriter<number> = (c) => c.give(`torch.cat((${c.node.inputs.map((_, n) => c.x(n)).join(', ')},), dim=${c.settings})`)

const split: LineWriter<number> = (c) => {
  const sizes = c.node.outputs.map((value) => (value === '' ? undefined : c.module.typeOf(value).shape[resolveAxis(c.node, c.settings, c.rank)]))
  if (sizes.some((size) => typeof size !== 'number')) throw c.unsupported('parts whose sizes are not known, or that nobody wants')
  c.module.lines.push(`${c.node.outputs.map((value) => c.module.variable(value)).join(', ')}, = torch.split(${c.x(0)}, [${sizes.join(', ')}], dim=${c.settings})`)
}

const TORCH_DTYPES: Readonly<Record<string, string>> = { float32: 'torch.float32', int32: 'torch.int32', uint8: 'torch.uint8' }

const cast: LineWriter = (c) => {
  const to = c.attribute('to') as string
  c.give(to === 'bool' ? `(${c.x(0)} != 0).to(torch.uint8)` : `${c.x(0)}.to(${TORCH_DTYPES[to] as string})`)
}

const pad: LineWriter = (c) => {
  if (c.has(3)) throw c.unsupported('pads of some axes')
  if ((c.attribute('mode') ?? 'constant') !== 'constant') throw c.unsupported(`mode '${String(c.attribute('mode'))}'`)
  const pads = c.numbers(1, 'pads')
  // From the last axis on, before and after.
  const pairs = Array.from({ length: c.rank }, (_, n) => [pads[c.rank - 1 - n], pads[2 * c.rank - 1 - n]]).flat() as number[]
  c.give(`F.pad(${c.x(0)}, ${python(pairs)}${c.has(2) ? `, value=${c.number(2)}` : ''})`)
}

const throughIntegers: LineWriter<{ readonly scale: number, readonly zero: number, readonly least: number, readonly most: number }> = (c) => {
  const { scale, zero, least, most } = c.settings
  c.give(`(torch.clamp(torch.round(${c.x(0)} / ${python(scale)}) + ${python(zero)}, ${python(least)}, ${python(most)}) - ${python(zero)}) * ${python(scale)}`)
}

const bound = (c: NodeLines, position: number): string => (c.has(position) ? c.number(position) : 'None')

const sum = (x: string, dim: string): string => `${x}.sum(${dim}, dtype=${x}.dtype)`

export const EXPRESSIONS: Readonly<Record<string, LineWriter<never>>> = {
  ...Object.fromEntries(FUNCTION_NAMES.filter((name) => name !== 'linear').map((name) => [name, elementwise])),
  add: binary('+'), sub: binary('-'), mul: binary('*'), pow: binary('**'), div: division, max: variadic('torch.maximum'), min: variadic('torch.minimum'), sum: variadic('torch.add'),
  mod: (c: NodeLines) => c.give(`torch.${Number(c.attribute('fmod') ?? 0) === 0 ? 'remainder' : 'fmod'}(${c.x(0)}, ${c.x(1)})`),
  equal: relation('=='), less: relation('<'), lessOrEqual: relation('<='), greater: relation('>'), greaterOrEqual: relation('>='),
  and: logic('&'), or: logic('|'), xor: logic('^'), not: (c: NodeLines) => c.give(`(${c.x(0)} == 0).to(torch.uint8)`),
  isNaN: (c: NodeLines) => c.give(`torch.isnan(${c.x(0)}).to(torch.uint8)`),
  where: (c: NodeLines) => c.give(`torch.where(${c.x(0)} != 0, ${c.x(1)}, ${c.x(2)})`),
  clip: (c: NodeLines) => c.give(c.has(1) || c.has(2) ? `torch.clamp(${c.x(0)}, ${bound(c, 1)}, ${bound(c, 2)})` : c.x(0)),
  dropout: (c: NodeLines) => c.alias(c.x(0)), identity: (c: NodeLines) => c.alias(c.x(0)),
  softmax: (c: NodeLines<number>) => c.give(`torch.softmax(${c.x(0)}, dim=${c.settings})`),
  logSoftmax: (c: NodeLines<number>) => c.give(`torch.log_softmax(${c.x(0)}, dim=${c.settings})`),
  reduceSum: reduction((x, dim) => sum(x, dim)), reduceMean: reduction((x, dim) => `${x}.mean(${dim})`), reduceMax: reduction((x, dim) => `torch.amax(${x}, ${dim})`),
  reduceMin: reduction((x, dim) => `torch.amin(${x}, ${dim})`), reduceL1: reduction((x, dim) => sum(`torch.abs(${x})`, dim)),
  reduceL2: reduction((x, dim) => `torch.sqrt(${sum(`torch.square(${x})`, dim)})`), reduceLogSum: reduction((x, dim) => `torch.log(${sum(x, dim)})`),
  reduceLogSumExp: reduction((x, dim) => `torch.logsumexp(${x}, ${dim})`), reduceSumSquare: reduction((x, dim) => sum(`torch.square(${x})`, dim)),
  argMax: argument('argmax'), argMin: argument('argmin'),
  reshape, flatten: reshape, squeeze: reshape, unsqueeze: reshape, transpose, slice, gather, concat, split, cast, pad, throughIntegers,
  expand: (c: NodeLines) => c.give(`${c.x(0)}.expand(${c.module.sizes(c.node, c.outputShape satisfies SymbolicShape)})`),
  constantOfShape: (c: NodeLines) => (
    c.give(`torch.full((${c.module.knownSizes(c.node, c.outputShape)},), ${python(Number(c.attribute('value') ?? 0))}, dtype=torch.${c.outputType.dtype})`)
  ),
  matMul: (c: NodeLines) => c.give(`${c.x(0)} @ ${c.x(1)}`),
}
