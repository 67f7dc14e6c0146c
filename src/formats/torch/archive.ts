// The two kinds of file that torch.save has written: zip archives since PyTorch 1.6 (2020), and pickles one after
// the other before (`_use_new_zipfile_serialization=False`).
import { LstmError } from '../../errors.ts'
import { Budget } from '../budget.ts'
import { listed } from '../malformed.ts'
import { isExported, openExported } from './exported.ts'
import { isZip, ZipArchive } from '../zip/zip.ts'
import { PickleBytes } from './pickle-bytes.ts'
import { ForeignObject, PickleMachine } from './pickle.ts'
import { TensorBuilder } from './tensor-builder.ts'
import { isSerialized, openSerialized } from './serialized.ts'
import type { TorchFile } from './torch-file.ts'
import { storageElementBytes, torchWorld, TorchStorage, TorchTensor } from './tensors.ts'

/** 0x1950a86a20f9469cfc6c as a pickle has it: LONG1, ten bytes. */
const LEGACY_MAGIC = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]
/** Protocol 2 begins with two bytes, protocol 4 with eleven. */
const LATEST_MAGIC = 11

/** Names a message lists. */
const MOST_NAMES = 20
const SAVE_STATE_DICT = 'save the tensors alone, in Python: torch.save(model.state_dict(), path)'

/** Whether a zip archive is PyTorch's, by the names of its files. */
function isTorchArchive(names: Iterable<string>): boolean {
  for (const name of names) if (/(^|\/)(data|constants)\.pkl$|(^|\/)archive_format$|^serialized_exported_program\.json$|^policy\.pth$/.test(name)) return true
  return false
}

function isLegacy(bytes: Uint8Array): boolean {
  for (let begin = 2; begin <= LATEST_MAGIC; begin++) {
    if (LEGACY_MAGIC.every((byte, n) => bytes[begin + n] === byte)) return bytes[0] === 0x80
  }
  return false
}

/** Whether bytes look like a file of torch.save. Never throws. */
export function isTorch(bytes: Uint8Array): boolean {
  if (!isZip(bytes)) return isLegacy(bytes)
  try {
    return isTorchArchive(new ZipArchive(bytes, 'torch').names)
  } catch {
    return false
  }
}

/**
 * @param isInside whether the file stands in another one: it may hold no further one
 * @throws LstmError `FORMAT` for a broken file, `UNSUPPORTED` for one that asks for more than tensors and plain containers
 */
export function openTorch(bytes: Uint8Array, budget: Budget = new Budget(bytes.length), isInside: boolean = false): TorchFile {
  if (isZip(bytes)) return openArchive(bytes, budget, isInside)
  if (isLegacy(bytes)) return openLegacy(bytes, budget)
  const start = [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
  throw new LstmError('FORMAT', `torch: expected a file of torch.save, got ${bytes.length === 0 ? 'an empty file' : `${bytes.length} bytes that begin with ${start}`}`)
}

function openArchive(bytes: Uint8Array, budget: Budget, isInside: boolean): TorchFile {
  const archive = new ZipArchive(bytes, 'torch', { checksums: false, budget })
  const { names } = archive
  // stable-baselines3 has a state dict beside settings, in a zip archive of its own.
  if (archive.has('policy.pth') && !isInside) return openTorch(archive.read('policy.pth'), budget, true)
  if (isExported(names)) {
    const { program, stateDict, tensors } = openExported(archive, budget)
    return { object: stateDict, tensors, exported: program }
  }
  if (isSerialized(names) && !isInside) return openSerialized(archive, budget, (inner) => openTorch(inner, budget, true))
  const pickles = names.filter((name) => /(^|\/)data\.pkl$/.test(name))
  const [pickle] = pickles
  if (pickle === undefined || pickles.length > 1) {
    throw new LstmError('FORMAT', `torch: expected one file data.pkl in the archive, got ${pickles.length}`)
  }
  const folder = pickle.slice(0, -'data.pkl'.length)
  const isScript = names.some((name) => name.startsWith(`${folder}code/`))
  const order = `${folder}byteorder`
  checkByteOrder(!archive.has(order) || new TextDecoder().decode(archive.read(order)) === 'little')
  const object = unpickle(new PickleBytes(archive.read(pickle)), budget)
  const constants = archive.has(`${folder}constants.pkl`) ? unpickle(new PickleBytes(archive.read(`${folder}constants.pkl`)), budget) : []
  const storages = new Map(names.filter((name) => name.startsWith(`${folder}data/`) || name.startsWith(`${folder}constants/`)).map((name) => [name, archive.read(name)]))
  return {
    object,
    ...(isScript && {
      code: (path: string) => (archive.has(`${folder}code/${path}`) ? new TextDecoder().decode(archive.read(`${folder}code/${path}`)) : undefined),
      constants: Array.isArray(constants) ? constants.map(inFolder) : [],
    }),
    tensors: new TensorBuilder(budget, ({ key }) => {
      const storage = storages.get(`${folder}${key.startsWith(CONSTANTS) ? '' : 'data/'}${key}`)
      if (storage === undefined) throw new LstmError('FORMAT', `torch: no storage ${JSON.stringify(key)} in the archive`)
      return storage
    }),
  }
}

/** Storages of constants stand in a folder of their own, under the same keys. */
const CONSTANTS = 'constants/'

function inFolder(constant: unknown): unknown {
  if (!(constant instanceof TorchTensor)) return constant
  const { storage: { kind, key, length, offset: begin }, offset, shape, strides } = constant
  return new TorchTensor(new TorchStorage(kind, `${CONSTANTS}${key}`, length, begin), offset, shape, strides)
}

/** Four pickles (magic number, protocol, system, object), one with the keys of storages, then these: length and elements each. */
function openLegacy(bytes: Uint8Array, budget: Budget): TorchFile {
  const reader = new PickleBytes(bytes)
  unpickle(reader, budget)
  const protocol = unpickle(reader, budget)
  if (protocol !== 1001) throw new LstmError('UNSUPPORTED', `torch: expected protocol version 1001, got ${String(protocol).slice(0, 40)}`)
  const system = unpickle(reader, budget)
  checkByteOrder(!(system instanceof Map) || system.get('little_endian') !== false)
  const found: Map<string, TorchStorage> = new Map()
  const object = unpickle(reader, budget, found)
  const keys = unpickle(reader, budget)
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'string')) {
    throw new LstmError('FORMAT', 'torch: expected a list with the keys of the storages')
  }
  const storages = readLegacyStorages(reader, keys, found)
  return {
    object,
    tensors: new TensorBuilder(budget, ({ key }) => {
      const storage = storages.get(key)
      if (storage === undefined) throw new LstmError('FORMAT', `torch: no storage ${JSON.stringify(key)} in the file`)
      return storage
    }),
  }
}

