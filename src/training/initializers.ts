// First weights by the names and definitions of Keras and PyTorch: a chunk that is loaded where they are named.
import { LstmError } from '../errors.ts'
import { checkKind, count, FLAG, having, nearest, readOptions, TEXT, type Kind, type OptionTable } from '../options.ts'
import { describeValue } from '../values/dtype.ts'
import type { NdArray } from '../values/ndarray.ts'
import { checkShape, lengthOf, type Shape } from '../values/shape.ts'
import { fansOf, firstWeights, orthogonal, SEED, uniform, type WeightSpec } from './first-weights.ts'
import type { Generator } from './generator.ts'

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

/**
 * The numbers of one weight.
 * @param shape [outputs, inputs] or, of convolutions, [outputs, inputs, window]: PyTorch's order
 * @param units of `hiddenUniform`. Default: the inputs
 */
export function initialWeight(name: InitializerName, shape: Shape, generator: Generator, units?: number): Float32Array {
  const length = lengthOf(shape)
  const { fanIn, fanOut } = fansOf(shape)
  const within = (bound: number): Float32Array => uniform(generator, length, bound)
  const cut = (deviation: number): Float32Array => Float32Array.from({ length }, () => deviation * cutNormal(generator))
  switch (name) {
    case 'zeros': return new Float32Array(length)
    case 'ones': return new Float32Array(length).fill(1)
    case 'glorotUniform': return within(scaleOf(2 / (fanIn + fanOut), true))
    case 'glorotNormal': return cut(scaleOf(2 / (fanIn + fanOut), false))
    case 'heUniform': return within(scaleOf(2 / fanIn, true))
    case 'heNormal': return cut(scaleOf(2 / fanIn, false))
    case 'lecunUniform': return within(scaleOf(1 / fanIn, true))
    case 'lecunNormal': return cut(scaleOf(1 / fanIn, false))
    case 'orthogonal': return orthogonal(generator, shape[0] as number, length / (shape[0] as number))
    case 'randomUniform': return within(0.05)
    case 'randomNormal': return Float32Array.from({ length }, () => 0.05 * generator.normal())
    case 'normal': return Float32Array.from({ length }, () => generator.normal())
    case 'fanInUniform': return within(1 / Math.sqrt(fanIn))
    case 'hiddenUniform': return within(1 / Math.sqrt(units ?? fanIn))
  }
}

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
  for (const { name, shape } of specs) checkShape(shape, `initialStateDict: '${name}'`)
  const { like = 'keras', ...given } = readOptions(initializers, OPTIONS, 'initializers')
  const { unitForgetBias, ...chosen } = { ...DEFAULTS[like], ...given }
  /** Of a layer, which its bias goes by in PyTorch. */
  const fans: Map<string, number> = new Map()
  return firstWeights(specs, seed, unitForgetBias, ({ name, shape, units }, part, generator) => {
    const layer = name.slice(0, name.lastIndexOf('.') + 1)
    if (part === 'kernel') fans.set(layer, fansOf(shape).fanIn)
    if (part === 'ones' || part === 'zeros') return initialWeight(part, shape, generator)
    // PyTorch's recurrent layers have one rule for all; a bias is as wide as the layer's weights.
    const isPlain = like === 'pytorch' && units !== undefined && given[part] === undefined
    const own = isPlain ? 'hiddenUniform' : nameOf(chosen[part] as string, part)
    if (part === 'bias' && own === 'fanInUniform') return initialWeight('hiddenUniform', shape, generator, fans.get(layer))
    return initialWeight(own, shape, generator, units)
  })
}
