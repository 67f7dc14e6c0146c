// Corners that a loop may miss: a last element, a single step, a row behind the last one, a number that is just the limit.
import { BatchNormCall } from '../../src/contract/arrays/normalize.ts'
import { ScatterWindowsCall } from '../../src/contract/windows/convolve.ts'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { compile } from '../../src/model/load.ts'
import { readRtneural } from '../../src/formats/rtneural/reader.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { lstmGraph, randomLstm } from '../lstm-graph.ts'
import { LSTM_KERNEL_DISTANCE } from '../tolerance.ts'
import { describeBinaries, runtimeOf } from '../variants.ts'
import { Arena } from './arena.ts'

describeBinaries('corners of kernels', (binary) => {
  const arena = new Arena(binary)
  const { kernels } = arena
  let runtime: Runtime
  beforeEach(() => arena.clear())
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
  })

  it.each([1, 2, 3, 4, 5, 7, 8, 9, 13])('a state of %i units is in use wherever its only number is', async (units) => {
    const graph = lstmGraph(randomLstm({ inputSize: 1, hiddenSize: units, numLayers: 1, bidirectional: false, bias: true }, 3))
    const model = await compile(graph, { runtime })
    // The general kernel never leaves the recurrent product out.
    const otherTanh = { activations: ['sigmoid', 'scaledTanh', 'tanh'], activationAlpha: [0, 1, 0], activationBeta: [0, 1, 0] }
    const general = await compile({ ...graph, nodes: graph.nodes.map((node) => ({ ...node, attributes: { ...node.attributes, ...otherTanh } })) }, { runtime })
    const input = new NdArray(Float32Array.of(0.5, 0.25), [2, 1, 1])
    const zeros = model.run({ input }).output?.data as Float32Array
    for (let at = 0; at < 2 * units; at++) {
      const h = new Float32Array(2 * units)
      h[at] = 1
      const given = { input, h_0: new NdArray(h, [1, 2, units]), c_0: new NdArray(new Float32Array(2 * units), [1, 2, units]) }
      const [got, expected] = [model, general].map((one) => one.run(given).output?.data as Float32Array) as [Float32Array, Float32Array]
      got.forEach((value, n) => expect(Math.abs(value - (expected[n] as number)), `h[${at}], output ${n}`).toBeLessThanOrEqual(LSTM_KERNEL_DISTANCE))
      expect(Math.max(...got.map((value, n) => Math.abs(value - (zeros[n] as number)))), `h[${at}]`).toBeGreaterThan(1e-3)
    }
    model.dispose()
    general.dispose()
  })

  it.each([1, 2, 3, 5])('zeroEmptyRows of %i steps: rows without a valid step, wherever the only one is', (timesteps) => {
    const rows = timesteps + 1
    // Row n has its only valid step at n; the last row has none.
    const mask = Uint8Array.from({ length: rows * timesteps }, (_, n) => (Math.floor(n / timesteps) === n % timesteps ? 7 : 0))
    const maskPtr = arena.allocate(mask.length)
    const statePtr = arena.floats(new Float32Array(rows * 3).fill(5))
    for (let n = 0; n < mask.length; n++) kernels.fillZero(maskPtr + n, 1)
    const lengthsPtr = arena.ints(Array.from({ length: rows }, () => timesteps))
    // Ones everywhere, then zeros where the mask has them.
    expect(kernels.maskFromLengths(lengthsPtr, rows, timesteps, maskPtr)).toBe(-1)
    mask.forEach((valid, n) => {
      if (valid === 0) kernels.fillZero(maskPtr + n, 1)
    })
    arena.call([[statePtr + timesteps * 12, 12]], () => kernels.zeroEmptyRows(maskPtr, rows, timesteps, statePtr, 12))
    expect([...arena.read(statePtr, rows * 3)]).toEqual([...Array.from({ length: timesteps * 3 }, () => 5), 0, 0, 0])
  })

  it.each([
    { length: 3, window: 2, stride: 1, dilation: 1, pad: 0, out: 3 }, { length: 3, window: 3, stride: 2, dilation: 1, pad: 1, out: 5 },
    { length: 2, window: 3, stride: 1, dilation: 2, pad: 2, out: 2 }, { length: 4, window: 1, stride: 3, dilation: 1, pad: 0, out: 9 },
  ])('scatterF32 writes its $out rows and none before or behind them: $length products of $window', ({ length, window, stride, dilation, pad, out }) => {
    const channels = 2
    const products = Float32Array.from({ length: length * channels * window }, (_, n) => n + 1)
    const expected = new Float32Array(out * channels)
    for (let n = 0; n < length; n++) {
      for (let j = 0; j < window; j++) {
        const position = n * stride + j * dilation - pad
        if (position < 0 || position >= out) continue
        for (let c = 0; c < channels; c++) {
          const at = position * channels + c
          expected[at] = (expected[at] as number) + (products[(n * channels + c) * window + j] as number)
        }
      }
    }
    const positions = Array.from({ length: length * window }, (_, n) => Math.floor(n / window) * stride + n % window * dilation - pad)
    expect(positions.some((position) => position === out || position === -1), 'one falls just outside').toBe(true)
    const productsPtr = arena.floats(products)
    // Zeros around it: what is added to a NaN would not be seen.
    const outPtr = arena.floats(new Float32Array((out + 2) * channels)) + channels * 4
    const callPtr = arena.record(ScatterWindowsCall, {
      width: length, windowHeight: 1, windowWidth: window, channels, strideRows: 1, strideColumns: stride, dilationRows: 1, dilationColumns: dilation,
      padTop: 0, padLeft: pad, outHeight: 1, outWidth: out, outPixelBytes: channels * 4,
    })
    arena.call([[outPtr, out * channels * 4]], () => kernels.scatterF32(callPtr, 0, productsPtr, 0, outPtr))
    expect([...arena.read(outPtr, out * channels)]).toEqual([...expected])
  })

  it('batchNormF32 adds epsilon to the variance, before the root', () => {
    const [x, scale, bias, mean, variance] = [[2, -3], [1.5, 2], [0.5, -1], [1, 1], [0.001, 0]] as [number[], number[], number[], number[], number[]]
    const pointers = [scale, bias, mean, variance].map((values) => arena.floats(values)) as [number, number, number, number]
    const xPtr = arena.floats(x)
    const [outPtr, factorsPtr] = [arena.allocate(8), arena.allocate(128)]
    for (const epsilon of [0.001, 0.25]) {
      kernels.batchNormF32(arena.record(BatchNormCall, { outer: 1, channels: 2, inner: 1, epsilon }), xPtr, outPtr, ...pointers, factorsPtr)
      const at = (values: number[], n: number): number => values[n] as number
      const expected = x.map((value, n) => (value - at(mean, n)) / Math.sqrt(at(variance, n) + epsilon) * at(scale, n) + at(bias, n))
      arena.read(outPtr, 2).forEach((value, n) => expect(Math.abs(value / (expected[n] as number) - 1), `epsilon ${epsilon}, ${n}`).toBeLessThan(1e-6))
    }
  })
})

describe('the epsilon of a batchnorm in a file of RTNeural', () => {
  const y = async (more: object): Promise<number> => {
    const json = { in_shape: [null, null, 1], layers: [{ type: 'batchnorm', activation: '', shape: [null, null, 1], weights: [[1], [0.002]], ...more }] }
    using model = await compile(readRtneural(new TextEncoder().encode(JSON.stringify(json))))
    return (model.run({ input: new NdArray(Float32Array.of(3), [1, 1, 1]) }).output?.data as Float32Array)[0] as number
  }

  it('is the file\'s, and 0.001 where it has none', async () => {
    expect(await y({ epsilon: 0.25 })).toBeCloseTo(2 / Math.sqrt(0.252), 5)
    expect(await y({ epsilon: 0 })).toBeCloseTo(2 / Math.sqrt(0.002), 4)
    expect(await y({})).toBeCloseTo(2 / Math.sqrt(0.003), 4)
  })
})
