// Lists of calls, and who makes them.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { GRADIENT_KERNEL_ARITIES } from '../../src/contract/gradient-kernels.ts'
import { trainingRuntime } from '../../src/runtime/gradient-kernels.ts'
import { Crew } from '../../src/runtime/threads/crew.ts'
import { Lanes } from '../../src/runtime/threads/lanes.ts'
import { sharedMemory } from '../../src/runtime/threads/open.ts'
import { expectError } from '../expect-error.ts'
import { LINKED } from '../linked.ts'
import { eagerRuntime, THREAD_VARIANTS } from './eager-runtime.ts'

const variant = THREAD_VARIANTS[0] as 'simd'

async function open() {
  const runtime = await eagerRuntime(2, variant, 1000)
  const training = await trainingRuntime(runtime)
  const lanes = training.lanes as Lanes
  const { kernels } = training.ofLane(1)
  const { linearMemory } = training
  const ptr = linearMemory.allocate(64, 'a test')
  const words = linearMemory.view('int32', ptr, 16).fill(7)
  return { runtime, lanes, kernels, ptr, words }
}

/** Until a worker has done something: it has its own thread, and no promise to tell. */
function spinUntil(test: () => boolean): void {
  const end = performance.now() + 20_000
  while (!test() && performance.now() < end) continue
  expect(test()).toBe(true)
}

describe('lanes', () => {
  it('are run by workers: what was written down, of both binaries, and nothing before that', async () => {
    const { runtime, lanes, kernels, ptr, words } = await open()
    expect(lanes.begin(lanes.site())).toBe(2)
    lanes.record(1, () => {
      kernels.fillZero(ptr, 16)
      expect(kernels.findBadIndex(ptr, 4, 3)).toBe(-1)
      kernels.scaleRangeF32(ptr, 4, 2)
      kernels.fillZero(ptr + 32, 16)
    })
    expect([...words]).toEqual(Array(16).fill(7))
    lanes.offer(2)
    spinUntil(() => Atomics.load(words, 8) === 0)
    const own: number[] = []
    lanes.finish(2, (lane) => own.push(lane))
    lanes.end(0)
    expect(own).toEqual([])
    expect([...words]).toEqual([0, 0, 0, 0, 7, 7, 7, 7, 0, 0, 0, 0, 7, 7, 7, 7])
    runtime.dispose()
  })

  it.each([
    ['refuses', (kernels: Kernels, ptr: number) => kernels.findBadIndex(ptr, 4, 3)],
    ['does not stand', (kernels: Kernels) => kernels.copyRows(0, 0, 2 ** 32 - 64, 0, 1, 64)],
  ])('are run again by the calling thread where a worker %s, which stops there', async (_, fail) => {
    const { runtime, lanes, kernels, ptr, words } = await open()
    lanes.begin(lanes.site())
    lanes.record(1, () => {
      kernels.fillZero(ptr + 32, 16)
      fail(kernels, ptr)
      kernels.fillZero(ptr, 16)
    })
    lanes.offer(2)
    spinUntil(() => Atomics.load(words, 8) === 0)
    const own: number[] = []
    lanes.finish(2, (lane) => own.push(lane))
    lanes.end(0)
    expect(own).toEqual([1])
    expect(words[0]).toBe(7)
    runtime.dispose()
  })

  it('are two batches only one after the other; one that is left gives them free', async () => {
    const { runtime, lanes } = await open()
    expect(lanes.begin(lanes.site())).toBe(2)
    expect(lanes.begin(lanes.site())).toBe(0)
    lanes.end(undefined)
    expect(lanes.begin(lanes.site())).toBe(2)
    lanes.end(0)
    runtime.dispose()
    expect(lanes.begin(lanes.site())).toBe(0)
  })

  it('throw where a worker does not go on, and then there are none', () => {
    const memory = sharedMemory(2 ** 20)
    const kernels = { crewBytes: () => 4096, lookAt: () => 0, setCalls: () => undefined, offerTasks: () => undefined, claimTask: () => -1, awaitTasks: () => 0 }
    const crew = new Crew(kernels as never, memory, 2, 1)
    crew.joined()
    const lanes = new Lanes(kernels as never, crew, memory, { ptr: 0, bytes: 0 })
    expect(lanes.begin(lanes.site())).toBe(2)
    lanes.record(1, () => undefined)
    lanes.offer(2)
    expectError(() => lanes.finish(2, () => undefined), 'ENVIRONMENT', /has stopped in the middle of its work/)
    lanes.end(undefined)
    expect(lanes.begin(lanes.site())).toBe(0)
  })
})

type Kernels = Awaited<ReturnType<typeof open>>['kernels']

describe.each(['simd', 'relaxed-simd'] as const)('gradients-%s-threads.wasm', (name) => {
  const bytes = readFileSync(new URL(`../../build/gradients-${name}-threads.wasm`, import.meta.url))
  it.skipIf(!WebAssembly.validate(bytes))('exports the kernels for training, and needs a shared memory', () => {
    const module = new WebAssembly.Module(bytes)
    const linked = Object.fromEntries(LINKED.map((own) => [own, () => undefined]))
    const { exports } = new WebAssembly.Instance(module, { env: { ...linked, memory: new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }) } })
    const arities = Object.entries(exports).filter(([key]) => key !== 'memory').map(([key, kernel]) => [key, (kernel as () => void).length])
    expect(Object.fromEntries(arities)).toEqual(GRADIENT_KERNEL_ARITIES)
    expect(() => new WebAssembly.Instance(module, { env: { ...linked, memory: new WebAssembly.Memory({ initial: 1, maximum: 1 }) } })).toThrow(/memory/)
  })
})
