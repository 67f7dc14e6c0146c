// First weights, by the names and definitions of Keras and PyTorch.
import { LstmError } from '../errors.ts'
import { checkKind, count, FLAG, having, nearest, readOptions, TEXT, type Kind, type OptionTable } from '../options.ts'
import { describeValue } from '../values/dtype.ts'
import { NdArray } from '../values/ndarray.ts'
import { checkShape, lengthOf, type Shape } from '../values/shape.ts'
import { Generator, STREAMS } from './generator.ts'

/**
 * How a weight begins. Fans are the numbers of inputs and outputs that a weight joins.
 * - `zeros`, `ones`
 * - `glorotUniform`, `glorotNormal` (Xavier): variance 2 / (fan in + fan out); `heUniform`, `heNormal`: 2 / fan in; `lecunUniform`, `lecunNormal`: 1 / fan in.
 *   Normal ones are cut at two standard deviations, as Keras has them.
 * - `orthogonal`: rows or columns, whichever are fewer, at right angles
 * - `randomUniform`: in [-0.05, 0.05); `randomNormal`: standard deviation 0.05; `normal`: standard deviation 1
 * - `fanInUniform`: in [-1 / sqrt(fan in), 1 / sqrt(fan in)), what PyTorch's Linear and Conv have (`kaiming_uniform_` of a = sqrt(5))
 * - `hiddenUniform`: in [-1 / sqrt(h), 1 / sqrt(h)) for h units, what PyTorch's recurrent layers have
 */
export type InitializerName = (typeof NAMES)[number]

const NAMES = [
  'zeros', 'ones', 'glorotUniform', 'glorotNormal', 'heUniform', 'heNormal', 'lecunUniform', 'lecunNormal', 'orthogonal', 'randomUniform', 'randomNormal', 'normal',
  'fanInUniform', 'hiddenUniform',
] as const

/** Which initialiser is for what; Keras's names with underscores do too. */
export interface Initializers {
  /** Where all others come from. Default `'keras'`: Glorot, orthogonal, zeros, a forget bias of 1. `'pytorch'`: uniform by 1 / sqrt(units). */
  readonly like?: 'keras' | 'pytorch' | undefined
  /** Weights from inputs: of dense, convolutional and recurrent layers. Default: as `like`. */
  readonly kernel?: string | undefined
  /** Weights from states to gates. Default: as `like`. */
  readonly recurrent?: string | undefined
  /** Biases. Default: as `like`. */
  readonly bias?: string | undefined
  /** Tables of embeddings. Default: as `like`. */
  readonly embedding?: string | undefined
  /** Whether the forget gate of an LSTM has a bias of 1 besides. Default: as Keras, true; as PyTorch, false. */
  readonly unitForgetBias?: boolean | undefined
}

/** A weight that wants numbers. */
export interface WeightSpec {
  /** Its name in a state dict. */
  readonly name: string
  /** Kind of the layer: `lstm`, `dense`, ... */
  readonly kind: string
  /** What its operator calls it. */
  readonly role: string
  /** Sizes, as in a state dict. */
  readonly shape: Shape
  /** Units of the layer, where it is recurrent. Default: none. */
  readonly units?: number | undefined
}

const word = (value: unknown): boolean => typeof value === 'string'
const INITIALIZER = { expected: 'the name of an initialiser', test: word }
const OPTIONS: OptionTable<Initializers> = {
  like: { expected: "'keras' or 'pytorch'", test: (value) => value === 'keras' || value === 'pytorch' },
  kernel: INITIALIZER, recurrent: INITIALIZER, bias: INITIALIZER, embedding: INITIALIZER, unitForgetBias: FLAG,
}

const DEFAULTS = {
  keras: { kernel: 'glorotUniform', recurrent: 'orthogonal', bias: 'zeros', embedding: 'randomUniform', unitForgetBias: true },
  pytorch: { kernel: 'fanInUniform', recurrent: 'hiddenUniform', bias: 'fanInUniform', embedding: 'normal', unitForgetBias: false },
} as const

