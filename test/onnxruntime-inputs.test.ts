// Elements of 64 bits, and tensors of onnxruntime, as inputs of runs, long runs, streams and pools.
import { expect, it } from 'vitest'
import { readOnnx } from '../src/formats/onnx/index.ts'
import { compile } from '../src/model/load.ts'
import { NdArray } from '../src/values/ndarray.ts'
import { expectError, expectRejection } from './expect-error.ts'
import { floatTensor, writeOnnx, type GraphSpec } from './formats/onnx-writer.ts'
import { pseudoRandom } from './random.ts'

const weights = (name: string, ...dims: number[]): ReturnType<typeof floatTensor> => (
  floatTensor(name, dims, [...pseudoRandom(5, dims.reduce((a, b) => a * b, 1), 1)])
)

/** As in onnxruntime-common: the elements are a getter's. */
class OrtTensor {
  readonly type: string
  readonly dims: readonly number[]
  readonly #data: unknown

  constructor(type: string, data: unknown, dims: readonly number[]) {
    this.type = type
    this.dims = dims
    this.#data = data
  }

  get data(): unknown {
    return this.#data
  }
}

/** Tokens [timesteps, batch] and a shift of what they stand for, through an LSTM. */
const spec: GraphSpec = {
  inputs: [{ name: 'tokens', type: 7, shape: ['time', 'batch'] }, { name: 'shift', shape: ['time', 'batch', 3] }], outputs: [{ name: 'y' }],
  initializers: [weights('table', 9, 3), weights('w', 1, 8, 3), weights('r', 1, 8, 2)],
  nodes: [
    { op: 'Gather', inputs: ['table', 'tokens'], outputs: ['looked'] }, { op: 'Add', inputs: ['looked', 'shift'], outputs: ['x'] },
    { op: 'LSTM', inputs: ['x', 'w', 'r'], outputs: ['y'], attributes: { hidden_size: 2 } },
  ],
}
const model = await compile(readOnnx(writeOnnx(spec)))
const tokens = [3, 8, 0, 5]
const wide = BigInt64Array.from(tokens, BigInt)
const shift = pseudoRandom(8, 12, 1)
const wanted = model.run({ tokens: NdArray.from([[3], [8], [0], [5]], 'int32'), shift: new NdArray(shift, [4, 1, 3]) }).y as NdArray

it('run and runAsync take elements of 64 bits and tensors of onnxruntime', async () => {
  const given = [
    { tokens: { dtype: 'int64', shape: [4, 1], data: wide } as unknown as NdArray, shift: new NdArray(shift, [4, 1, 3]) },
    { tokens: new OrtTensor('int64', wide, [4, 1]), shift: new OrtTensor('float32', shift, [4, 1, 3]) },
    { tokens: { type: 'uint64', dims: [4, 1], data: BigUint64Array.from(tokens, BigInt) }, shift: { type: 'float32', dims: [4, 1, 3], data: shift } },
  ]
  for (const inputs of given) {
    expect(model.run(inputs).y?.data).toEqual(wanted.data)
    expect((await model.runAsync(inputs)).y?.data).toEqual(wanted.data)
  }
})

it('one input that is given alone may be either, and flat where its shape is known', async () => {
  const one: GraphSpec = { inputs: [{ name: 'tokens', type: 7, shape: ['n'] }], outputs: [{ name: 'y' }], nodes: [{ op: 'Add', inputs: ['tokens', 'tokens'], outputs: ['y'] }] }
  using small = await compile(readOnnx(writeOnnx(one)))
  expect(small.run(BigInt64Array.of(1n, -(2n ** 31n), 7n)).y?.data).toEqual(Int32Array.of(2, 0, 14))
  expect(small.run(new OrtTensor('int64', BigInt64Array.of(4n), [1])).y?.data).toEqual(Int32Array.of(8))
  expectError(() => small.run(BigInt64Array.of(1n, 2n ** 31n)), 'VALUE', "input 'tokens': expected int32 elements, got 2147483648 at element 1")
  expectError(() => small.run(BigUint64Array.of(2n ** 40n)), 'VALUE', "input 'tokens': expected int32 elements, got 1099511627776 at element 0")
  await expectRejection(small.runAsync(BigInt64Array.of(-(2n ** 31n) - 1n)), 'VALUE', "input 'tokens': expected int32 elements, got -2147483649 at element 0")
  expectError(() => small.run({ type: 'int64', dims: [2], data: BigInt64Array.of(1n) }), 'SHAPE', "input 'tokens': expected int32 [n], got 1 elements that claim the shape [2]")
  expectError(() => small.run({ type: 'string', dims: [1], data: ['a'] }), 'VALUE', /expected int32 \(Int32Array\), got Array/)
  expectError(() => small.run({ type: 'int64', dims: [1], data: undefined }), 'VALUE', /got Object/)
})

it('elements of 64 bits are not for inputs of floats, nor is anything written as such', () => {
  const inputs = { tokens: new NdArray(Int32Array.from(tokens), [4, 1]), shift: { type: 'int64', dims: [4, 1, 3], data: new BigInt64Array(12) } }
  expectError(() => model.run(inputs), 'VALUE', /input 'shift': expected float32 \(Float32Array\), got BigInt64Array\(12\)/)
  const into = { y: new BigInt64Array(8) as unknown as Float32Array }
  expectError(() => model.run({ ...inputs, shift: new NdArray(shift, [4, 1, 3]) }, { into }), 'VALUE', /into 'y': expected float32 \(Float32Array\), got BigInt64Array\(8\)/)
})

it('streams and pools take them, too', () => {
  using stream = model.stream()
  using pool = model.streams(2)
  const id = pool.open()
  const [y, z] = [new Float32Array(2), new Float32Array(2)]
  tokens.forEach((_, step) => {
    const frame = shift.slice(3 * step, 3 * step + 3)
    stream.step({ tokens: wide.slice(step, step + 1), shift: new OrtTensor('float32', frame, [1, 1, 3]) }, y)
    pool.step([id], { tokens: new OrtTensor('int64', wide.slice(step, step + 1), [1, 1]), shift: frame }, z)
    expect([y, z]).toEqual([wanted.data.slice(2 * step, 2 * step + 2), wanted.data.slice(2 * step, 2 * step + 2)])
  })
  expectError(() => stream.step({ tokens: BigInt64Array.of(2n ** 40n), shift: new Float32Array(3) }, y), 'VALUE', "stream: 'tokens': expected int32 elements, got 1099511627776 at element 0")
  expectError(() => stream.step({ tokens: Int32Array.of(1), shift: new BigInt64Array(3) as unknown as Float32Array }, y), 'VALUE', /expected a Float32Array for 'shift'/)
})
