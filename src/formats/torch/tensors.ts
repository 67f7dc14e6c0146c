// What torch.save writes in place of tensors: calls that would rebuild them from a storage, a size and strides.
// https://docs.pytorch.org/docs/stable/notes/serialization.html
import { LstmError } from '../../errors.ts'
import { describeValue } from '../../values/dtype.ts'
import type { Budget } from '../budget.ts'
import { malformedFile } from '../malformed.ts'
import { PackedObject } from './packed-object.ts'
import { ForeignObject, PickleGlobal, type PickleWorld } from './pickle.ts'

const malformed = malformedFile('torch')

/** Elements that tensors may share: the part of a file that one storage is. */
export class TorchStorage {
  /** `FloatStorage` */
  readonly kind: string
  readonly key: string
  /** Number of elements it is said to have. */
  readonly length: number
  /** First element, in older files whose storages are parts of others. */
  readonly offset: number

  constructor(kind: string, key: string, length: number, offset: number) {
    this.kind = kind
    this.key = key
    this.length = length
    this.offset = offset
  }
}

/** A tensor before its elements are looked at. */
export class TorchTensor {
  readonly storage: TorchStorage
  readonly offset: number
  readonly shape: readonly number[]
  /** Elements from one index to the next, along each axis. */
  readonly strides: readonly number[]

  constructor(storage: TorchStorage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage
    this.offset = offset
    this.shape = shape
    this.strides = strides
  }
}

/** Integers with scales and zero points: numbers for the whole tensor, or tensors with one for each index along an axis. */
export class QuantizedTensor {
  readonly integers: TorchTensor
  readonly scales: number | TorchTensor
  readonly zeros: number | TorchTensor
  /** undefined where one scale is for all. */
  readonly axis: number | undefined

  constructor(integers: TorchTensor, scales: number | TorchTensor, zeros: number | TorchTensor, axis?: number) {
    this.integers = integers
    this.scales = scales
    this.zeros = zeros
    this.axis = axis
  }

  get shape(): readonly number[] {
    return this.integers.shape
  }
}

/** Also those whose elements are not read: a file is refused only where a wanted tensor has them. */
const STORAGE_NAME = /^torch\.(?:cuda\.)?(\w+Storage)$/
/** Letters of a scheme's name in a message. */
const MOST_SCHEME = 100
/** PyTorch's own limit. */
const MOST_AXES = 64

/** What a container takes for each of its items. */
const ITEM_BYTES = 48

const CONTAINERS: Readonly<Record<string, () => unknown>> = {
  'collections.OrderedDict': () => new Map(),
  'collections.defaultdict': () => new Map(),
  'collections.Counter': () => new Map(),
  'builtins.dict': () => new Map(),
  'builtins.list': () => [],
  'builtins.set': () => [],
  'builtins.tuple': () => [],
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isSizes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length <= MOST_AXES && value.every(isSize)
}

/** Bytes of an element, also of those types that are not read. */
const STORAGE_ELEMENT_BYTES: Readonly<Record<string, number>> = {
  FloatStorage: 4, DoubleStorage: 8, HalfStorage: 2, BFloat16Storage: 2, LongStorage: 8, IntStorage: 4, ShortStorage: 2,
  CharStorage: 1, ByteStorage: 1, BoolStorage: 1, QInt8Storage: 1, QUInt8Storage: 1, QInt32Storage: 4, ComplexFloatStorage: 8, ComplexDoubleStorage: 16,
}

export function storageElementBytes(kind: string): number | undefined {
  return Object.hasOwn(STORAGE_ELEMENT_BYTES, kind) ? STORAGE_ELEMENT_BYTES[kind] : undefined
}

/**
 * The few calls of a pickle that are known, none of which does anything but describe data.
 * @param found storages by key, filled as they are met
 */
export function torchWorld(found: Map<string, TorchStorage>, budget: Budget): PickleWorld {
  return {
    knows: (name) => Object.hasOwn(CONTAINERS, name) || Object.hasOwn(CALLS, name) || STORAGE_NAME.test(name) || VALUE_NAME.test(name),
    call(name, args) {
      if (Object.hasOwn(CONTAINERS, name)) return itemsInto((CONTAINERS[name] as () => unknown)(), args, budget)
      if (Object.hasOwn(CALLS, name)) return (CALLS[name] as (args: readonly unknown[]) => unknown)(args)
      throw malformed(`${name} is called, which is no function`)
    },
    persistent(id) {
      const object = readStorage(id)
      if (object instanceof TorchStorage && !found.has(object.key)) found.set(object.key, object)
      return object
    },
  }
}

/** torch.float32, torch.per_tensor_affine and their like: values that a checkpoint's settings may hold. */
const VALUE_NAME = /^torch\.(?:float|double|half|bfloat|q?u?int|long|short|bool|complex|per_(?:tensor|channel)_)\w*$/

