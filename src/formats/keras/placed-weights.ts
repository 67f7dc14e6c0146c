// Where files of Keras 3 (.keras, .weights.h5) have a layer's tensors: by place in the model, with counted class names instead of
// the layers' own, layers/bidirectional/forward_layer/cell/vars/0.
import type { NdArray } from '../../values/ndarray.ts'
import type { Hdf5Object } from '../hdf5/hdf5.ts'
import { malformed } from './settings.ts'
import { Remembering, type LayerWeights, type WeightOwner } from './weights.ts'

/** Groups of a model with its layers, by the version of Keras; others at the top are the optimizer's and the metrics'. */
const LISTS = ['layers', '_layer_checkpoint_dependencies']

/** Levels of places in one name: Keras makes a few. */
const MAX_LEVELS = 64

/** A group or dataset by its place in the model. */
type Place = Hdf5Object | WindowsPlace

/** Keras 2.13 to 2.15 on Windows: all groups of a place but `vars` are one name, `layers\\lstm\\cell`. */
class WindowsPlace {
  readonly #root: Hdf5Object
  /** All names, and those of the places above them. */
  readonly #places: ReadonlySet<string>
  /** The names above it and its own. */
  readonly path: string

  constructor(root: Hdf5Object, places: ReadonlySet<string>, path: string = '') {
    this.#root = root
    this.#places = places
    this.path = path
  }

  find(path: string): Place | undefined {
    if (path.startsWith('vars/')) return this.#root.member(this.path)?.find(path)
    const whole = [this.path, ...path.split('/')].filter((part) => part !== '').join('\\')
    return this.#places.has(whole) ? new WindowsPlace(this.#root, this.#places, whole) : undefined
  }

  read(): never {
    throw malformed(`expected '${this.path}' to be a dataset, got a group`)
  }
}

/** The place of a whole model. */
function placeOf(root: Hdf5Object): Place {
  const names = root.names.map((name) => name.split('\\')).filter((parts) => parts.length <= MAX_LEVELS)
  if (names.every((parts) => parts.length === 1)) return root
  return new WindowsPlace(root, new Set(names.flatMap((parts) => parts.map((_, index) => parts.slice(0, index + 1).join('\\')))))
}

/** Of a layer or model, what training alone needs. */
const NOT_READ = /^(seed_generator|optimizer|.*metrics)/
/** Groups inside each other: Keras makes a few. */
const MAX_DEPTH = 64

/** A file, and what was read of it. */
class PlacedFile {
  readonly #root: Hdf5Object
  /** Tensors that were read and groups that are passed over, by address: two names may mean one object. */
  readonly #seen: Set<number> = new Set()
  /** Names of groups that are passed over, as Windows writes them. */
  readonly #passed: Set<string> = new Set()

  constructor(root: Hdf5Object) {
    this.#root = root
  }

  /** @param place what is dealt with */
  see(place: Place | undefined): void {
    if (place instanceof WindowsPlace) this.#passed.add(place.path)
    else if (place !== undefined) this.#seen.add(place.address)
  }

  /** Datasets that nobody has seen. */
  unseen(): string[] {
    const found: string[] = []
    const seen = new Set(this.#seen)
    const visit = (object: Hdf5Object, depth: number): void => {
      if (seen.has(object.address)) return
      seen.add(object.address)
      if (depth > MAX_DEPTH) throw malformed(`expected at most ${MAX_DEPTH} groups inside each other, got '${object.path}'`)
      if (!object.isGroup) found.push(object.path.replaceAll('\\', '/'))
      for (const name of object.names) {
        const parts = name.split('\\', MAX_LEVELS)
        // Besides its cell, a layer that walks over time may have states.
        const isState = name === 'vars' && object.names.includes('cell')
        const isOther = depth === 0 && (!LISTS.includes(parts[0] as string) || parts.some((_, index) => this.#passed.has(parts.slice(0, index + 1).join('\\'))))
        const member = isState || isOther || parts.some((part) => NOT_READ.test(part)) ? undefined : object.member(name)
        if (member !== undefined) visit(member, depth + 1)
      }
    }
    visit(this.#root, 0)
    return found
  }
}

/** Keras 3: a layer's tensors are `vars/0`, `vars/1`, ... in the group of its place. */
class PlacedWeights extends Remembering {
  readonly #file: PlacedFile
  readonly #group: Place | undefined

  constructor(file: PlacedFile, group: Place | undefined) {
    super()
    this.#file = file
    this.#group = group
  }

  pass(): void {
    this.#file.see(this.#group)
  }

  unread(): string[] {
    return this.#file.unseen()
  }

  protected hasNamed(): boolean {
    return false
  }

  protected find(names: readonly string[], what: string): NdArray[] {
    const variables = names.map((_, index) => this.#group?.find(`vars/${index}`))
    const missing = names.filter((_, index) => variables[index] === undefined)
    if (missing.length > 0) throw malformed(`${what}: the file has no weights for its ${missing.join(', ')}`)
    return variables.map((variable) => {
      this.#file.see(variable)
      return (variable as Place).read()
    })
  }

  protected findChild(attribute: string): LayerWeights {
    // Keras 2 has private attributes under their own names, Keras 3 without the underscore.
    return new PlacedWeights(this.#file, this.#group?.find(attribute) ?? this.#group?.find(`_${attribute}`))
  }

  protected findChildren(attribute: string, owners: readonly WeightOwner[]): LayerWeights[] {
    // Keras 2 in its own .keras files calls the list of layers differently in some versions.
    const list = this.#group?.find(attribute) ?? this.#group?.find('_layer_checkpoint_dependencies')
    const counts: Map<string, number> = new Map()
    return owners.map(({ className }) => {
      const base = snakeCase(className)
      const count = counts.get(base) ?? 0
      counts.set(base, count + 1)
      return new PlacedWeights(this.#file, list?.find(count === 0 ? base : `${base}_${count}`))
    })
  }
}

/** The weights of a whole file. */
export function placedWeights(root: Hdf5Object): LayerWeights {
  return new PlacedWeights(new PlacedFile(root), placeOf(root))
}

/** Keras's own rule: `LSTMCell` is `lstm_cell`, `Conv1D` is `conv1d`. */
export function snakeCase(className: string): string {
  return className.replace(/\W+/g, '').replace(/(.)([A-Z][a-z]+)/g, '$1_$2').replace(/([a-z])([A-Z])/g, '$1_$2').toLowerCase()
}
