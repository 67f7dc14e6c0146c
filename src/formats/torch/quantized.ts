// What torch.ao.quantization.quantize_dynamic leaves of Linear, LSTM, GRU and their cells in a state dict: packed weights of 8 bits, under the
// names of the modules they were made of. Activations are quantised at run time, by one scale in PyTorch and a scale for each row here.
import { LstmError } from '../../errors.ts'
import { formatShape } from '../../values/shape.ts'
import type { ArrayLike } from '../../values/ndarray.ts'
import type { Budget } from '../budget.ts'
import { malformedFile } from '../malformed.ts'
import { joinName } from '../pytorch-names.ts'
import { equalInt8, widened } from '../quantized/scaled-integers.ts'
import { PackedObject } from './packed-object.ts'
import { PickleGlobal } from './pickle.ts'
import type { TensorBuilder } from './tensor-builder.ts'
import { QuantizedTensor, TorchTensor } from './tensors.ts'

const malformed = malformedFile('torch')

/** Letters of a name in a message. */
const MOST_NAME = 200

/** Tensors as a file has them. */
export type FileTensor = TorchTensor | QuantizedTensor

export function isTensor(value: unknown): value is FileTensor {
  return value instanceof TorchTensor || value instanceof QuantizedTensor
}

/** Packed weights of one product. */
interface Packed {
  readonly weight: FileTensor
  readonly bias: TorchTensor | undefined
}

/** `(weight, bias)`, or a LinearPackedParamsBase with them. */
function packedOf(value: unknown): Packed | undefined {
  const inner: unknown = value instanceof PackedObject && Array.isArray(value.state) ? value.state[0] : value
  const [weight, bias = null] = Array.isArray(inner) ? inner as unknown[] : []
  if (!isTensor(weight) || weight.shape.length !== 2 || !(bias === null || bias instanceof TorchTensor)) return undefined
  return { weight, bias: bias ?? undefined }
}

/** `('quantized_dynamic', biases, numbers, flags, (input weights, recurrent weights))` of a CellParamsBase. */
function cellOf(value: unknown, name: string): [Packed, Packed] {
  const state: unknown = value instanceof PackedObject && Array.isArray(value.state) ? value.state[0] : undefined
  const [kind, , , , weights] = Array.isArray(state) ? state as unknown[] : []
  if (kind !== 'quantized_dynamic' && kind !== 'quantized_fp16') {
    throw new LstmError('UNSUPPORTED', `torch: '${name}' holds packed weights of a kind that is not read: expected quantized_dynamic or quantized_fp16`)
  }
  const [input, recurrent] = Array.isArray(weights) ? weights.map(packedOf) : []
  if (input === undefined || recurrent === undefined) throw malformed(`expected packed input and recurrent weights for '${name}'`)
  return [input, recurrent]
}

const LINEAR = /^(.*\.)?_packed_params\.(_packed_params|dtype)$/
const CELL = /^(.*\.)?_packed_weight_(ih|hh)$/
const LAYERS = /^(.*\.)?_all_weight_values\.(\d{1,4})\.param$/

const prefixOf = (match: RegExpExecArray): string => (match[1] ?? '').slice(0, -1)

/** The state dict under the names of torch.nn; undefined for what is none. */
export function unpacked(object: ReadonlyMap<unknown, unknown>): Map<string, FileTensor> | undefined {
  const result: Map<string, FileTensor> = new Map()
  const layers: Map<string, [Packed, Packed][]> = new Map()
  const put = (prefix: string, suffix: string, packed: Packed): void => {
    for (const [part, tensor] of [['weight', packed.weight], ['bias', packed.bias]] as const) {
      const name = joinName(prefix, part + suffix)
      if (tensor === undefined) continue
      if (object.has(name) || result.has(name)) throw malformed(`expected '${name}' packed or plain, got both`)
      result.set(name, tensor)
    }
  }
  for (const [name, value] of object) {
    if (typeof name !== 'string') return undefined
    if (isTensor(value)) {
      result.set(name, value)
      continue
    }
    const [linear, cell, layer] = [LINEAR.exec(name), CELL.exec(name), LAYERS.exec(name)]
    const packed = packedOf(value)
    if (linear?.[2] === 'dtype' && value instanceof PickleGlobal) continue
    if (linear !== null && packed !== undefined) put(prefixOf(linear), '', packed)
    else if (cell !== null && packed !== undefined) put(prefixOf(cell), `_${cell[2]}`, packed)
    else if (layer !== null) {
      const known = layers.get(prefixOf(layer)) ?? []
      if (Number(layer[2]) !== known.length) throw malformed(`expected '${name}' after those before it`)
      known.push(cellOf(value, name))
      layers.set(prefixOf(layer), known)
    } else if (value instanceof PackedObject) {
      throw new LstmError('UNSUPPORTED', `torch: '${name.slice(0, MOST_NAME)}' holds packed weights, and those of Linear, LSTM, GRU and their cells alone are read`)
    } else return undefined
  }
  for (const [prefix, cells] of layers) {
    const directions = directionsOf(prefix, cells)
    cells.forEach(([input, recurrent], n) => {
      const suffix = `_l${Math.floor(n / directions)}${n % directions === 1 ? '_reverse' : ''}`
      put(prefix, `_ih${suffix}`, input)
      put(prefix, `_hh${suffix}`, recurrent)
    })
  }
  return result
}

