// What a stream remembers, for people to read and to write.
import { LstmError } from '../errors.ts'
import type { StateBlock } from '../plan/states.ts'
import { bytesOf, createData, describeValue, dtypeOfData, type DataOf, type DType } from '../values/dtype.ts'
import { checkData, hasShape, NdArray, type ArrayLike } from '../values/ndarray.ts'
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

/** @throws LstmError `VALUE` or `SHAPE`, before anything is written */
export function writeStates(machine: Machine, states: States): void {
  const writes = Object.entries(states).map(([name, value]) => {
    const block = machine.blocks.find((one) => one.name === name)
    if (block === undefined) throw new LstmError('VALUE', `state: there is no '${name}'; there are ${machine.blocks.map((one) => `'${one.name}'`).join(', ')}`)
    const dtype = dtypeOf(machine, block)
    const shape = shapeOf(block, dtype)
    const data: unknown = hasShape(value) ? value.data : value
    if (dtypeOfData(data) !== dtype) checkData(data, dtype, `state '${name}'`)
    const to = machine.bytesOf(block)
    const from = data as DataOf
    if (from.byteLength !== to.length || (hasShape(value) && !sameShape(value.shape, shape))) {
      const got = hasShape(value) ? formatShape(value.shape) : describeValue(value)
      throw new LstmError('SHAPE', `state '${name}': expected ${dtype} ${formatShape(shape)}, got ${got}`)
    }
    return () => to.set(new Uint8Array(from.buffer, from.byteOffset, from.byteLength))
  })
  for (const write of writes) write()
}
