// Inputs and outputs of streams: checked and copied without allocating. (No division, whose result
// might be no integer: engines keep such numbers on the heap.)
import { LstmError } from '../errors.ts'
import { takeNamed, type NamedPort } from '../plan/named.ts'
import { overlaps } from '../plan/targets.ts'
import { arrayNameOf, describeValue, dtypeOfData, type DataOf } from '../values/dtype.ts'
import { narrowed, type OrtTensor } from '../values/ndarray.ts'
import { formatShape } from '../values/shape.ts'
import type { PortLayout } from './machine.ts'

/** An array; or arrays by name, where there are several inputs or outputs. */
export type Frames = DataOf | Readonly<Record<string, DataOf>>

/** What streams take as inputs: also tensors of onnxruntime, and elements of 64 bits, which are copied as int32. */
export type InputFrames = Frames | FrameInput | Readonly<Record<string, FrameInput>>

type FrameInput = DataOf | BigInt64Array | BigUint64Array | OrtTensor

const INPUTS = { call: 'stream', port: 'input' } as const
const OUTPUTS = { call: 'stream', port: 'output' } as const

/**
 * Takes the arrays of all inputs, by position.
 * @param unneeded inputs of the model that no output depends on: they may be given
 * @throws LstmError `VALUE` unless there is an array of the right dtype for each
 */
export function takeInputs(frames: unknown, layouts: readonly PortLayout[], unneeded: readonly NamedPort[], data: unknown[]): void {
  takeNamed(frames, layouts, data, INPUTS, unneeded)
  for (let n = 0; n < layouts.length; n++) {
    const layout = layouts[n] as PortLayout
    if (dtypeOfData(data[n]) === layout.port.dtype) continue
    data[n] = ofOnnxruntime(data[n], layout)
    if (dtypeOfData(data[n]) !== layout.port.dtype) refuse(data[n], layout)
  }
}

/** The elements of a tensor of onnxruntime, and those of 64 bits as int32; anything else as it is. */
function ofOnnxruntime(value: unknown, { port: { name, dtype } }: PortLayout): unknown {
  const data = typeof value === 'object' && value !== null && 'dims' in value ? (value as OrtTensor).data : value
  return dtype === 'int32' ? narrowed(data, `stream: '${name}'`) : data
}

/** Takes the arrays to write outputs to; undefined for outputs that are not wanted. @throws LstmError `VALUE` for what is no such array */
export function takeOutputs(frames: unknown, layouts: readonly PortLayout[], data: unknown[]): void {
  takeNamed(frames, layouts, data, OUTPUTS)
  for (let n = 0; n < layouts.length; n++) {
    const layout = layouts[n] as PortLayout
    if (data[n] === undefined && layouts.length > 1) continue
    if (dtypeOfData(data[n]) !== layout.port.dtype) refuse(data[n], layout)
    for (let m = 0; m < n; m++) {
      if (data[m] !== undefined && overlaps(data[m] as DataOf, data[n] as DataOf)) refuseTwice(layouts[m] as PortLayout, layout)
    }
  }
}

/**
 * Outputs are written chunk by chunk, before later inputs are read: an array may be both only where each element is read first.
 * @throws LstmError `VALUE`
 */
export function checkInPlace(
  ins: readonly PortLayout[], inputs: readonly DataOf[], outs: readonly PortLayout[], outputs: readonly (DataOf | undefined)[],
): void {
  for (let n = 0; n < outs.length; n++) {
    const to = outputs[n]
    const { name, port } = outs[n] as PortLayout
    for (let m = 0; to !== undefined && m < ins.length; m++) {
      const from = inputs[m] as DataOf
      const other = ins[m] as PortLayout
      if (!overlaps(from, to)) continue
      const isSame = from === to && !other.held && port.kind !== 'held' && isAlike(other, outs[n] as PortLayout)
      if (!isSame) throw new LstmError('VALUE', `stream: the output '${name}' is the same memory as the input '${other.name}', which is still to be read when it is written`)
    }
  }
}

function isAlike(a: PortLayout, b: PortLayout): boolean {
  return a.outer === b.outer && a.inner === b.inner && a.row === b.row && a.pieces === b.pieces
}

/** @throws LstmError for an index outside the tables that an input goes to */
export function checkIndices({ port: { name, indices } }: PortLayout, data: DataOf, length: number): void {
  if (indices === undefined) return
  const { least, most } = indices
  for (let n = 0; n < length; n++) {
    const index = data[n] as number
    if (index < least || index > most) {
      throw new LstmError('VALUE', `stream: expected indices from ${least} to ${most} for '${name}', got ${index} at element ${n}`)
    }
  }
}

/** @throws LstmError `SHAPE` unless an output that is wanted has at least that many elements */
export function checkOutput(layout: PortLayout, data: DataOf | undefined, length: number): void {
  if (data !== undefined && data.length < length) refuseLength(layout, data, `at least ${length}`)
}

function refuseTwice(a: PortLayout, b: PortLayout): never {
  throw new LstmError('VALUE', `stream: the outputs '${a.name}' and '${b.name}' are the same memory`)
}

function refuse(data: unknown, { port: { name, dtype, shape } }: PortLayout): never {
  throw new LstmError('VALUE', `stream: expected a ${arrayNameOf(dtype)} for '${name}' ${formatShape(shape)}, got ${describeValue(data)}`)
}

export function refuseLength({ port: { name } }: PortLayout, { length }: DataOf, expected: string): never {
  const why = length === 0 ? ' (an array has none when its buffer was given away)' : ''
  throw new LstmError('SHAPE', `stream: expected ${expected} elements for '${name}', got ${length}${why}`)
}

/** From this many elements on, `set` is faster than a loop. */
const LONG = 32

/**
 * to[toBegin...] = from[fromBegin...]. Allocates nothing: `set` is used for whole arrays only, since a part of one would need a new view.
 */
export function copyRun(from: DataOf, fromBegin: number, to: DataOf, toBegin: number, length: number): void {
  if (length >= LONG && length === from.length) to.set(from, toBegin)
  else for (let n = 0; n < length; n++) to[toBegin + n] = from[fromBegin + n] as number
}
