// A functional model of Keras 3 on its way: layers, what each takes, and where their weights go.
import type { DType } from '../../values/dtype.ts'
import type { ArrayLike } from '../../values/ndarray.ts'
import type { SymbolicShape } from '../../values/shape.ts'
import type { Hdf5Group } from '../hdf5/writer.ts'

/** A tensor of the model: an output of a layer. */
export interface KerasTensor {
  readonly layer: string
  /** Which of the layer's outputs. */
  readonly index: number
  readonly dtype: DType | 'bool'
  readonly shape: SymbolicShape
  /** The mask that Keras attaches to it; none: it has none. */
  readonly mask?: AttachedMask | undefined
}

/** A mask that goes with a tensor from layer to layer, without being written anywhere. */
export interface AttachedMask {
  /** See `Masks.keyOf`. */
  readonly key: string
  /** Whether all versions of Keras 3 attach it: where a mask was an argument, some do not. */
  readonly isSure: boolean
}

/** A layer. Weights are in groups: `vars` for its own, `cell/vars` and others for those inside. */
export interface KerasLayer {
  readonly className: string
  readonly name: string
  readonly config: Readonly<Record<string, unknown>>
  readonly inputs: readonly KerasTensor[]
  /** First states of a recurrent layer; none for zeros. */
  readonly initialState: readonly KerasTensor[]
  /** The mask of a recurrent layer, where it is an argument. */
  readonly mask?: KerasTensor | undefined
  /** Of a function of keras.ops: its module, and its arguments with `undefined` for each of the inputs. */
  readonly operation?: KerasOperation | undefined
  /** Whether the inputs are one argument, a list: of layers that merge. */
  readonly takesList: boolean
  readonly weights: Readonly<Record<string, readonly ArrayLike[]>>
}

/** All of an axis. */
export const WHOLE = { class_name: '__slice__', config: { start: null, stop: null, step: null } }

/** A function of keras.ops that is called like a layer. */
export interface KerasOperation {
  readonly module: 'core' | 'math' | 'nn' | 'numpy'
  readonly args: readonly unknown[]
}

/** A dimension as Keras has it: null is any. */
const sizesOf = (shape: SymbolicShape): (number | null)[] => shape.map((size, axis) => (axis === 0 || typeof size === 'string' ? null : size))

const history = ({ layer, index, dtype, shape }: KerasTensor): object => (
  { class_name: '__keras_tensor__', config: { shape: sizesOf(shape), dtype, keras_history: [layer, 0, index] } }
)

/** A layer as `from_config` takes it. */
export function serialized(className: string, name: string, config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { module: 'keras.layers', class_name: className, config: { name, trainable: true, dtype: 'float32', ...config }, registered_name: null }
}

/** The configuration of a layer that is an input. */
export function inputLayer(name: string, dtype: string, shape: SymbolicShape): KerasLayer {
  return { className: 'InputLayer', name, config: { batch_shape: sizesOf(shape), dtype, sparse: false, ragged: false }, inputs: [], initialState: [], takesList: false, weights: {} }
}

/** The whole of config.json. */
export function modelConfig(layers: readonly KerasLayer[], inputs: readonly string[], outputs: readonly KerasTensor[]): Record<string, unknown> {
  const ends = (list: readonly (readonly [string, number, number])[]): unknown => (list.length === 1 ? list[0] : list)
  return {
    module: 'keras.src.models.functional', class_name: 'Functional', registered_name: 'Functional', build_config: { input_shape: null }, compile_config: null,
    config: {
      name: 'functional', trainable: true,
      layers: layers.map((layer) => {
        const { className, name, config, initialState, mask, operation } = layer
        const kwargs = { ...initialState.length > 0 && { initial_state: initialState.map(history) }, ...mask !== undefined && { mask: history(mask) } }
        const module = className === 'InputLayer' ? 'keras.layers' : operation === undefined ? undefined : `keras.src.ops.${operation.module}`
        const registered = operation === undefined ? null : className
        const own = { module, class_name: className, config: { ...config, name }, registered_name: registered }
        const whole = module === undefined ? serialized(className, name, config) : own
        return { ...whole, name, inbound_nodes: layer.inputs.length === 0 ? [] : [{ args: argumentsOf(layer), kwargs }] }
      }),
      input_layers: ends(inputs.map((name) => [name, 0, 0] as const)),
      output_layers: ends(outputs.map(({ layer, index }) => [layer, 0, index] as const)),
    },
  }
}

