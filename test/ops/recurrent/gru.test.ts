// GRUs and simple recurrent layers against float64, every option alone and together, on every binary.
import { beforeAll, expect, it } from 'vitest'
import { compile } from '../../../src/model/load.ts'
import type { Runtime } from '../../../src/runtime/runtime.ts'
import { NdArray } from '../../../src/values/ndarray.ts'
import '../../guards.ts'
import { LSTM_KERNEL_DISTANCE } from '../../tolerance.ts'
import { describeBinaries, runtimeOf } from '../../variants.ts'
import { CASES, SIZES, both, farthest, floats, reference, rowsOf, setUp, stepsOf, type Sizes } from './gru-cases.ts'

describeBinaries('GRU and simple recurrent layers', (binary) => {
  let runtime: Runtime
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
  })

  it.each(CASES)(`$name: within ${LSTM_KERNEL_DISTANCE} x 4 of float64`, async (test) => {
    for (const [n, sizes] of SIZES.entries()) {
      const setup = setUp(test, sizes, 1000 * (n + 1))
      const { graph, x, mask, h0 } = setup
      const model = await compile(graph, { runtime })
      for (const state of [h0, undefined]) {
        const outputs = model.run({ x, ...(state && { h0: state }), ...(test.mask === true && { mask }) })
        const expected = reference(setup, test, sizes, state?.data)
        expect(farthest(floats(outputs.y), expected.y), `${sizes.join()}: y`).toBeLessThan(4 * LSTM_KERNEL_DISTANCE)
        expect(farthest(floats(outputs.h), expected.h), `${sizes.join()}: h`).toBeLessThan(4 * LSTM_KERNEL_DISTANCE)
      }
      model.dispose()
    }
  })

  it.each(both('', {}).flatMap(({ op }) => [[op, 1], [op, 6]] as const))('%s, more than 128 terms and 256 columns, %i rows: as float64, and the same bits in parts', async (op, batch) => {
    const sizes: Sizes = [131, 259, batch, 3]
    for (const attributes of op === 'gru' ? [{}, { resetAfter: false }] : [{}]) {
      const setup = setUp({ op, attributes }, sizes, 77)
      // Smaller weights: so many terms saturate every gate otherwise.
      for (const { data } of setup.graph.constants.values()) (data as Float32Array).set((data as Float32Array).map((value) => value / 16))
      const model = await compile(setup.graph, { runtime })
      const all = model.run({ x: setup.x, h0: setup.h0 })
      const expected = reference(setup, { op, attributes }, sizes, setup.h0.data)
      expect(farthest(floats(all.y), expected.y)).toBeLessThan(4 * LSTM_KERNEL_DISTANCE)
      for (let row = 0; row < batch; row++) {
        const h0 = new NdArray(setup.h0.data.slice(row * 259, (row + 1) * 259), [1, 1, 259])
        const alone = model.run({ x: rowsOf(setup.x, row, row + 1), h0 })
        expect(floats(alone.y)).toEqual(rowsOf(all.y as NdArray<'float32'>, row, row + 1).data)
      }
      model.dispose()
    }
  })

  it.each(CASES.filter(({ mask }) => mask !== true).filter(({ attributes }) => attributes?.direction !== 'reverse'))('$name: the same bits in a batch and alone, whole and step by step', async (test) => {
    for (const sizes of [[3, 5, 3, 7], [17, 33, 4, 5]] as const) {
      const [, hiddenSize, batch, timesteps] = sizes
      const { graph, x, h0 } = setUp(test, sizes, 21)
      const model = await compile(graph, { runtime })
      const all = model.run({ x, h0 })
      for (let row = 0; row < batch; row++) {
        const alone = model.run({ x: rowsOf(x, row, row + 1), h0: new NdArray(h0.data.slice(row * hiddenSize, (row + 1) * hiddenSize), [1, 1, hiddenSize]) })
        expect(floats(alone.y)).toEqual(rowsOf(all.y as NdArray<'float32'>, row, row + 1).data)
      }
      let h = h0
      for (let t = 0; t < timesteps; t++) {
        const step = model.run({ x: stepsOf(x, t, t + 1), h0: h })
        expect(floats(step.y), `step ${t}`).toEqual(stepsOf(all.y as NdArray<'float32'>, t, t + 1).data)
        h = step.h as NdArray<'float32'>
      }
      expect(h.data).toEqual(floats(all.h))
      model.dispose()
    }
  })

  it.each(CASES.filter(({ mask }) => mask === true))('$name: a mask without padding changes no bit, and without a valid step nothing comes of it', async (test) => {
    const sizes = [3, 5, 3, 7] as const
    const { graph, x, h0, mask } = setUp(test, sizes, 5)
    const model = await compile(graph, { runtime })
    const open = await compile(setUp({ ...test, mask: false }, sizes, 5).graph, { runtime })
    mask.data.fill(1)
    const [masked, plain] = [model.run({ x, h0, mask }), open.run({ x, h0 })]
    expect(floats(masked.y)).toEqual(floats(plain.y))
    expect(floats(masked.h)).toEqual(floats(plain.h))
    mask.data.fill(0, 0, 7)
    const { y, h } = model.run({ x, h0, mask })
    expect([...floats(h).subarray(0, 5)]).toEqual([...h0.data.subarray(0, 5)])
    expect([...floats(y).subarray(0, 5)]).toEqual(test.attributes?.maskRule === 'multiply' ? [...h0.data.subarray(0, 5)] : [0, 0, 0, 0, 0])
  })

  it('keeps h to the bit where the update gate is shut, and multiplies zeros by weights that are not finite', async () => {
    const sizes: Sizes = [3, 5, 2, 4]
    const { graph, x, h0 } = setUp({ op: 'gru' }, sizes, 3)
    const bias = graph.constants.get('0.forward.inputBias') as NdArray<'float32'>
    bias.data.fill(1e4, 5, 10)
    const { h } = (await compile(graph, { runtime })).run({ x, h0 })
    expect(floats(h)).toEqual(h0.data)
    bias.data.fill(-1e4, 5, 10)
    expect((await compile(graph, { runtime })).run({ x, h0 }).h).not.toEqual(h0)
    for (const attributes of [{}, { resetAfter: false }]) {
      for (const at of [0, 14 * 5 + 4]) {
        const broken = setUp({ op: 'gru', attributes }, sizes, 3)
        const weights = broken.graph.constants.get('0.forward.recurrentWeights') as NdArray<'float32'>
        weights.data[at] = NaN
        const out = floats((await compile(broken.graph, { runtime })).run({ x: stepsOf(x, 0, 1) }).h)
        expect(out.some(Number.isNaN), `${JSON.stringify(attributes)} ${at}`).toBe(true)
      }
    }
  })
})
