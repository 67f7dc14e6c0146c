// Where a layer finds its trained tensors. Keras 3 files them by place in the model: see placed-weights.ts.
// Keras 2 (.h5) and TensorFlow.js list them by name: bidirectional/forward_lstm/lstm_cell/kernel:0.
import type { NdArray } from '../../values/ndarray.ts'
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
  /** The layer is not run: its tensors may stay unread. To be called after all others were taken. */
  pass(): void
  /** Names of the tensors of the file that nothing has read, those left out that training alone needs. */
  unread(): string[]
}

/** Tensors that training alone needs, and states of random numbers and of stateful layers. */
const IN_TRAINING = /^(renorm_|seed_generator|rnn_state)/

/** Remembers what was asked for. */
export abstract class Remembering implements LayerWeights {
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

  abstract pass(): void
  abstract unread(): string[]
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

  pass(): void {
    for (const tensor of this.#tensors) this.#used.add(tensor)
  }

  unread(): string[] {
    return this.#tensors.filter((tensor) => !this.#used.has(tensor) && !tensor.segments.some((segment) => IN_TRAINING.test(segment)))
      .map(({ segments }) => segments.join('/'))
  }

  #queueOf(name: string): Queue | undefined {
    this.#byName ??= new Map([...grouped(this.#tensors, ({ segments }) => segments.slice(-1))].map(([last, tensors]) => [last, { tensors, next: 0 }]))
    return this.#byName.get(name)
  }
}
