import { LstmError } from '../../errors.ts'
import { FUNCTION, readOptions, TEXT, type OptionTable } from '../../options.ts'
import { describeValue } from '../../values/dtype.ts'
import type { ArrayLike } from '../../values/ndarray.ts'
import { Budget } from '../budget.ts'
import { isNpzStateDict, readNpzWithin } from '../npz.ts'
import { openTorch } from './archive.ts'
import type { TorchFile } from './torch-file.ts'
import { asModule, tensorsOf, type TorchModule } from './module-tree.ts'
import { ForeignObject } from './pickle.ts'
import { buildQuantized, isTensor, unpacked, withoutOutputScales, type FileTensor } from './quantized.ts'
import { QuantizedTensor } from './tensors.ts'

/** Options of `readTorch` and `readTorchWeights`. */
export interface TorchOptions {
  /** Which entry of a checkpoint holds the state dict: `'model'`. Default: the only one that does. */
  readonly key?: string | undefined
  /** Which tensors to read, by name; others may have element types that are not read. Default: all. */
  readonly only?: ((name: string) => boolean) | undefined
}

const OPTIONS: OptionTable<TorchOptions> = { key: TEXT, only: FUNCTION }

type TensorDict = ReadonlyMap<string, FileTensor>

/** Letters of a class's name in a message. */
const MOST_NAME = 100
/** Entries a message lists. */
const MOST_LISTED = 50

/**
 * The state dict in a file of `torch.save`: of `model.state_dict()`, or of a checkpoint that holds one among
 * other things (`{ 'model': {...}, 'epoch': 3 }`). Both kinds of file are read, zip archives and the older one; so are whole pickled
 * modules, TorchScript, torch.export (.pt2) and stable-baselines3, of which the tensors are taken, and the arrays of an .npz.
 * Nothing in the file is run. Tensors become float32, int32 (all signed integers) or uint8 (bool too), row-major. Weights that
 * `quantize_dynamic` packed have the names they had before, and keep their 8 bits (`data` is float32).
 *
 * @throws LstmError `FORMAT` for a broken file; `UNSUPPORTED` for one that asks for more than tensors and plain
 *   containers, naming what it asks for, and for a file with no state dict or several; `VALUE` for an int64 that
 *   does not fit int32
 *
 *     readTorch(bytes, { key: 'model', only: (name) => name.startsWith('decoder.') })
 */
export function readTorch(bytes: Uint8Array, options: TorchOptions = {}): Map<string, ArrayLike> {
  const read = readOptions(options, OPTIONS, 'PyTorch')
  const budget = new Budget(bytes.length)
  if (isNpzStateDict(bytes)) return readNpzTensors(bytes, read, budget)
  return stateDictOf(openTorch(bytes, budget), read, budget)
}

/** Those of an .npz: numpy.savez(path, **{name: tensor.numpy() for name, tensor in model.state_dict().items()}). */
export function readNpzTensors(bytes: Uint8Array, { key, only = () => true }: TorchOptions, budget: Budget): Map<string, ArrayLike> {
  if (key !== undefined) throw new LstmError('VALUE', `torch: the option 'key' is for checkpoints, and this file is a state dict (.npz): ${describeValue(key)} would name nothing`)
  return new Map([...readNpzWithin(bytes, budget)].filter(([name]) => only(name)))
}

/** The tensors of a file that is open. */
export function stateDictOf({ object, tensors }: TorchFile, { key, only = () => true }: TorchOptions, budget: Budget): Map<string, ArrayLike> {
  const found = withoutOutputScales(findStateDict(object, key, budget), tensors)
  return new Map([...found].filter(([name]) => only(name)).map(([name, tensor]) => [
    name, tensor instanceof QuantizedTensor ? buildQuantized(name, tensor, tensors, budget) : tensors.build(name, tensor),
  ]))
}

/**
 * The module that a file holds: the object itself, the entry of a checkpoint that `key` names, or the only one that is a module where none is
 * a state dict.
 */
export function moduleIn(object: unknown, key: string | undefined, budget: Budget): TorchModule | undefined {
  const values = object instanceof Map ? key === undefined ? [...new Set(object.values())] : [object.get(key)] : [object]
  const modules = values.filter((value) => value instanceof ForeignObject && value.isModule)
  const isPlain = values.length > 1 && values.some((value) => value instanceof Map && asTensorDict(value, budget) !== undefined)
  return modules.length === 1 && !isPlain ? asModule(modules[0], budget) : undefined
}

/** A dictionary of nothing but tensors, at least one; of a module, all of its tensors. */
function asTensorDict(object: unknown, budget: Budget): TensorDict | undefined {
  const module = asModule(object, budget)
  if (module !== undefined) return nonEmpty(tensorsOf(module))
  if (!(object instanceof Map) || object.size === 0) return undefined
  return unpacked(object)
}

function nonEmpty(tensors: TensorDict): TensorDict | undefined {
  return tensors.size === 0 ? undefined : tensors
}

function findStateDict(object: unknown, key: string | undefined, budget: Budget): TensorDict {
  const entries = object instanceof Map ? [...object as ReadonlyMap<unknown, unknown>] : []
  if (key !== undefined) {
    const chosen = asTensorDict(entries.find(([name]) => name === key)?.[1], budget)
    if (chosen !== undefined) return chosen
    throw new LstmError('UNSUPPORTED', `torch: no state dict under the key ${describeValue(key)}; the file has ${list(entries)}`)
  }
  const whole = asTensorDict(object, budget)
  if (whole !== undefined) return whole
  // A file may have one dictionary under any number of names: each is looked through once.
  const found = new Map([...new Set(entries.map(([, value]) => value))].map((value) => [value, asTensorDict(value, budget)]))
  const candidates = entries.filter(([, value]) => found.get(value) !== undefined)
  const [first] = candidates
  if (first !== undefined && candidates.length === 1) return found.get(first[1]) as TensorDict
  if (first !== undefined) {
    const keys = candidates.slice(0, MOST_LISTED).map(([name]) => describeValue(name))
    throw new LstmError('UNSUPPORTED', `torch: the file holds several state dicts, under the keys ${keys.join(', ')}; say which: readTorch(bytes, { key: ${keys[0]} })`)
  }
  if (object instanceof Map && object.has('param_groups') && object.has('state')) {
    throw new LstmError('UNSUPPORTED', "torch: this is the state of an optimiser (torch.optim), not of a model; save the model's, in Python: torch.save(model.state_dict(), path)")
  }
  const got = object instanceof Map ? `a dictionary with ${list(entries)}` : describe(object)
  throw new LstmError('UNSUPPORTED', `torch: expected a state dict (names and tensors), or a dictionary with one in it, got ${got}`)
}

function list(entries: readonly (readonly [unknown, unknown])[]): string {
  const shown = entries.slice(0, MOST_LISTED).map(([name, value]) => `${describeValue(name)}: ${describe(value)}`)
  if (entries.length > MOST_LISTED) shown.push(`and ${entries.length - MOST_LISTED} more`)
  return shown.join(', ') || 'nothing'
}

/** A Python value in a word. */
function describe(value: unknown): string {
  if (isTensor(value)) return 'a tensor'
  if (value instanceof ForeignObject) return `a ${value.isModule ? 'module without tensors, of class' : 'foreign object of class'} ${value.name.slice(0, MOST_NAME)}`
  if (value instanceof Map) return value.size === 0 ? 'an empty dictionary' : 'a dictionary'
  if (Array.isArray(value)) return 'a list'
  if (value === null) return 'None'
  return describeValue(value)
}
