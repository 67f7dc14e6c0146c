// Where a layer finds its trained tensors. Keras 3 (.keras, .weights.h5) files them by place in the model:
//   layers/bidirectional/forward_layer/cell/vars/0, with counted class names instead of the layers' own.
// Keras 2 (.h5) and TensorFlow.js list them by name: bidirectional/forward_lstm/lstm_cell/kernel:0.
import type { NdArray } from '../../values/ndarray.ts'
import type { Hdf5Object } from './hdf5.ts'
import { malformed } from './settings.ts'

/** A layer as far as its weights are concerned. */
export interface WeightOwner {
  readonly className: string
  readonly name: string
}

/** The trained tensors of one layer. A layer that is called twice asks twice, and gets the same ones. */
export interface LayerWeights {
  /**
   * The layer's own tensors.
   * @param names as Keras calls them, in its order
   * @throws LstmError `FORMAT` listing those that are not there
   */
  take(names: readonly string[], what: string): NdArray[]
  /** Tensors that only files with names have; undefined where they are not all there. */
  takeNamed(names: readonly string[]): NdArray[] | undefined
  /** Tensors of a layer inside this one: its `cell`, its `forward_layer`. */
  child(attribute: string): LayerWeights
  /** Tensors of all layers in a list that belongs to this one: a model's `layers`, stacked `cells`. */
  children(attribute: string, owners: readonly WeightOwner[]): LayerWeights[]
}

/** Remembers what was asked for. */
abstract class Remembering implements LayerWeights {
  readonly #taken: Map<string, NdArray[]> = new Map()
  readonly #children: Map<string, LayerWeights> = new Map()
  readonly #lists: Map<string, LayerWeights[]> = new Map()