/** @throws LstmError `VALUE` for a name that is none */
function nameOf(given: string, what: string): InitializerName {
  const name = given.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
  if ((NAMES as readonly string[]).includes(name)) return name as InitializerName
  const near = nearest(name, NAMES)
  throw new LstmError('VALUE', `initializers: no initialiser ${describeValue(given)} for '${what}'${near === undefined ? '' : `; did you mean '${near}'?`}; there are ${NAMES.join(', ')}`)
}

/** Inputs and outputs that a weight [outputs, inputs, window] joins. */
function fansOf(shape: Shape): { readonly fanIn: number, readonly fanOut: number } {
  const [outputs = 1, inputs = outputs] = shape
  const window = lengthOf(shape.slice(2))
  return { fanIn: inputs * window, fanOut: outputs * window }
}

/** Half the width of a uniform distribution, or the standard deviation of a normal one. */
const scaleOf = (variance: number, isUniform: boolean): number => Math.sqrt(isUniform ? 3 * variance : variance)

/** A normal number that is cut at two standard deviations has a smaller deviation: this one. */
const CUT_DEVIATION = 0.87962566103423978

function cutNormal(generator: Generator): number {
  for (;;) {
    const z = generator.normal()
    if (Math.abs(z) <= 2) return z / CUT_DEVIATION
  }
}

/** A matrix with orthonormal columns, or rows where there are fewer: Gram and Schmidt's way, twice over, in float64. */
function orthogonal(generator: Generator, rows: number, columns: number): Float32Array {
  const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)]
  const vectors = Array.from({ length: count }, () => Float64Array.from({ length }, () => generator.normal()))
  vectors.forEach((vector, n) => {
    for (let pass = 0; pass < 2; pass++) {
      for (const other of vectors.slice(0, n)) {
        let product = 0
        for (let i = 0; i < length; i++) product += (vector[i] as number) * (other[i] as number)
        for (let i = 0; i < length; i++) (vector as unknown as number[])[i] = (vector[i] as number) - product * (other[i] as number)
      }
    }
    const norm = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0))
    for (let i = 0; i < length; i++) vector[i] = (vector[i] as number) / norm
  })
  return Float32Array.from({ length: rows * columns }, (_, n) => {
    const [row, column] = [Math.floor(n / columns), n % columns]
    return (rows > columns ? vectors[column]?.[row] : vectors[row]?.[column]) as number
  })
}

/**
 * The numbers of one weight.
 * @param shape [outputs, inputs] or, of convolutions, [outputs, inputs, window]: PyTorch's order
 * @param units of `hiddenUniform`. Default: the inputs
 */
export function initialWeight(name: InitializerName, shape: Shape, generator: Generator, units?: number): Float32Array {
  const length = lengthOf(shape)
  const { fanIn, fanOut } = fansOf(shape)
  const uniform = (bound: number): Float32Array => Float32Array.from({ length }, () => generator.uniform(-bound, bound))
  const cut = (deviation: number): Float32Array => Float32Array.from({ length }, () => deviation * cutNormal(generator))
  switch (name) {
    case 'zeros': return new Float32Array(length)
    case 'ones': return new Float32Array(length).fill(1)
    case 'glorotUniform': return uniform(scaleOf(2 / (fanIn + fanOut), true))
    case 'glorotNormal': return cut(scaleOf(2 / (fanIn + fanOut), false))
    case 'heUniform': return uniform(scaleOf(2 / fanIn, true))
    case 'heNormal': return cut(scaleOf(2 / fanIn, false))
    case 'lecunUniform': return uniform(scaleOf(1 / fanIn, true))
    case 'lecunNormal': return cut(scaleOf(1 / fanIn, false))
    case 'orthogonal': return orthogonal(generator, shape[0] as number, length / (shape[0] as number))
    case 'randomUniform': return uniform(0.05)
    case 'randomNormal': return Float32Array.from({ length }, () => 0.05 * generator.normal())
    case 'normal': return Float32Array.from({ length }, () => generator.normal())
    case 'fanInUniform': return uniform(1 / Math.sqrt(fanIn))
    case 'hiddenUniform': return uniform(1 / Math.sqrt(units ?? fanIn))
  }
}

