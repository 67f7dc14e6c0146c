// Pools: any subset of sessions steps together, and each has the bits of a stream of its own.
import { beforeAll, describe, expect, it } from 'vitest'
import { compile } from '../../src/model/load.ts'
import type { Model } from '../../src/model/model.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { expectError } from '../expect-error.ts'
import { pseudoRandom } from '../random.ts'
import { describeBinaries, runtimeOf } from '../variants.ts'
import { carriedModel, charModel, convolutionModel, gruModel, torchLstm } from './models.ts'

/** Whole numbers that look random. */
function draws(seed: number): (below: number) => number {
  let n = seed
  return (below) => {
    n = Math.imul(n ^ (n >>> 15), 0x2c1b3c6d) + 0x9e3779b9 | 0
    return (n >>> 8) % below
  }
}

describeBinaries('a pool of streams', (binary) => {
  let runtime: Runtime
  let model: Model
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
    model = await compile(torchLstm(3, 5, 2), { runtime })
  })

  const MODELS = { 'a torch lstm': () => torchLstm(3, 5, 2), 'a causal convolution': () => convolutionModel(), 'a carried state': carriedModel, 'GRU layers': gruModel }
  describe.each(Object.entries(MODELS))('of %s', (_title, graph) => {
    it('steps random subsets with the bits of streams of their own', async () => {
      const own = await compile(graph(), { runtime })
      const [features, width] = _title === 'a causal convolution' ? [2, 5] : _title === 'a carried state' || _title === 'GRU layers' ? [3, 4] : [3, 5]
      const capacity = 37
      const pool = own.streams(capacity)
      const draw = draws(5)
      const sessions = Array.from({ length: capacity }, () => ({ id: pool.open(), stream: own.stream() }))
      expect(pool.size).toBe(capacity)
      for (let round = 0; round < 40; round++) {
        const chosen = sessions.map((session) => ({ session, order: draw(1000) })).sort((a, b) => a.order - b.order)
          .slice(0, 1 + draw(capacity)).map(({ session }) => session)
        const inputs = pseudoRandom(round, chosen.length * features, 1)
        const outputs = new Float32Array(chosen.length * width + 3).fill(9)
        pool.step(chosen.map(({ id }) => id), inputs, outputs)
        const expected = new Float32Array(width)
        chosen.forEach(({ stream }, n) => {
          stream.step(inputs.slice(n * features, (n + 1) * features), expected)
          expect(outputs.slice(n * width, (n + 1) * width)).toEqual(expected)
        })
        expect([...outputs.slice(-3)]).toEqual([9, 9, 9])
      }
      pool.dispose()
      for (const { stream } of sessions) stream.dispose()
      own.dispose()
    })
  })

  it('opens, closes, forks, resets, saves and restores sessions by themselves', () => {
    const pool = model.streams(4)
    const x = (seed: number): Float32Array => pseudoRandom(seed, 3, 1)
    const out = new Float32Array(5)
    const stepped = (id: number, seed: number): Float32Array => {
      pool.step([id], x(seed), out)
      return out.slice()
    }
    const a = pool.open()
    const b = pool.open()
    const first = stepped(a, 1)
    stepped(a, 2)
    const saved = pool.save(a)
    const third = stepped(a, 3)
    expect(stepped(b, 1)).toEqual(first)
    pool.restore(b, saved)
    const c = pool.fork(b)
    expect(stepped(b, 3)).toEqual(third)
    expect(stepped(c, 3)).toEqual(third)
    pool.reset(c)
    expect(stepped(c, 1)).toEqual(first)
    pool.close(b)
    expect(pool.size).toBe(2)
    expectError(() => pool.step([b], x(1), out), 'VALUE', `streams: no session ${b} is open`)
    const d = pool.open()
    expect(d).not.toBe(b)
    expect(stepped(d, 1)).toEqual(first)
    // A session may go on as a stream, and a stream as a session.
    const stream = model.stream()
    stream.restore(saved)
    stream.step(x(3), out)
    expect(out).toEqual(third)
    stream.restore(saved)
    pool.restore(d, stream.save())
    expect(stepped(d, 3)).toEqual(third)
    stream.dispose()
    pool.dispose()
  })

  it('takes arrays that are longer, and a count', () => {
    const pool = model.streams(3)
    const ids = Int32Array.of(pool.open(), pool.open(), pool.open())
    const inputs = pseudoRandom(3, 9, 1)
    const outputs = new Float32Array(15)
    pool.step(ids, inputs, outputs, 2)
    expect([...outputs.subarray(10)]).toEqual([0, 0, 0, 0, 0])
    pool.step(ids, inputs, outputs, 0)
    const again = model.streams(3)
    const other = new Float32Array(10)
    again.step([again.open(), again.open()], inputs, other)
    expect(outputs.subarray(0, 10)).toEqual(other)
    pool.dispose()
    again.dispose()
  })

  it('refuses what does not fit, and leaves all sessions as they were', () => {
    const pool = model.streams(3)
    const ids = [pool.open(), pool.open()] as [number, number]
    const x = pseudoRandom(1, 6, 1)
    const out = new Float32Array(10)
    pool.step(ids, x, out)
    const before = ids.map((id) => pool.save(id))
    expectError(() => pool.step([ids[0], ids[0]], x, out), 'VALUE', `streams: the session ${ids[0]} is there twice`)
    expectError(() => pool.step([ids[0], 77], x, out), 'VALUE', 'streams: no session 77 is open')
    for (const id of [0, -1, 0.5, NaN, 1e10]) expectError(() => pool.close(id), 'VALUE', `streams: no session ${id} is open`)
    expectError(() => pool.step(ids, x.subarray(0, 5), out), 'SHAPE', "stream: expected at least 6 elements for 'input', got 5")
    expectError(() => pool.step(ids, x, out.subarray(0, 9)), 'SHAPE', "stream: expected at least 10 elements for 'output', got 9")
    expectError(() => pool.step(ids, Int32Array.of(1), out), 'VALUE', /expected a Float32Array for 'input'.*got Int32Array\(1\)/)
    expectError(() => pool.step(ids, x, undefined as unknown as Float32Array), 'VALUE', /'output'/)
    expectError(() => pool.step(ids, x, out, 3), 'VALUE', 'streams: expected a count from 0 to 2, got 3')
    pool.open()
    expectError(() => pool.open(), 'MEMORY', 'streams: all 3 sessions are open')
    expectError(() => pool.fork(ids[0]), 'MEMORY', 'streams: all 3 sessions are open')
    expectError(() => pool.restore(ids[0], new Uint8Array(50)), 'FORMAT', 'restore: expected a saved state, got 50 bytes that are none')
    expect(ids.map((id) => pool.save(id))).toEqual(before)
    pool.dispose()
    pool.dispose()
    expectError(() => pool.step(ids, x, out), 'DISPOSED', 'this pool of streams is disposed')
    expectError(() => model.streams(0), 'VALUE', /expected a whole number from 1 to \d+ for 'capacity', got 0/)
  })

  it('refuses an index outside the vocabulary before any session steps', async () => {
    const chars = await compile(charModel(), { runtime })
    const pool = chars.streams(200)
    const ids = Array.from({ length: 150 }, () => pool.open())
    const out = new Float32Array(150 * 11)
    pool.step(ids, new Int32Array(150).fill(3), out)
    const before = ids.map((id) => pool.save(id))
    const bad = new Int32Array(150).fill(3)
    bad[149] = 11
    expectError(() => pool.step(ids, bad, out), 'VALUE', /expected indices from 0 to 10 for '.*', got 11 at element 149/)
    expect(ids.map((id) => pool.save(id))).toEqual(before)
    chars.dispose()
    expectError(() => pool.open(), 'DISPOSED', 'the model of these streams is disposed')
    pool.dispose()
  })

  it('holds 10,000 sessions of 128 units in at most 16 MB beside the weights, and gives them back', async () => {
    const large = await compile(torchLstm(64, 128, 1), { runtime })
    const before = runtime.memory().usedBytes
    const pool = large.streams(10_000)
    const { usedBytes } = runtime.memory()
    expect(usedBytes - before).toBeLessThanOrEqual(16 * 2 ** 20)
    expect(usedBytes - before).toBeGreaterThanOrEqual(10_000 * 2 * 128 * 4)
    pool.dispose()
    expect(runtime.memory().usedBytes).toBe(before)
    large.dispose()
  })
})