/** Packed layers do not say whether they are directions; how many features they take does. */
function directionsOf(prefix: string, cells: readonly (readonly [Packed, Packed])[]): 1 | 2 {
  const features = cells.map(([{ weight }]) => weight.shape[1] as number)
  const hiddenSize = cells[0]?.[1].weight.shape[1] as number
  if (cells.length === 1) return 1
  if (cells.length > 2) return features[2] === 2 * hiddenSize ? 2 : 1
  if (features[1] !== features[0]) return 1
  if (features[0] !== hiddenSize) return 2
  throw new LstmError('UNSUPPORTED', `torch: '${prefix}' has either two layers or two directions, and the file does not say which (input_size = hidden_size = ${hiddenSize}); save the model before it was quantised, in Python: torch.save(float_model.state_dict(), path)`)
}

/**
 * Takes what says how outputs are quantised away from modules with quantised weights.
 * @throws LstmError `UNSUPPORTED` for outputs that are: those of static quantisation
 */
export function withoutOutputScales(tensors: ReadonlyMap<string, FileTensor>, builder: TensorBuilder): Map<string, FileTensor> {
  const kept = new Map(tensors)
  for (const name of tensors.keys()) {
    const prefix = name.replace(/(^|\.)weight$/, '$1')
    const [scale, zero] = [tensors.get(`${prefix}scale`), tensors.get(`${prefix}zero_point`)]
    if (prefix === name || !(scale instanceof TorchTensor) || !(zero instanceof TorchTensor)) continue
    for (const [key, found, neutral] of [[`${prefix}scale`, scale, 1], [`${prefix}zero_point`, zero, 0]] as const) {
      const { data } = builder.build(key, found)
      if (data.length !== 1 || data[0] !== neutral) {
        throw new LstmError('UNSUPPORTED', `torch: '${name}' is of a statically quantised model, whose activations have scales that a state dict does not connect; save the model before it was quantised, in Python: torch.save(float_model.state_dict(), path)`)
      }
      kept.delete(key)
    }
  }
  return kept
}

/** A quantised tensor: 8 bits with a scale for each output where there are such that are equal, else float32. */
export function buildQuantized(name: string, { integers, scales, zeros, axis }: QuantizedTensor, builder: TensorBuilder, budget: Budget): ArrayLike {
  const { data: q, shape } = builder.build(name, integers)
  const numbers = (value: number | TorchTensor): ArrayLike['data'] | readonly number[] => (typeof value === 'number' ? [value] : builder.build(name, value).data)
  const source = { q, shape, scales: Float32Array.from(numbers(scales)), zeros: numbers(zeros), axis }
  const count = axis === undefined ? 1 : shape[axis]
  if (source.scales.length !== count || source.zeros.length !== count || source.scales.some((scale) => !(scale >= 0 && scale < Infinity))) {
    throw malformed(`expected ${count} scales from 0 on, and zero points, for the quantised tensor '${name}' ${formatShape(shape)}`)
  }
  budget.copy(2 * q.length, q.length, `torch: tensor '${name}'`)
  const equal = shape.length > 1 ? equalInt8(source, 0) : undefined
  if (equal === undefined) budget.take(4 * q.length, `torch: tensor '${name}'`)
  return equal ?? widened(source)
}
