// Masks, lengths, layers and directions of GRUs and simple recurrent layers; what their attributes may be.
import { beforeAll, describe, expect, it } from 'vitest'
import type { Graph } from '../../../src/graph/graph.ts'
import { summarise } from '../../../src/graph/summary.ts'
import { compile } from '../../../src/model/load.ts'
import { createRuntime } from '../../../src/runtime/create.ts'
import type { Runtime } from '../../../src/runtime/runtime.ts'
import { NdArray } from '../../../src/values/ndarray.ts'
import { expectRejection } from '../../expect-error.ts'
import '../../guards.ts'
import { maskedSequence, type Step } from '../../reference-cell.ts'
import { LSTM_KERNEL_DISTANCE } from '../../tolerance.ts'
import { describeBinaries, runtimeOf } from '../../variants.ts'
import { farthest, floats, reference, setUp, type Case, type Sizes } from './gru-cases.ts'

describeBinaries('Stacks of GRU and simple recurrent layers', (binary) => {
  let runtime: Runtime
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
  })

  it('gives the last output of each mask rule, and zeros to rows without a step where they are asked for', async () => {
    for (const op of ['gru', 'rnn'] as const) {
      for (const maskRule of ['zero', 'hold', 'multiply'] as const) {
        for (const zeroEmptyState of [false, true]) {
          const test = { op, mask: true, attributes: { maskRule, returnSequences: false, zeroEmptyState } }
          const setup = setUp(test, [3, 5, 3, 7], 5)
          setup.mask.data.fill(0, 0, 7)
          const { y, h } = (await compile(setup.graph, { runtime })).run({ x: setup.x, h0: setup.h0, mask: setup.mask })
          const expected = reference(setup, test, [3, 5, 3, 7], setup.h0.data)
          const zeroed = (values: number[]): number[] => values.map((value, n) => (zeroEmptyState && n < 5 ? 0 : value))
          const last = maskRule === 'zero' ? zeroed(expected.last) : expected.last
          expect(farthest(floats(h), zeroed(expected.h)), `${op} ${maskRule} h`).toBeLessThan(LSTM_KERNEL_DISTANCE)
          expect(farthest(floats(y), last), `${op} ${maskRule} y`).toBeLessThan(LSTM_KERNEL_DISTANCE)
        }
      }
    }
  })

  it('takes lengths for masks, refuses them out of range, and refuses both at once', async () => {
    for (const op of ['gru', 'rnn'] as const) {
      const { graph, x, h0 } = setUp({ op, mask: true, attributes: { maskRule: 'zero' } }, [3, 5, 3, 7], 5)
      const [node] = graph.nodes as [Graph['nodes'][number]]
      const model = await compile(graph, { runtime })
      const withLengths: Graph = {
        ...graph,
        inputs: [...graph.inputs.slice(0, 2), { name: 'lengths', dtype: 'int32', shape: ['batch'] }],
        nodes: [{ ...node, inputs: ['x', 'h0', '', 'lengths'] }],
      }
      const other = await compile(withLengths, { runtime })
      const lengths = new NdArray(Int32Array.of(7, 0, 3), [3])
      const mask = new NdArray(Uint8Array.from({ length: 21 }, (_, n) => Number(n % 7 < (lengths.data[Math.floor(n / 7)] as number))), [3, 7])
      expect(other.run({ x, h0, lengths })).toEqual(model.run({ x, h0, mask }))
      expect(() => other.run({ x, h0, lengths: new NdArray(Int32Array.of(7, 8, 3), [3]) })).toThrow('expected lengths from 0 to 7, got another one for batch row 1')
      const withBoth: Graph = {
        ...withLengths, inputs: [...graph.inputs, ...withLengths.inputs.slice(2)], nodes: [{ ...node, inputs: ['x', 'h0', 'mask', 'lengths'] }],
      }
      await expectRejection(compile(withBoth, { runtime }), 'VALUE', /a mask or lengths, got both/)
    }
  })

  it('stacks layers and directions, time-major as well as batch-major', async () => {
    for (const op of ['gru', 'rnn'] as const) {
      const sizes: Sizes = [3, 5, 2, 6]
      const attributes = { numLayers: 3, direction: 'bidirectional' }
      const { graph, steps, x, h0 } = setUp({ op, attributes }, sizes, 31)
      const [inputSize, hiddenSize, batch, timesteps] = sizes
      let rows: number[] = [...x.data]
      let features = inputSize
      const finals: number[] = []
      for (let layer = 0; layer < 3; layer++) {
        const ways = [false, true].map((reverse, index) => {
          const at = (2 * layer + index) * batch * hiddenSize
          return maskedSequence(steps[2 * layer + index] as Step, { inputSize: features, outputSize: hiddenSize, cellSize: 0 }, rows, batch, timesteps, {
            reverse, rule: 'zero', mask: undefined, h0: h0.data.subarray(at, at + batch * hiddenSize),
          })
        })
        finals.push(...ways.flatMap(({ h }) => h))
        rows = Array.from({ length: batch * timesteps }, (_, n) => ways.flatMap(({ y }) => y.slice(n * hiddenSize, (n + 1) * hiddenSize))).flat()
        features = 2 * hiddenSize
      }
      const { y, h } = (await compile(graph, { runtime })).run({ x, h0 })
      expect(farthest(floats(y), rows)).toBeLessThan(4 * LSTM_KERNEL_DISTANCE)
      expect(farthest(floats(h), finals)).toBeLessThan(4 * LSTM_KERNEL_DISTANCE)
      const turned = setUp({ op, attributes: { ...attributes, timeMajor: true } }, sizes, 31)
      const swap = (values: Float32Array, from: number, to: number, width: number): Float32Array => Float32Array.from({ length: values.length }, (_, n) => {
        const row = Math.floor(n / width)
        return values[((row % from) * to + Math.floor(row / from)) * width + n % width] as number
      })
      const timeFirst = new NdArray(swap(x.data, batch, timesteps, inputSize), [timesteps, batch, inputSize])
      const other = (await compile(turned.graph, { runtime })).run({ x: timeFirst, h0 })
      expect(swap(floats(other.y), timesteps, batch, 2 * hiddenSize)).toEqual(floats(y))
      expect(floats(other.h)).toEqual(floats(h))
    }
  })

  it('leaves outputs in the order they are made, where that is wanted', async () => {
    for (const op of ['gru', 'rnn'] as const) {
      const sizes: Sizes = [3, 5, 2, 6]
      const run = async (attributes: Case['attributes']): Promise<Float32Array> => {
        const { graph, x, h0 } = setUp({ op, attributes: { direction: 'reverse', ...attributes } }, sizes, 3)
        return floats((await compile(graph, { runtime })).run({ x, h0 }).y)
      }
      const [usual, reversed] = [await run({}), await run({ reversedOutput: true })]
      for (let row = 0; row < 12; row++) {
        const from = row < 6 ? 5 - row : 17 - row
        expect(reversed.slice(row * 5, row * 5 + 5)).toEqual(usual.slice(from * 5, from * 5 + 5))
      }
    }
  })
})

