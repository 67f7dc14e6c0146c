// Arrays that go into streams and come out of them: looked at, and copied, without allocating. (No division, whose result
// might be no integer: engines keep such numbers on the heap.)
import { LstmError } from '../errors.ts'
import { arrayNameOf, describeValue, dtypeOfData, type DataOf } from '../values/dtype.ts'
import { formatShape } from '../values/shape.ts'
import type { PortLayout } from './machine.ts'

/** An array; or arrays by name, where there are several inputs or outputs. */
export type Frames = DataOf | Readonly<Record<string, DataOf>>

/** The array of a port, or undefined; a single port's array needs no name. */
export function dataOf(frames: Frames, layout: PortLayout, ports: number): DataOf | undefined {
  if (ports === 1 && ArrayBuffer.isView(frames)) return frames
  if (typeof frames !== 'object' || frames === null) return refuse(frames, layout)
  return (frames as Readonly<Record<string, DataOf>>)[layout.port.name]
}

/** @throws LstmError unless an input is an array of its dtype */
export function checkInput(layout: PortLayout, data: DataOf | undefined): void {
  if (dtypeOfData(data) !== layout.port.dtype) refuse(data, layout)
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

/** @throws LstmError unless an output is an array of at least that length, or absent */
export function checkOutput(layout: PortLayout, data: DataOf | undefined, length: number, mayBeAbsent: boolean): void {
  if (data === undefined && mayBeAbsent) return
  if (dtypeOfData(data) !== layout.port.dtype) refuse(data, layout)
  if ((data as DataOf).length < length) refuseLength(layout, data as DataOf, `at least ${length}`)
}

function refuse(data: unknown, { port: { name, dtype, shape } }: PortLayout): never {
  throw new LstmError('VALUE', `stream: expected a ${arrayNameOf(dtype)} for '${name}' ${formatShape(shape)}, got ${describeValue(data)}`)
}

export function refuseLength({ port: { name } }: PortLayout, { length }: DataOf, expected: string): never {
  const why = length === 0 ? ' (an array has none when its buffer was given away)' : ''
  throw new LstmError('SHAPE', `stream: expected ${expected} elements for '${name}', got ${length}${why}`)
}

/** From so many elements on, `set` is faster than a loop. */
const LONG = 32

/**
 * to[toBegin...] = from[fromBegin...]. Allocates nothing: `set` takes whole arrays, and of others it would have to be given a view
 * made for it.
 */
export function copyRun(from: DataOf, fromBegin: number, to: DataOf, toBegin: number, length: number): void {
  if (length >= LONG && length === from.length) to.set(from, toBegin)
  else for (let n = 0; n < length; n++) to[toBegin + n] = from[fromBegin + n] as number
}
