// The guard zones themselves: that they see what they are for.
import { expect, it } from 'vitest'
import { createRuntime } from '../src/runtime/create.ts'
import { checkGuards } from './guards.ts'
import { compile } from '../src/model/load.ts'
import { BINARIES, type Binary } from './variants.ts'
import { Arena } from './kernels/arena.ts'
import { torchLstm } from './streams/models.ts'

it('a kernel that is told too much is caught, before and behind a block', () => {
  const arena = new Arena(BINARIES[0] as Binary)
  const { fillZero } = arena.kernels
  const [before, block] = [arena.allocate(20), arena.allocate(20)]
  expect(block - before).toBeGreaterThanOrEqual(32 + 64)
  fillZero(block, 32)
  expect(() => fillZero(block, 33)).toThrow(/fillZero wrote at \d+, between two blocks/)
  arena.clear()
  const again = arena.allocate(20)
  expect(() => fillZero(again - 1, 2)).toThrow(/between two blocks/)
})

it('a model that writes outside its buffers is caught; one that does not goes on', async () => {
  const runtime = await createRuntime({ variant: 'simd' })
  const model = await compile(torchLstm(3, 5, 2), { runtime })
  const x = { dtype: 'float32' as const, shape: [2, 3, 3], data: new Float32Array(18).fill(0.5) }
  const { output } = model.run({ input: x })
  expect(output?.data.every((value) => Number.isFinite(value))).toBe(true)
  const tensor = runtime.tensor([1, 2, 3])
  checkGuards(runtime.linearMemory, 'it')
  for (const [ptr, bytes] of [[tensor.ptr + 16, 1], [tensor.ptr - 1, 1]] as const) {
    const kept = runtime.linearMemory.view('uint8', ptr, bytes).slice()
    runtime.kernels.fillZero(ptr, bytes)
    expect(() => checkGuards(runtime.linearMemory, 'it')).toThrow(/it wrote at \d+, outside all buffers/)
    runtime.linearMemory.view('uint8', ptr, bytes).set(kept)
  }
  const { activateF32 } = runtime.kernels
  expect(activateF32.length).toBe(6)
  model.dispose()
  tensor.dispose()
  checkGuards(runtime.linearMemory, 'nothing')
})
