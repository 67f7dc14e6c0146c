// First weights as Keras has them: of layers without weights, unless initialisers are named (initializers.ts).
import { LstmError } from '../errors.ts'
import { count, type Kind } from '../options.ts'
import { NdArray } from '../values/ndarray.ts'
import { lengthOf, type Shape } from '../values/shape.ts'
import { Generator, STREAMS } from './generator.ts'

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

/** Inputs and outputs that a weight [outputs, inputs, window] joins. */
export function fansOf(shape: Shape): { readonly fanIn: number, readonly fanOut: number } {
  const [outputs = 1, inputs = outputs] = shape
  const window = lengthOf(shape.slice(2))
  return { fanIn: inputs * window, fanOut: outputs * window }
}

/** In [-bound, bound). */
export function uniform(generator: Generator, length: number, bound: number): Float32Array {
  return Float32Array.from({ length }, () => generator.uniform(-bound, bound))
}

/** A matrix with orthonormal columns, or rows where there are fewer: Gram and Schmidt's way, twice over, in float64. */
export function orthogonal(generator: Generator, rows: number, columns: number): Float32Array {
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

/** What of a layer a weight is. */
export type Part = 'kernel' | 'recurrent' | 'bias' | 'embedding' | 'ones' | 'zeros'

function partOf({ kind, role }: WeightSpec): Part {
  if (/^(batch|layer)_?norm/i.test(kind)) return /weight|var/i.test(role) ? 'ones' : 'zeros'
  if (kind === 'embedding') return 'embedding'
  if (role.includes('normGain')) return 'ones'
  if (/normShift|peepholes/.test(role)) return 'zeros'
  if (role.includes('recurrentWeights')) return 'recurrent'
  return /bias/i.test(role) ? 'bias' : 'kernel'
}

/** Glorot's uniform numbers for weights from inputs, orthogonal ones for those from states. */
export function keras({ shape }: WeightSpec, part: Part, generator: Generator): Float32Array {
  const length = lengthOf(shape)
  const { fanIn, fanOut } = fansOf(shape)
  switch (part) {
    case 'kernel': return uniform(generator, length, Math.sqrt(3 * (2 / (fanIn + fanOut))))
    case 'recurrent': return orthogonal(generator, shape[0] as number, length / (shape[0] as number))
    case 'embedding': return uniform(generator, length, 0.05)
    case 'ones': return new Float32Array(length).fill(1)
    default: return new Float32Array(length)
  }
}

/** What a seed may be. */
export const SEED: Kind = count(-(2 ** 31), 2 ** 31 - 1)
/** Weights and their gradients have to fit into the 4 GiB that a binary can address. */
const MOST_WEIGHTS = 2 ** 29

/**
 * First numbers for weights, under their names. Each weight's follow from the seed and its place in the list.
 * @param unitForgetBias whether the forget gate of an LSTM has a bias of 1
 * @param make what makes those of one weight. Default: as Keras
 * @throws LstmError `MEMORY` for more weights than can be trained
 */
export function firstWeights(
  specs: readonly WeightSpec[], seed: number, unitForgetBias: boolean = true, make: typeof keras = keras,
): Map<string, NdArray<'float32'>> {
  const total = specs.reduce((sum, { shape }) => sum + lengthOf(shape), 0)
  if (total > MOST_WEIGHTS) throw new LstmError('MEMORY', `initialStateDict: ${total} weights, which with their gradients are more than memory can hold`)
  return new Map(specs.map((spec, n) => {
    const { name, kind, shape, role, units } = spec
    const part = partOf(spec)
    const data = make(spec, part, new Generator(seed, STREAMS.weights, n))
    if (part === 'bias' && unitForgetBias && /^lstm/i.test(kind) && role.includes('inputBias') && units !== undefined) data.fill(1, units, 2 * units)
    return [name, new NdArray<'float32'>(data, shape)]
  }))
}
