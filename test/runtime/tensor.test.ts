import { describe, expect, it } from 'vitest'
import { createRuntime } from '../../src/runtime/create.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { expectError } from '../expect-error.ts'

const makeRuntime = (): Promise<Runtime> => createRuntime({ variant: 'simd', maxMemoryBytes: 2 ** 24 })

describe('runtime.tensor', () => {
  it('takes nested arrays, as float32 unless told otherwise', async () => {
    const runtime = await makeRuntime()
    const tensor = runtime.tensor([[1, 2.5, 3], [4, 5, -6]])
    expect([tensor.dtype, tensor.shape, tensor.length]).toEqual(['float32', [2, 3], 6])
    expect(tensor.data).toEqual(Float32Array.of(1, 2.5, 3, 4, 5, -6))
    expect(tensor.toArray()).toEqual([[1, 2.5, 3], [4, 5, -6]])
    expect(runtime.tensor([[-7], [8]], undefined, 'int32').data).toEqual(Int32Array.of(-7, 8))
    expect(runtime.tensor([0, 255], [2], 'uint8').data).toEqual(Uint8Array.of(0, 255))
    expect(runtime.tensor(5).shape).toEqual([])
    expect(runtime.tensor(5).toArray()).toBe(5)
  })

  it.each([
    ['float32', Float32Array.of(1, 2, 3, 4)], ['int32', Int32Array.of(1, 2, 3, 4)], ['uint8', Uint8Array.of(1, 2, 3, 4)],
  ] as const)('takes typed arrays of %s, with a shape or flat', async (dtype, data) => {
    const runtime = await makeRuntime()
    const tensor = runtime.tensor(data, [2, 2], dtype)
    expect(tensor.dtype).toBe(dtype)
    expect(tensor.toArray()).toEqual([[1, 2], [3, 4]])
    expect(tensor.data).toEqual(data)
    expect(tensor.data.buffer).not.toBe(data.buffer)
    const flat = runtime.tensor(data)
    expect([flat.dtype, flat.shape]).toEqual([dtype, [4]])
  })

  it('makes zeros of nothing, also in memory used before', async () => {
    const runtime = await makeRuntime()
    const used = runtime.tensor(new Float32Array(6).fill(9))
    const { ptr } = used
    used.dispose()
    const zeros = runtime.tensor(null, [2, 3])
    expect(zeros.ptr).toBe(ptr)
    expect(zeros.toArray()).toEqual([[0, 0, 0], [0, 0, 0]])
  })

  it('refuses what does not fit, by text, and takes no memory for it', async () => {
    const runtime = await makeRuntime()
    const before = runtime.memory()
    expectError(() => runtime.tensor(new Float32Array(5), [2, 3]), 'SHAPE', 'tensor: expected 6 elements for shape [2, 3], got 5')
    expectError(() => runtime.tensor([[1, 2], [3]]), 'SHAPE', 'tensor: expected 2 elements along axis 1 of [2, 2], got 1')
    expectError(() => runtime.tensor([1, 2], [3]), 'SHAPE', 'tensor: expected 3 elements along axis 0 of [3], got 2')
    expectError(() => runtime.tensor([1.5], [1], 'int32'), 'VALUE', 'tensor: expected int32 elements, got 1.5 at element 0')
    expectError(() => runtime.tensor([1, 256], [2], 'uint8'), 'VALUE', 'tensor: expected uint8 elements, got 256 at element 1')
    expectError(() => runtime.tensor(['1'] as unknown as number[]), 'VALUE', 'tensor: expected numbers, got "1" at element 0')
    expectError(() => runtime.tensor(new Float32Array(1), [1], 'int32'), 'VALUE', 'tensor: expected int32 (Int32Array), got Float32Array(1)')
    expectError(() => runtime.tensor(new Float64Array(2) as unknown as Float32Array), 'VALUE', 'tensor: expected float32 (Float32Array), got Float64Array(2)')
    expectError(() => runtime.tensor(null, [1], 'float64' as 'float32'), 'VALUE', 'dtype: expected float32, int32 or uint8, got "float64"')
    expectError(() => runtime.tensor(null, [2, -1]), 'VALUE', 'tensor: expected a shape of whole numbers, got [2, -1]')
    expectError(() => runtime.tensor(null, 4 as unknown as number[]), 'VALUE', 'tensor: expected a shape as an array of whole numbers, got 4')
    expectError(
      () => runtime.tensor(null, [65536, 65537]), 'MEMORY',
      'tensor: shape [65536, 65537] has 4295032832 elements, more than memory can hold',
    )
    expectError(
      () => runtime.tensor(null, [2, 2 ** 23]), 'MEMORY',
      'tensor float32 [2, 8388608]: needs 67108864 bytes; 0 are in use and maxMemoryBytes is 16777216',
    )
    expect(runtime.memory()).toEqual(before)
  })
})