/** What of a layer a weight is. */
type Part = 'kernel' | 'recurrent' | 'bias' | 'embedding' | 'ones' | 'zeros'

function partOf({ kind, role }: WeightSpec): Part {
  if (/^(batch|layer)_?norm/i.test(kind)) return /weight|var/i.test(role) ? 'ones' : 'zeros'
  if (kind === 'embedding') return 'embedding'
  if (role.includes('normGain')) return 'ones'
  if (/normShift|peepholes/.test(role)) return 'zeros'
  if (role.includes('recurrentWeights')) return 'recurrent'
  return /bias/i.test(role) ? 'bias' : 'kernel'
}

/** Weights and their gradients have to fit into the 4 GiB that a binary can address. */
const MOST_WEIGHTS = 2 ** 29
/** What a seed may be. */
export const SEED: Kind = count(-(2 ** 31), 2 ** 31 - 1)
const UNITS: Kind = count(1)
const SPEC: Kind = having('', 'name', 'kind', 'shape', 'role')
const SPECS: Kind = {
  expected: 'a list of weights { name, kind, shape, role, units }',
  test: (value) => Array.isArray(value) && Array.from(value as WeightSpec[]).every((spec) => (
    SPEC.test(spec) && [spec.name, spec.kind, spec.role].every(TEXT.test) && (spec.units === undefined || UNITS.test(spec.units))
  )),
}

/**
 * First numbers for weights, under their names: what `loadStateDict` takes. The same seed gives the same numbers, and each weight's follow from its place in
 * the list alone.
 * @param specs `Sequential.weightSpecs()`
 * @throws LstmError `VALUE` for names that are none, `MEMORY` for more weights than can be trained
 */
export function initialStateDict(specs: readonly WeightSpec[], initializers: Initializers = {}, seed: number = 0): Map<string, NdArray<'float32'>> {
  checkKind(specs, SPECS, 'initialStateDict')
  checkKind(seed, SEED, 'initialStateDict', 'seed')
  const total = specs.reduce((sum, { name, shape }) => sum + lengthOf(checkShape(shape, `initialStateDict: '${name}'`)), 0)
  if (total > MOST_WEIGHTS) throw new LstmError('MEMORY', `initialStateDict: ${total} weights, which with their gradients are more than memory can hold`)
  const { like = 'keras', ...given } = readOptions(initializers, OPTIONS, 'initializers')
  const chosen = { ...DEFAULTS[like], ...given }
  const named = (part: 'kernel' | 'recurrent' | 'bias' | 'embedding'): InitializerName => nameOf(chosen[part] as string, part)
  /** Of a layer, which its bias goes by in PyTorch. */
  const fans: Map<string, number> = new Map()
  return new Map(specs.map((spec, n) => {
    const { name, shape, role, units } = spec
    const generator = new Generator(seed, STREAMS.weights, n)
    const part = partOf(spec)
    const layer = name.slice(0, name.lastIndexOf('.') + 1)
    if (part === 'kernel') fans.set(layer, fansOf(shape).fanIn)
    // PyTorch's recurrent layers have one rule for all; a bias is as wide as the layer's weights.
    const isPlain = like === 'pytorch' && units !== undefined && given[part as 'kernel'] === undefined && part !== 'ones' && part !== 'zeros'
    const own = part === 'ones' || part === 'zeros' ? part : isPlain ? 'hiddenUniform' : named(part)
    const wide = part === 'bias' && (own === 'fanInUniform') ? initialWeight('hiddenUniform', shape, generator, fans.get(layer)) : undefined
    const data = wide ?? initialWeight(own, shape, generator, units)
    if (part === 'bias' && chosen.unitForgetBias && /^lstm/i.test(spec.kind) && role.includes('inputBias') && units !== undefined) data.fill(1, units, 2 * units)
    return [name, new NdArray<'float32'>(data, shape)]
  }))
}