describe('attributes and weights', () => {
  it.each([
    ['gru', { activations: ['sigmoid'] }, 'VALUE', /expected 2 names for 'activations' \(gates and candidate of each direction\), got \["sigmoid"\]/],
    ['rnn', { activations: ['tanh', 'tanh'] }, 'VALUE', /expected 1 names for 'activations'/],
    ['gru', { activationAlpha: [1] }, 'VALUE', /expected 2 numbers for 'activationAlpha'/],
    ['gru', { resetAfter: 'yes' }, 'VALUE', /expected true or false for 'resetAfter', got "yes"/],
    ['rnn', { resetAfter: true }, 'UNSUPPORTED', /resetAfter/],
    ['gru', { hiddenSize: 0 }, 'VALUE', /hiddenSize/],
    ['gru', { hiddenSize: 6 }, 'SHAPE', /expected \[18, 3\]/],
    ['rnn', { clip: -1 }, 'VALUE', /clip/],
    ['gru', { reversedOutput: true }, 'UNSUPPORTED', /reversedOutput/],
    ['gru', { projSize: 2 }, 'UNSUPPORTED', /projSize/],
  ] as const)('%s %o', async (op, attributes, code, message) => {
    const { graph } = setUp({ op }, [3, 5, 2, 4], 1)
    const [node] = graph.nodes as [Graph['nodes'][number]]
    const changed: Graph = { ...graph, nodes: [{ ...node, attributes: { ...node.attributes, ...attributes } }] }
    await expectRejection(compile(changed, { runtime: await createRuntime() }), code, message)
  })

  it('counts, and says how the parameters add up', () => {
    const rowOf = (test: Omit<Case, 'name'>): unknown => {
      const [row] = summarise(setUp(test, [3, 5, 2, 4], 1).graph).rows
      return [row?.detail, row?.multiplyAdds, row?.parameters, row?.arithmetic]
    }
    expect(rowOf({ op: 'gru' })).toEqual([
      '5 units, every step', 3 * 5 * (3 + 5), 3 * 5 * (3 + 5 + 2), ['3 gates x (3 x 5 input + 5 x 5 recurrent + 2 x 5 bias) = 150 parameters'],
    ])
    expect(rowOf({ op: 'gru', biases: ['inputBias'], attributes: { resetAfter: false, clip: 2, activations: ['hardSigmoid', 'tanh'], returnSequences: false } })).toEqual([
      '5 units, reset before the product, clip 2, hardSigmoid/tanh, last step', 120, 135, ['3 gates x (3 x 5 input + 5 x 5 recurrent + 5 bias) = 135 parameters'],
    ])
    expect(rowOf({ op: 'rnn', attributes: { numLayers: 2, direction: 'bidirectional' } })).toEqual([
      '5 units, 2 layers, bidirectional, every step', 2 * 5 * 8 + 2 * 5 * 15, 2 * 5 * 10 + 2 * 5 * 17, [
        'layer 0 forward: 3 x 5 input + 5 x 5 recurrent + 2 x 5 bias = 50 parameters', 'layer 0 reverse: 3 x 5 input + 5 x 5 recurrent + 2 x 5 bias = 50 parameters',
        'layer 1 forward: 10 x 5 input + 5 x 5 recurrent + 2 x 5 bias = 85 parameters', 'layer 1 reverse: 10 x 5 input + 5 x 5 recurrent + 2 x 5 bias = 85 parameters',
      ],
    ])
  })
})
