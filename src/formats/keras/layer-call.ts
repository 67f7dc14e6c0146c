import { LstmError } from '../../errors.ts'
import type { FamilyName } from '../../ops/families.ts'
import type { Dialect } from './dialect.ts'
import type { Argument, LayerSpec } from './config.ts'
import type { Emitter } from './emitter.ts'
import { type Json } from '../json.ts'
import { malformed } from './settings.ts'
import type { LayerWeights } from './weights.ts'

/** A value of the model, and which of its timesteps are valid: uint8 [batch, timesteps]. */
export interface KerasTensor {
  readonly value: string
  readonly mask: string | undefined
}

/** Beyond every end: what a slice to the end stops at. */
export const END: number = 2 ** 31 - 1

/** A layer that is called: what it is given, and where its nodes go. */
export interface LayerCall {
  readonly layer: LayerSpec
  /** Its name, after those of the models around it. */
  readonly path: string
  /** Tensors among its positional arguments, lists flattened. */
  readonly inputs: readonly KerasTensor[]
  /** Arguments in their order, tensors filled in. */
  readonly args: readonly BoundArgument[]
  readonly kwargs: ReadonlyMap<string, BoundArgument>
  readonly weights: LayerWeights
  readonly dialect: Dialect
  readonly emit: Emitter
  /** Calls a layer inside this one. */
  readonly apply: (call: LayerCall) => readonly KerasTensor[]
}

export type BoundArgument = { readonly tensor: KerasTensor } | { readonly list: readonly BoundArgument[] } | { readonly json: Json }

export function bindArgument(argument: Argument, find: (ref: { layer: string, node: number, tensor: number }) => KerasTensor): BoundArgument {
  if ('json' in argument) return argument
  return 'ref' in argument ? { tensor: find(argument.ref) } : { list: argument.list.map((inner) => bindArgument(inner, find)) }
}

export function tensorsOf(argument: BoundArgument | undefined): KerasTensor[] {
  if (argument === undefined || 'json' in argument) return []
  return 'tensor' in argument ? [argument.tensor] : argument.list.flatMap(tensorsOf)
}

/** Makes the nodes of a layer, returns its outputs. */
export type LayerBuilder = (call: LayerCall) => readonly KerasTensor[]

/** A kind of layer. */
export interface LayerKind {
  readonly build: LayerBuilder
  /** Families of operators that it takes besides the common ones. Default: none. */
  readonly families?: (layer: LayerSpec) => readonly FamilyName[]
  /** What of the layer's settings cannot be run, as words for the list of everything that cannot. */
  readonly unsupported?: (layer: LayerSpec, dialect: Dialect, inspect: (inner: LayerSpec) => readonly string[]) => readonly string[]
}

/** The only tensor a layer is given. */
export function onlyInput({ layer, inputs }: LayerCall): KerasTensor {
  const [input] = inputs
  if (input === undefined || inputs.length > 1) throw malformed(`${layer.settings.what}: expected one input, got ${inputs.length}`)
  return input
}

/** Two tensors or more. */
export function severalInputs({ layer, inputs }: LayerCall): readonly [KerasTensor, ...KerasTensor[]] {
  const [first, ...more] = inputs
  if (first === undefined) throw malformed(`${layer.settings.what}: expected inputs, got none`)
  return [first, ...more]
}

export function notSupported(what: string): LstmError {
  return new LstmError('UNSUPPORTED', `Keras: not supported: ${what}`)
}

/** Words for an error thrown by reading a setting, none where it can be read. */
export function wordsOf(read: () => unknown): string[] {
  try {
    read()
    return []
  } catch (error) {
    if (error instanceof LstmError && error.code === 'UNSUPPORTED') return [error.message]
    throw error
  }
}