describe('Tensor', () => {
  it('shows its elements themselves, afresh after the memory has grown', async () => {
    const runtime = await makeRuntime()
    const tensor = runtime.tensor([1, 2, 3])
    const old = tensor.data
    expect(tensor.data).toBe(old)
    old[0] = 10
    expect(tensor.toArray()).toEqual([10, 2, 3])
    const { generation } = runtime.linearMemory
    runtime.tensor(null, [2 ** 20])
    expect(runtime.linearMemory.generation).toBe(generation + 1)
    expect(old.length).toBe(0)
    expect(tensor.data).toEqual(Float32Array.of(10, 2, 3))
    expect(tensor.data === old).toBe(false)
  })

  it('shares its memory with its reshapes, until the last is disposed', async () => {
    const runtime = await makeRuntime()
    const tensor = runtime.tensor([1, 2, 3, 4, 5, 6])
    const table = tensor.reshape([2, 3])
    const column = table.reshape([6, 1])
    expect(runtime.memory()).toMatchObject({ usedBytes: 64, tensors: 3 })
    table.data[3] = 40
    expect(tensor.toArray()).toEqual([1, 2, 3, 40, 5, 6])
    expect(column.ptr).toBe(tensor.ptr)
    tensor.dispose()
    column.dispose()
    expect(runtime.memory()).toMatchObject({ usedBytes: 64, tensors: 1 })
    expect(table.toArray()).toEqual([[1, 2, 3], [40, 5, 6]])
    table.dispose()
    expect(runtime.memory()).toMatchObject({ usedBytes: 0, tensors: 0 })
  })

  it('refuses a reshape to another number of elements, and owns nothing more then', async () => {
    const runtime = await makeRuntime()
    const tensor = runtime.tensor([[1, 2, 3], [4, 5, 6]])
    expectError(() => tensor.reshape([4]), 'SHAPE', 'reshape: expected 6 elements as in [2, 3], got [4] with 4')
    expectError(() => tensor.reshape([2.5, 2]), 'VALUE', 'reshape: expected a shape of whole numbers, got [2.5, 2]')
    expect(runtime.memory().tensors).toBe(1)
    tensor.dispose()
    expect(runtime.memory().usedBytes).toBe(0)
  })

  it('has a shape of its own that cannot be changed', async () => {
    const runtime = await makeRuntime()
    const shape = [2, 1]
    const tensor = runtime.tensor([[1], [2]], shape)
    shape[0] = 100
    expect(tensor.shape).toEqual([2, 1])
    expect(Object.isFrozen(tensor.shape)).toBe(true)
  })

  it('is disposed once, however often it is asked, and not usable afterwards', async () => {
    const runtime = await makeRuntime()
    const keep = runtime.tensor([1])
    const tensor = runtime.tensor([[1, 2]])
    expect(tensor.disposed).toBe(false)
    tensor.dispose()
    tensor.dispose()
    expect(tensor.disposed).toBe(true)
    expect(runtime.memory()).toMatchObject({ usedBytes: 64, tensors: 1 })
    expect(keep.toArray()).toEqual([1])
    for (const use of [() => tensor.data, () => tensor.ptr, () => tensor.toArray(), () => tensor.reshape([2])]) {
      expectError(use, 'DISPOSED', 'tensor float32 [1, 2] is disposed')
    }
    expect(String(tensor)).toBe('float32 [1, 2] (disposed)')
  })

  it('is disposed at the end of a `using` block', async () => {
    const runtime = await makeRuntime()
    {
      using tensor = runtime.tensor([1, 2])
      expect(tensor.length).toBe(2)
      expect(runtime.memory().tensors).toBe(1)
    }
    expect(runtime.memory()).toMatchObject({ usedBytes: 0, tensors: 0 })
    const tensor = runtime.tensor([1])
    tensor[Symbol.dispose]()
    expect(tensor.disposed).toBe(true)
  })

  it('prints itself readably, long axes cut in the middle', async () => {
    const runtime = await makeRuntime()
    expect(String(runtime.tensor([[1, 2.5], [3.14159265, 1e-7]]))).toBe('float32 [2, 2] [[1, 2.5],\n [3.1416, 1e-7]]')
    expect(String(runtime.tensor(Int32Array.from({ length: 8 }, (_, n) => n * 100000)))).toBe(
      'int32 [8] [0, 100000, 200000, …, 500000, 600000, 700000]',
    )
    expect(String(runtime.tensor(Uint8Array.from({ length: 6 }, (_, n) => n)))).toBe('uint8 [6] [0, 1, 2, 3, 4, 5]')
  })
})
