// What must hold for any GRU and simple recurrent layer, bit for bit: the same result however it is called.
import fc from 'fast-check'
import { beforeAll, expect, it } from 'vitest'
import { compile } from '../../../src/model/load.ts'
import type { Runtime } from '../../../src/runtime/runtime.ts'
import { NdArray } from '../../../src/values/ndarray.ts'
import { describeBinaries, runtimeOf } from '../../variants.ts'
import { floats, rowsOf, setUp, stepsOf, type Case } from './gru-cases.ts'

/** The same draws in every run. */
const FIXED = { seed: 20261128, numRuns: 25 } as const

const size = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max })

interface Drawn {
  readonly test: Omit<Case, 'name'>
  readonly sizes: readonly [number, number, number, number]
  readonly seed: number
  readonly chunk: number
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  op: fc.constantFrom('gru' as const, 'rnn' as const), mask: fc.boolean(), maskRule: fc.constantFrom('zero', 'hold', 'multiply'), resetAfter: fc.boolean(),
  clip: fc.constantFrom(0, 0.75), numLayers: size(3), sizes: fc.tuple(size(19), size(19), size(7), size(9)), seed: fc.nat(1e6), chunk: size(5),
}).map(({ op, mask, maskRule, resetAfter, clip, numLayers, sizes, seed, chunk }) => ({
  test: { op, mask, attributes: { maskRule, clip, numLayers, ...(op === 'gru' && { resetAfter }) } }, sizes, seed, chunk,
}))

/** Sums of more than 128 terms, which kernels add up in parts; more rows than a tile has. */
const WIDE: readonly Drawn[] = [{ op: 'gru' as const }, { op: 'gru' as const, attributes: { resetAfter: false } }, { op: 'rnn' as const, mask: true }].map((test) => (
  { test, sizes: [131, 137, 9, 4], seed: 5, chunk: 3 }
))

/** Rows `begin` to `end` of states [layers, batch, units]. */
function statesOf(h: NdArray<'float32'>, begin: number, end: number): NdArray<'float32'> {
  const [layers, batch, units] = h.shape as [number, number, number]
  const rows = Array.from({ length: layers }, (_, layer) => [...h.data.subarray((layer * batch + begin) * units, (layer * batch + end) * units)])
  return new NdArray(Float32Array.from(rows.flat()), [layers, end - begin, units])
}

describeBinaries('for any GRU and simple recurrent layer', (binary) => {
  let runtime: Runtime
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
  })

  const check = (property: (drawn: Drawn) => Promise<void>): Promise<void> => (
    fc.assert(fc.asyncProperty(drawn, property), { ...FIXED, examples: WIDE.map((example) => [example]) })
  )

  it('rows have the same bits alone, in parts of a batch and all together', () => check(async ({ test, sizes, seed, chunk }) => {
    const { graph, x, h0, mask } = setUp(test, sizes, seed)
    const [, , batch, timesteps] = sizes
    const model = await compile(graph, { runtime })
    const part = (begin: number, end: number): Record<string, unknown> => model.run({
      x: rowsOf(x, begin, end), h0: statesOf(h0, begin, end),
      ...(test.mask === true && { mask: new NdArray(mask.data.slice(begin * timesteps, end * timesteps), [end - begin, timesteps]) }),
    })
    const all = part(0, batch)
    for (const rows of [1, chunk]) {
      for (let begin = 0; begin < batch; begin += rows) {
        const end = Math.min(batch, begin + rows)
        const { y, h } = part(begin, end)
        expect(floats(y)).toEqual(rowsOf(all.y as NdArray<'float32'>, begin, end).data)
        expect(floats(h)).toEqual(statesOf(all.h as NdArray<'float32'>, begin, end).data)
      }
    }
    model.dispose()
  }))

  // What a masked step holds is of the run it is in: sequences with padding are another thing in chunks.
  it('a sequence has the same bits at once, in chunks with the state carried over, and step by step', () => check(async ({ test, sizes, seed, chunk }) => {
    const { graph, x, h0 } = setUp({ ...test, mask: false }, sizes, seed)
    const [, , , timesteps] = sizes
    const model = await compile(graph, { runtime })
    const whole = model.run({ x, h0 })
    for (const length of [1, chunk]) {
      let h = h0
      for (let begin = 0; begin < timesteps; begin += length) {
        const end = Math.min(timesteps, begin + length)
        const part = model.run({ x: stepsOf(x, begin, end), h0: h })
        expect(floats(part.y)).toEqual(stepsOf(whole.y as NdArray<'float32'>, begin, end).data)
        h = part.h as NdArray<'float32'>
      }
      expect(h.data).toEqual(floats(whole.h))
    }
    model.dispose()
  }))
})