const CALLS: Readonly<Record<string, (args: readonly unknown[]) => unknown>> = {
  'torch._utils._rebuild_tensor': readTensor,
  'torch._utils._rebuild_tensor_v2': readTensor,
  'torch._utils._rebuild_qtensor': readQuantized,
  'torch.ScriptObject': () => new PackedObject(),
  'torch._utils._rebuild_parameter': ([data]) => parameter(data),
  'torch._utils._rebuild_parameter_with_state': ([data]) => parameter(data),
  'torch.nn.parameter.Parameter': ([data]) => parameter(data),
  'torch.jit._pickle.restore_type_tag': ([value]) => value ?? null,
  ...Object.fromEntries(['int', 'tensor', 'double', 'bool'].map((kind) => [`torch.jit._pickle.build_${kind}list`, ([list]: readonly unknown[]) => list ?? null])),
  'torch.Size': ([sizes]) => (Array.isArray(sizes) ? sizes as unknown[] : []),
  'torch.device': () => 'device',
  '_codecs.encode': ([text]) => text ?? null,
}

function parameter(data: unknown): unknown {
  if (!(data instanceof TorchTensor || data instanceof ForeignObject)) throw malformed(`expected a tensor for a parameter, got ${describeValue(data)}`)
  return data
}

/** OrderedDict([(key, value), ...]), list([...]): protocols 0 and 1. */
function itemsInto(container: unknown, args: readonly unknown[], budget: Budget): unknown {
  const items: unknown = args.at(-1)
  if (!Array.isArray(items)) return container
  budget.copy(items.length, items.length * ITEM_BYTES, 'pickle')
  if (Array.isArray(container)) return [...container as unknown[], ...items as unknown[]]
  if (container instanceof Map) {
    for (const pair of items as unknown[]) if (Array.isArray(pair) && pair.length === 2) container.set(pair[0], pair[1])
  }
  return container
}

/** ('storage', class, key, location, length): how a pickle refers to a storage. Older files add (key, offset, length) of a part. */
function readStorage(id: unknown): unknown {
  const [kind, made, key, , length, part] = Array.isArray(id) ? id as unknown[] : []
  // ('module', class, file, source): older files, in which a whole model was pickled.
  if (kind === 'module' && made instanceof PickleGlobal) return made
  if (kind !== 'storage' || !(made instanceof PickleGlobal) || typeof key !== 'string' || !isSize(length)) {
    throw malformed('expected a persistent id of a storage: its class, key and length')
  }
  const name = STORAGE_NAME.exec(made.name)?.[1]
  if (name === undefined) return new ForeignObject(made.name)
  const offset: unknown = Array.isArray(part) ? part[1] : 0
  if (!isSize(offset)) throw malformed(`expected an offset for a part of storage '${key}', got ${describeValue(offset)}`)
  return new TorchStorage(name, key, length, offset)
}

/** _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks) */
function readTensor([storage, offset, shape, strides]: readonly unknown[]): unknown {
  if (storage instanceof ForeignObject) return storage
  if (!(storage instanceof TorchStorage)) throw malformed(`expected a storage for a tensor, got ${describeValue(storage)}`)
  if (!isSize(offset)) throw malformed(`expected an offset for a tensor, got ${describeValue(offset)}`)
  if (!isSizes(shape) || !isSizes(strides) || shape.length !== strides.length) {
    throw malformed('expected as many sizes as strides for a tensor, whole numbers')
  }
  return new TorchTensor(storage, offset, shape, strides)
}

/** _rebuild_qtensor(storage, offset, size, stride, (scheme, scale, zero point) or (scheme, scales, zero points, axis), requires_grad, backward_hooks) */
function readQuantized([storage, offset, shape, strides, quantizer]: readonly unknown[]): unknown {
  const integers = readTensor([storage, offset, shape, strides])
  if (!(integers instanceof TorchTensor)) return integers
  const [scheme, scale, zero, axis] = Array.isArray(quantizer) ? quantizer as unknown[] : []
  if (!(scheme instanceof PickleGlobal)) throw malformed('expected a scheme for a quantised tensor')
  if (scheme.name === 'torch.per_tensor_affine' && typeof scale === 'number' && typeof zero === 'number') return new QuantizedTensor(integers, scale, zero)
  const isEach = scheme.name === 'torch.per_channel_affine' && scale instanceof TorchTensor && zero instanceof TorchTensor
  if (isEach && isSize(axis) && axis < integers.shape.length) return new QuantizedTensor(integers, scale, zero, axis)
  throw new LstmError('UNSUPPORTED', `torch: a tensor quantised by ${scheme.name.slice(0, MOST_SCHEME)} is not supported; those of per_tensor_affine and per_channel_affine are`)
}