  take(names: readonly string[], what: string): NdArray[] {
    return remember(this.#taken, names.join(), () => this.find(names, what))
  }

  child(attribute: string): LayerWeights {
    return remember(this.#children, attribute, () => this.findChild(attribute))
  }

  children(attribute: string, owners: readonly WeightOwner[]): LayerWeights[] {
    return remember(this.#lists, attribute, () => this.findChildren(attribute, owners))
  }

  takeNamed(names: readonly string[]): NdArray[] | undefined {
    return this.hasNamed(names) || this.#taken.has(names.join()) ? this.take(names, 'a layer') : undefined
  }

  protected abstract hasNamed(names: readonly string[]): boolean
  protected abstract find(names: readonly string[], what: string): NdArray[]
  protected abstract findChild(attribute: string): LayerWeights
  protected abstract findChildren(attribute: string, owners: readonly WeightOwner[]): LayerWeights[]
}

function remember<T>(known: Map<string, T>, key: string, find: () => T): T {
  const found = known.get(key) ?? find()
  known.set(key, found)
  return found
}

/** Levels of places in one name: Keras makes a few. */
const MAX_LEVELS = 64

/** A group or dataset by its place in the model. */
type Place = Pick<Hdf5Object, 'read'> & { find(path: string): Place | undefined }

/** Keras 2.13 to 2.15 on Windows: all groups of a place but `vars` are one name, `layers\\lstm\\cell`. */
class WindowsPlace implements Place {
  readonly #root: Hdf5Object
  /** All names, and those of the places above them. */
  readonly #places: ReadonlySet<string>
  readonly #path: string

  constructor(root: Hdf5Object, places: ReadonlySet<string>, path: string = '') {
    this.#root = root
    this.#places = places
    this.#path = path
  }

  find(path: string): Place | undefined {
    if (path.startsWith('vars/')) return this.#root.member(this.#path)?.find(path)
    const whole = [this.#path, ...path.split('/')].filter((part) => part !== '').join('\\')
    return this.#places.has(whole) ? new WindowsPlace(this.#root, this.#places, whole) : undefined
  }

  read(): never {
    throw malformed(`expected '${this.#path}' to be a dataset, got a group`)
  }
}

/** The place of a whole model. */
export function placeOf(root: Hdf5Object): Place {
  const names = root.names.map((name) => name.split('\\')).filter((parts) => parts.length <= MAX_LEVELS)
  if (names.every((parts) => parts.length === 1)) return root
  return new WindowsPlace(root, new Set(names.flatMap((parts) => parts.map((_, index) => parts.slice(0, index + 1).join('\\')))))
}

/** Keras 3: a layer's tensors are `vars/0`, `vars/1`, ... in the group of its place. */
export class PlacedWeights extends Remembering {
  readonly #group: Place | undefined

  constructor(group: Place | undefined) {
    super()
    this.#group = group
  }

  protected hasNamed(): boolean {
    return false
  }

  protected find(names: readonly string[], what: string): NdArray[] {
    const variables = names.map((_, index) => this.#group?.find(`vars/${index}`))
    const missing = names.filter((_, index) => variables[index] === undefined)
    if (missing.length > 0) throw malformed(`${what}: the file has no weights for its ${missing.join(', ')}`)
    return variables.map((variable) => (variable as Place).read())
  }

  protected findChild(attribute: string): LayerWeights {
    return new PlacedWeights(this.#group?.find(attribute))
  }

  protected findChildren(attribute: string, owners: readonly WeightOwner[]): LayerWeights[] {
    // Keras 2 in its own .keras files calls the list of layers differently in some versions.
    const list = this.#group?.find(attribute) ?? this.#group?.find('_layer_checkpoint_dependencies')
    const counts: Map<string, number> = new Map()
    return owners.map(({ className }) => {
      const base = snakeCase(className)
      const count = counts.get(base) ?? 0
      counts.set(base, count + 1)
      return new PlacedWeights(list?.find(count === 0 ? base : `${base}_${count}`))
    })
  }
}

/** Keras's own rule: `LSTMCell` is `lstm_cell`, `Conv1D` is `conv1d`. */
export function snakeCase(className: string): string {
  return className.replace(/\W+/g, '').replace(/(.)([A-Z][a-z]+)/g, '$1_$2').replace(/([a-z])([A-Z])/g, '$1_$2').toLowerCase()
}

/** A tensor by name, read when it is asked for. */
export interface NamedTensor {
  /** The parts of its name between slashes, `:0` left out. */
  readonly segments: readonly string[]
  read(): NdArray
}

export function segmentsOf(name: string): string[] {
  return name.replace(/:\d+$/, '').split('/').filter((segment) => segment !== '')
}

interface Queue {
  readonly tensors: readonly NamedTensor[]
  next: number
}

/** Tensors by each of their keys, in their order. */
function grouped(tensors: readonly NamedTensor[], keysOf: (tensor: NamedTensor) => readonly string[]): Map<string, NamedTensor[]> {
  const groups: Map<string, NamedTensor[]> = new Map()
  for (const tensor of tensors) {
    for (const key of new Set(keysOf(tensor))) {
      const known = groups.get(key)
      if (known === undefined) groups.set(key, [tensor])
      else known.push(tensor)
    }
  }
  return groups
}

/**
 * Keras 2 and TensorFlow.js: a list of named tensors, from which a layer takes the next one whose name ends as it
 * wants. The lists are in the order of the layers; trained and fixed ones may be apart, which names do not mind.
 */
export class NamedWeights extends Remembering {
  readonly #tensors: readonly NamedTensor[]
  readonly #used: Set<NamedTensor>
  /** Tensors by the last part of their name, those that were used in front left out. */
  #byName: Map<string, Queue> | undefined
  /** Tensors by the other parts. */
  #byOwner: Map<string, NamedTensor[]> | undefined

  constructor(tensors: readonly NamedTensor[], used: Set<NamedTensor> = new Set()) {
    super()
    this.#tensors = tensors
    this.#used = used
  }

  protected find(names: readonly string[], what: string): NdArray[] {
    const found = names.map((name) => {
      const queue = this.#queueOf(name)
      while (queue !== undefined && this.#used.has(queue.tensors[queue.next] as NamedTensor)) queue.next++
      const tensor = queue?.tensors[queue.next]
      if (tensor !== undefined) this.#used.add(tensor)
      return tensor
    })
    const missing = names.filter((_, index) => found[index] === undefined)
    if (missing.length > 0) throw malformed(`${what}: the file has no weights for its ${missing.join(', ')}`)
    return found.map((tensor) => (tensor as NamedTensor).read())
  }

  protected hasNamed(names: readonly string[]): boolean {
    return names.every((name) => this.#tensors.some((tensor) => !this.#used.has(tensor) && tensor.segments.at(-1) === name))
  }

  protected findChild(): LayerWeights {
    return new NamedWeights(this.#tensors, this.#used)
  }

  protected findChildren(_attribute: string, owners: readonly WeightOwner[]): LayerWeights[] {
    return owners.map(({ name }) => {
      this.#byOwner ??= grouped(this.#tensors, ({ segments }) => segments.slice(0, -1))
      return new NamedWeights(this.#byOwner.get(name) ?? this.#tensors, this.#used)
    })
  }

  #queueOf(name: string): Queue | undefined {
    this.#byName ??= new Map([...grouped(this.#tensors, ({ segments }) => segments.slice(-1))].map(([last, tensors]) => [last, { tensors, next: 0 }]))
    return this.#byName.get(name)
  }
}