/** What a layer is called with. */
function argumentsOf({ inputs, takesList, operation }: KerasLayer): unknown[] {
  const tensors = inputs.map(history)
  if (operation === undefined) return takesList ? [tensors] : tensors
  return takesList ? [tensors, ...operation.args] : operation.args.map((given) => (given === undefined ? tensors.shift() : given))
}

/** `LSTM` -> `lstm`, `Conv1D` -> `conv1d`: as keras.src.utils.naming.to_snake_case. */
function snakeCase(name: string): string {
  return name.replace(/\W+/g, '').replace(/(.)([A-Z][a-z]+)/g, '$1_$2').replace(/([a-z])([A-Z])/g, '$1_$2').toLowerCase()
}

const takenBy = ({ inputs, initialState, mask }: KerasLayer): readonly KerasTensor[] => [...inputs, ...initialState, ...mask === undefined ? [] : [mask]]

/**
 * Layers in the order in which Keras lists those of a model: the farther from the outputs the earlier, then as they are met on the way from the outputs
 * (keras.src.ops.function.map_graph). Weights are found by it, and files of Keras list layers so. What no output needs is left out, but for inputs.
 */
export function inKerasOrder(layers: readonly KerasLayer[], outputs: readonly KerasTensor[]): KerasLayer[] {
  const byName = new Map(layers.map((layer) => [layer.name, layer]))
  const met: Map<string, number> = new Map()
  const visit = (name: string): void => {
    if (met.has(name)) return
    met.set(name, met.size)
    for (const { layer } of takenBy(byName.get(name) as KerasLayer)) visit(layer)
  }
  for (const { layer } of outputs) visit(layer)
  const needed = layers.filter(({ name, className }) => met.has(name) || className === 'InputLayer')
  // Layers stand after those they take from: from the last one on, each knows how far it is when it is reached.
  const depths: Map<string, number> = new Map()
  for (const own of [...needed].reverse()) {
    const depth = depths.get(own.name) ?? 0
    depths.set(own.name, depth)
    for (const { layer } of takenBy(own)) depths.set(layer, Math.max(depth + 1, depths.get(layer) ?? 0))
  }
  const place = (name: string): number => met.get(name) ?? -1
  return needed.sort((a, b) => (depths.get(b.name) as number) - (depths.get(a.name) as number) || place(a.name) - place(b.name))
}

/** The groups of model.weights.h5, of layers in Keras's order. */
export function weightGroups(layers: readonly KerasLayer[]): Hdf5Group {
  const counts: Map<string, number> = new Map()
  const groups: Record<string, Hdf5Group> = {}
  for (const { className, weights, operation } of layers) {
    if (operation !== undefined) continue
    const stem = snakeCase(className)
    const count = counts.get(stem) ?? 0
    counts.set(stem, count + 1)
    groups[count === 0 ? stem : `${stem}_${count}`] = { vars: {}, ...nested(weights) }
  }
  return { layers: groups, vars: {} }
}

interface Mutable { [name: string]: Mutable | ArrayLike }

/** `cell/vars` -> groups in each other. */
function nested(weights: KerasLayer['weights']): Hdf5Group {
  const root: Mutable = {}
  for (const [path, arrays] of Object.entries(weights)) {
    let group = root
    for (const part of path.split('/')) group = (group[part] ??= {}) as Mutable
    arrays.forEach((array, n) => (group[String(n)] = array))
  }
  return root
}