/** The storages one after the other: a length in elements, whose size the pickle said, and as many elements. */
function readLegacyStorages(reader: PickleBytes, keys: readonly string[], found: ReadonlyMap<string, TorchStorage>): Map<string, Uint8Array> {
  const storages: Map<string, Uint8Array> = new Map()
  for (const key of keys) {
    const storage = found.get(key)
    if (storage === undefined) throw new LstmError('FORMAT', `torch: the storage ${JSON.stringify(key)} belongs to no tensor`)
    const elementBytes = storageElementBytes(storage.kind)
    if (elementBytes === undefined) throw new LstmError('UNSUPPORTED', `torch: the file has a torch.${storage.kind}; ${SAVE_STATE_DICT}`)
    storages.set(key, reader.take(reader.uint64() * elementBytes))
  }
  return storages
}

function checkByteOrder(isLittle: boolean): void {
  if (!isLittle) throw new LstmError('UNSUPPORTED', 'torch: the file was written on a big-endian machine; load and save it again on another')
}

/** The next object; what a pickle asks for beyond tensors and plain containers is refused by name. */
function unpickle(reader: PickleBytes, budget: Budget, found: Map<string, TorchStorage> = new Map()): unknown {
  const machine = new PickleMachine(reader, torchWorld(found, budget), budget)
  let object: unknown
  let broken: unknown
  try {
    object = machine.run()
  } catch (error) {
    if (machine.foreign.size === 0) throw error
    // A call that was not made may well leave the stack in disorder; what was asked for says more.
    broken = error
  }
  if (machine.foreign.size === 0) return object
  if (modulesOf(object).length > 0) return object
  const names = listed([...machine.foreign], MOST_NAMES, quoteName)
  throw new LstmError('UNSUPPORTED', `torch: the pickle asks for ${names}, which this library does not run: a file may hold tensors, numbers, text, dict, list and tuple only; ${SAVE_STATE_DICT}`, { cause: broken })
}

/** Foreign objects that have what a torch.nn.Module has: the object itself, or values of a checkpoint. */
function modulesOf(object: unknown): ForeignObject[] {
  const values: unknown[] = object instanceof Map ? [...object.values() as Iterable<unknown>] : [object]
  return values.filter((value) => value instanceof ForeignObject && value.isModule) as ForeignObject[]
}

/** Names come from untrusted files, and may be long. */
function quoteName(name: string): string {
  const short = name.length > 100 ? `${name.slice(0, 100)}…` : name
  return /^[\w.]+…?$/.test(short) ? short : JSON.stringify(short)
}
