// The states of a stream as named arrays, to read and to write.
import { LstmError } from '../errors.ts'
import { checkKind, RECORD } from '../options.ts'
import { listNames } from '../plan/named.ts'
import { byteLengthOf, type StateBlock } from '../plan/states.ts'
import { bytesOf, createData, describeValue, type DataOf, type DType } from '../values/dtype.ts'
import { checkData, NdArray, type ArrayLike } from '../values/ndarray.ts'
import { formatShape, sameShape, type Shape } from '../values/shape.ts'
import type { Machine } from './machine.ts'

/** States to write, by name; arrays without a shape have their elements in the order of the state's own. */
export type States = Readonly<Record<string, ArrayLike | DataOf>>

/** lstm states and convolution windows are float32; a carried state is what the input is. */
function dtypeOf(machine: Machine, { name }: StateBlock): DType {
  const { blueprint } = machine
  const carried = blueprint.carried.find((state) => state.name === name)
  return carried === undefined ? 'float32' : blueprint.prepared.graph.inputs[carried.input]?.dtype ?? 'float32'
}

function shapeOf({ outer, rows, rowBytes }: StateBlock, dtype: DType): Shape {
  const size = rowBytes / bytesOf(dtype)
  return outer === 1 ? [rows, size] : [outer, rows, size]
}

export function readStates(machine: Machine): Record<string, NdArray> {
  return Object.fromEntries(machine.blocks.map((block) => {
    const dtype = dtypeOf(machine, block)
    const bytes = machine.bytesOf(block)
    const data = createData(dtype, bytes.length / bytesOf(dtype))
    new Uint8Array(data.buffer).set(bytes)
    return [block.name, new NdArray(data, shapeOf(block, dtype))]
  }))
}

/**
 * Sets the states that are given.
 * @throws LstmError `VALUE` or `SHAPE`, before anything is written
 */
export function writeStates(machine: Machine, states: States): void {
  checkKind(states, { ...RECORD, expected: `an object with states by name (${listNames(machine.blocks)})` }, 'state')
  const writes = Object.entries(states).map(([name, value]) => {
    const block = machine.blocks.find((one) => one.name === name)
    if (block === undefined) throw new LstmError('VALUE', `state: there is no '${name}'; there are ${listNames(machine.blocks)}`)
    const dtype = dtypeOf(machine, block)
    const shape = shapeOf(block, dtype)
    // Each value is read once, and its elements copied: getters may run code of the caller in between.
    const claimed: unknown = ArrayBuffer.isView(value) ? undefined : (value as Partial<ArrayLike> | null | undefined)?.shape
    const isShaped = Array.isArray(claimed)
    const data: unknown = isShaped ? (value as ArrayLike).data : value
    checkData(data, dtype, `state '${name}'`)
    const { buffer, byteOffset, byteLength } = data as DataOf
    if (byteLength !== byteLengthOf(block) || (isShaped && !sameShape(claimed, shape))) {
      const got = isShaped ? formatShape(claimed) : describeValue(data)
      throw new LstmError('SHAPE', `state '${name}': expected ${dtype} ${formatShape(shape)}, got ${got}`)
    }
    return { block, bytes: new Uint8Array(buffer, byteOffset, byteLength).slice() }
  })
  for (const { block, bytes } of writes) machine.bytesOf(block).set(bytes)
}
