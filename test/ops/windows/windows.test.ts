import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NdArray } from '../../../src/values/ndarray.ts'
import type { Shape } from '../../../src/values/shape.ts'
import { expectError } from '../../expect-error.ts'
import { at, expectClose, expectSame, floats, indicesOf, random, rowOf, tabulate } from '../reference.ts'
import { buildNode, runNode, type Attributes } from '../one-node.ts'

/** [batch, ..., channels] of [batch, channels, ...], or the other way round. */
function channelsTo(place: 'last' | 'first', x: NdArray): NdArray {
  const [batch, ...rest] = x.shape as [number, ...number[]]
  const shape = place === 'last' ? [batch, ...rest.slice(1), rest[0] as number] : [batch, rest.at(-1), ...rest.slice(0, -1)]
  const data = tabulate(shape, (...index) => {
    const [n, ...inner] = index as [number, ...number[]]
    return at(x, place === 'last' ? [n, inner.at(-1), ...inner.slice(0, -1)] : [n, ...inner.slice(1), inner[0] as number])
  })
  return new NdArray(Float32Array.from(data), shape)
}

interface Sliding {
  readonly sizes: Shape
  readonly kernel: Shape
  readonly strides: Shape
  readonly dilations: Shape
  readonly pads: Shape
}

const axis = fc.record({
  kernel: fc.integer({ min: 1, max: 4 }), stride: fc.integer({ min: 1, max: 3 }), dilation: fc.integer({ min: 1, max: 2 }),
  before: fc.nat(3), after: fc.nat(3), more: fc.nat(6),
})

/** Windows over one or two axes, padding less than a window. */
const sliding: fc.Arbitrary<Sliding> = fc.array(axis, { minLength: 1, maxLength: 2 }).map((axes) => {
  const reach = (one: (typeof axes)[number]): number => (one.kernel - 1) * one.dilation + 1
  return {
    sizes: axes.map((one) => reach(one) + one.more),
    kernel: axes.map(({ kernel }) => kernel), strides: axes.map(({ stride }) => stride), dilations: axes.map(({ dilation }) => dilation),
    pads: [...axes.map((one) => Math.min(one.before, reach(one) - 1)), ...axes.map((one) => Math.min(one.after, reach(one) - 1))],
  }
})

function countOf({ sizes, kernel, strides, dilations, pads }: Sliding, n: number, ceilMode: boolean = false): number {
  const [size, stride, before, after] = [sizes[n] as number, strides[n] as number, pads[n] as number, pads[n + sizes.length] as number]
  const steps = (size + before + after - ((kernel[n] as number) - 1) * (dilations[n] as number) - 1) / stride
  if (!ceilMode) return Math.floor(steps) + 1
  const count = Math.ceil(steps) + 1
  return (count - 1) * stride >= size + before ? count - 1 : count
}

/** Positions in x that the window of output `index` looks at, with the positions in the window. */
function lookedAt({ kernel, strides, dilations, pads }: Sliding, index: readonly number[]): { tap: number[], position: number[] }[] {
  return indicesOf(kernel).map((tap) => ({
    tap,
    position: tap.map((n, k) => (index[k] as number) * (strides[k] as number) - (pads[k] as number) + n * (dilations[k] as number)),
  }))
}

function convolve(x: NdArray, w: NdArray, bias: NdArray | undefined, windows: Sliding, group: number): [number[], Float64Array] {
  const [batch] = x.shape as [number]
  const [columns, channels] = w.shape as [number, number]
  const shape = [batch, columns, ...windows.sizes.map((_, n) => countOf(windows, n))]
  return [shape, tabulate(shape, (...all) => {
    const [n, m, ...index] = all as [number, number, ...number[]]
    let sum = bias === undefined ? 0 : at(bias, [m])
    for (const { tap, position } of lookedAt(windows, index)) {
      if (position.some((p, k) => p < 0 || p >= (windows.sizes[k] as number))) continue
      const first = Math.floor(m / (columns / group)) * channels
      for (let c = 0; c < channels; c++) sum += at(x, [n, first + c, ...position]) * at(w, [m, c, ...tap])
    }
    return sum
  })]
}

describe('conv', () => {
  it('agrees with float64 for any window, groups and both orders of axes', () => {
    const channels = fc.tuple(fc.constantFrom(1, 2, 3), fc.constantFrom(1, 3, 5), fc.constantFrom(1, 3, 17))
    fc.assert(fc.property(sliding, channels, fc.integer({ min: 1, max: 3 }), fc.boolean(), (windows, [group, perGroup, columns], batch, hasBias) => {
      const x = random(1, [batch, group * perGroup, ...windows.sizes])
      const w = random(2, [group * columns, perGroup, ...windows.kernel])
      const bias = hasBias ? random(3, [group * columns]) : undefined
      const [shape, expected] = convolve(x, w, bias, windows, group)
      const { strides, dilations, pads, kernel } = windows
      const attributes: Attributes = { strides, dilations, pads, kernelShape: kernel, group }
      const constants = hasBias ? [1, 2] : [1]
      const got = runNode('conv', [x, w, bias], { attributes, constants })
      expectClose(got, shape, expected, 2e-6)
      expectSame(runNode('conv', [x, w, bias], { attributes }), got)
      const last = runNode('conv', [channelsTo('last', x), w, bias], { attributes: { ...attributes, channelsLast: true }, constants })
      expectSame(channelsTo('first', last), got)
      for (let row = 0; row < batch; row++) expectSame(runNode('conv', [rowOf(x, row), w, bias], { attributes, constants }), rowOf(got, row))
    }), { numRuns: 80, seed: 1 })
  })

  it('is cut into portions where windows are many', () => {
    const windows = { sizes: [2000], kernel: [5], strides: [1], dilations: [1], pads: [2, 2] }
    const [x, w] = [random(1, [2, 8, 2000]), random(2, [3, 8, 5])]
    expectClose(runNode('conv', [x, w], { attributes: { pads: [2, 2] }, constants: [1] }), ...convolve(x, w, undefined, windows, 1), 2e-6)
  })

  it.each([['SAME_UPPER', 1, 2], ['SAME_LOWER', 2, 1], ['VALID', 0, 0]])('autoPad %s', (autoPad, before, after) => {
    const windows = { sizes: [9], kernel: [4], strides: [1], dilations: [1], pads: [before, after] }
    const [x, w] = [random(1, [2, 3, 9]), random(2, [5, 3, 4])]
    expectClose(runNode('conv', [x, w], { attributes: { autoPad }, constants: [1] }), ...convolve(x, w, undefined, windows, 1), 1e-6)
    const strided = { ...windows, strides: [2], pads: autoPad === 'VALID' ? [0, 0] : autoPad === 'SAME_UPPER' ? [1, 2] : [2, 1] }
    expectClose(runNode('conv', [x, w], { attributes: { autoPad, strides: [2] }, constants: [1] }), ...convolve(x, w, undefined, strided, 1), 1e-6)
  })

  it('knows the shapes', () => {
    const shapeOf = (attributes: Attributes): unknown => (
      buildNode('conv', [random(1, [1, 3, 9]), random(2, [5, 3, 3])], { attributes, constants: [1], shapes: [['batch', 3, 'timesteps']] }).types.get('y')?.shape
    )
    expect(shapeOf({})).toEqual(['batch', 5, 'node.0'])
    expect(shapeOf({ pads: [1, 1] })).toEqual(['batch', 5, 'timesteps'])
    expect(shapeOf({ pads: [2, 0] })).toEqual(['batch', 5, 'timesteps'])
    expect(shapeOf({ autoPad: 'SAME_UPPER' })).toEqual(['batch', 5, 'timesteps'])
    expect(shapeOf({ autoPad: 'SAME_UPPER', strides: [2] })).toEqual(['batch', 5, 'node.0'])
  })

  it('says what does not fit', () => {
    const [x, w] = [random(1, [2, 3, 9]), random(2, [5, 3, 4])]
    const fails = (attributes: Attributes, inputs: (NdArray | undefined)[] = [x, w]) => (): NdArray => runNode('conv', inputs, { attributes })
    expectError(fails({ group: 2 }), 'SHAPE', "conv 'node': weights [5, 3, 4] with group 2 do not fit the input [2, 3, 9]")
    expectError(fails({ channelsLast: true }), 'SHAPE', "conv 'node': weights [5, 3, 4] with group 1 do not fit the input [2, 3, 9]")
    expectError(fails({ kernelShape: [3] }), 'SHAPE', "conv 'node': expected 'kernelShape' as in the weights, [4], got [3]")
    expectError(fails({ dilations: [4] }), 'SHAPE', "conv 'node': a window of 13 does not fit 9 elements with padding 0 and 0")
    expectError(fails({ pads: [1] }), 'VALUE', "conv 'node': expected 2 whole numbers >= 0 for 'pads', got [1]")
    expectError(fails({ strides: [0] }), 'VALUE', "conv 'node': expected 1 whole numbers >= 1 for 'strides', got [0]")
    expectError(fails({ autoPad: 'SAME' }), 'VALUE', /conv 'node': expected 'NOTSET' or .* for 'autoPad', got "SAME"/)
    expectError(fails({}, [x, w, random(1, [4])]), 'SHAPE', "conv 'node': expected a bias of shape [5], got [4]")
    expectError(fails({}, [random(1, [2, 3]), w]), 'SHAPE', "conv 'node': expected [batch, channels, length] or [batch, channels, height, width], got [2, 3]")
  })
})

describe('convTranspose', () => {
  const along = fc.record({
    kernel: fc.integer({ min: 1, max: 4 }), stride: fc.integer({ min: 1, max: 3 }), dilation: fc.integer({ min: 1, max: 2 }),
    before: fc.nat(2), after: fc.nat(2), outputPadding: fc.nat(1), size: fc.integer({ min: 3, max: 6 }),
  })
  const numbers = fc.record({
    axes: fc.array(along, { minLength: 1, maxLength: 2 }), group: fc.integer({ min: 1, max: 2 }),
    hasBias: fc.boolean(), columns: fc.integer({ min: 1, max: 3 }),
  })

  it('agrees with float64 over one axis and two', () => {
    fc.assert(fc.property(numbers, ({ axes, group, hasBias, columns }) => {
      const [batch, perGroup] = [2, 3]
      const x = random(1, [batch, group * perGroup, ...axes.map(({ size }) => size)])
      const w = random(2, [group * perGroup, columns, ...axes.map(({ kernel }) => kernel)])
      const bias = hasBias ? random(3, [group * columns]) : undefined
      const reach = axes.map(({ kernel, dilation }) => (kernel - 1) * dilation + 1)
      const out = axes.map(({ size, stride, before, after, outputPadding }, n) => (size - 1) * stride + (reach[n] as number) + outputPadding - before - after)
      fc.pre(out.every((size) => size > 0))
      const shape = [batch, group * columns, ...out]
      const taps = indicesOf(axes.map(({ kernel }) => kernel))
      const expected = tabulate(shape, (...all) => {
        const [n, m, ...position] = all as [number, number, ...number[]]
        const g = Math.floor(m / columns)
        let sum = bias === undefined ? 0 : at(bias, [m])
        for (const tap of taps) {
          const from = axes.map(({ stride, dilation, before }, k) => ((position[k] as number) + before - (tap[k] as number) * dilation) / stride)
          if (from.some((index, k) => !Number.isInteger(index) || index < 0 || index >= (axes[k] as (typeof axes)[number]).size)) continue
          for (let c = g * perGroup; c < (g + 1) * perGroup; c++) sum += at(x, [n, c, ...from]) * at(w, [c, m % columns, ...tap])
        }
        return sum
      })
      const attributes: Attributes = {
        strides: axes.map(({ stride }) => stride), dilations: axes.map(({ dilation }) => dilation), group,
        pads: [...axes.map(({ before }) => before), ...axes.map(({ after }) => after)], outputPadding: axes.map(({ outputPadding }) => outputPadding),
      }
      const got = runNode('convTranspose', [x, w, bias], { attributes, constants: [1] })
      expectClose(got, shape, expected, 1e-6)
      const last = runNode('convTranspose', [channelsTo('last', x), w, bias], { attributes: { ...attributes, channelsLast: true } })
      expectSame(channelsTo('first', last), got)
      for (let row = 0; row < batch; row++) expectSame(runNode('convTranspose', [rowOf(x, row), w, bias], { attributes }), rowOf(got, row))
    }), { numRuns: 60, seed: 2 })
  })

  it('takes the sizes of its result, and cuts at the ends what is too much', () => {
    const [x, w] = [random(1, [1, 2, 5, 3]), random(2, [2, 3, 4, 2])]
    const sized = (autoPad: string, outputShape: number[]): NdArray => runNode('convTranspose', [x, w], { attributes: { strides: [2, 1], outputShape, autoPad } })
    const cut = (pads: number[]): NdArray => runNode('convTranspose', [x, w], { attributes: { strides: [2, 1], pads } })
    expectSame(sized('SAME_UPPER', [9, 3]), cut([1, 0, 2, 1]))
    expectSame(sized('SAME_LOWER', [9, 3]), cut([2, 1, 1, 0]))
    expectError(() => sized('NOTSET', [13, 3]), 'SHAPE', "convTranspose 'node': expected an output shape of at most 12 along axis 0, got 13")
  })

  it('SAME is `strides` times as long; nothing left is an error', () => {
    const [x, w] = [random(1, [1, 2, 5]), random(2, [2, 3, 4])]
    expect(runNode('convTranspose', [x, w], { attributes: { autoPad: 'SAME_UPPER', strides: [2] } }).shape).toEqual([1, 3, 10])
    expectError(
      () => runNode('convTranspose', [x, w], { attributes: { pads: [4, 4] } }), 'SHAPE', "convTranspose 'node': padding 4 and 4 leaves nothing of 8 elements",
    )
  })
})

describe('pools', () => {
  it.each(['maxPool', 'averagePool', 'sumPool'])('%s agrees with float64 for any window and both orders of axes', (op) => {
    fc.assert(fc.property(sliding, fc.boolean(), fc.boolean(), fc.constantFrom(1, 3, 5), (given, ceilMode, countIncludePad, channels) => {
      // Dilated windows may look at nothing but padding, which has no largest element.
      const windows = { ...given, dilations: given.dilations.map(() => 1) }
      windows.pads = windows.pads.map((pad, n) => Math.min(pad, (windows.kernel[n % windows.kernel.length] as number) - 1))
      const x = random(1, [2, channels, ...windows.sizes])
      const shape = [2, channels, ...windows.sizes.map((_, n) => countOf(windows, n, ceilMode))]
      const expected = tabulate(shape, (...all) => {
        const [n, c, ...index] = all as [number, number, ...number[]]
        const looked = lookedAt(windows, index)
        const inside = looked.filter(({ position }) => position.every((p, k) => p >= 0 && p < (windows.sizes[k] as number)))
        const values = inside.map(({ position }) => at(x, [n, c, ...position]))
        if (op === 'maxPool') return Math.max(...values)
        if (op === 'sumPool') return values.reduce((a, b) => a + b, 0)
        const padded = looked.filter(({ position }) => (
          position.every((p, k) => p < (windows.sizes[k] as number) + (windows.pads[k + windows.sizes.length] as number))
        ))
        return values.reduce((a, b) => a + b, 0) / (countIncludePad ? padded.length : values.length)
      })
      const attributes: Attributes = {
        kernelShape: windows.kernel, strides: windows.strides, pads: windows.pads, ceilMode, ...(op === 'averagePool' && { countIncludePad }),
      }
      const got = runNode(op, [x], { attributes })
      expectClose(got, shape, expected, 5e-7)
      const last = runNode(op, [channelsTo('last', x)], { attributes: { ...attributes, channelsLast: true } })
      expectSame(channelsTo('first', last), got)
      expectSame(runNode(op, [rowOf(x, 1)], { attributes }), rowOf(got, 1))
    }), { numRuns: 60, seed: 3 })
  })

  it('dilated windows skip elements', () => {
    const x = floats([1, 9, 2, 8, 3, 7, 4], [1, 1, 7])
    expectSame(runNode('maxPool', [x], { attributes: { kernelShape: [3], dilations: [2] } }), floats([3, 9, 4], [1, 1, 3]))
    expectSame(runNode('averagePool', [x], { attributes: { kernelShape: [3], dilations: [2], pads: [2, 0] } }), floats([1.5, 8.5, 2, 8, 3], [1, 1, 5]))
  })

  it('global pools reduce all axes but batch and channels', () => {
    const x = random(1, [2, 3, 5, 7])
    for (const [op, f] of [['globalMaxPool', (v: number[]) => Math.max(...v)], ['globalAveragePool', (v: number[]) => v.reduce((a, b) => a + b, 0) / v.length]] as const) {
      const expected = tabulate([2, 3, 1, 1], (n = 0, c = 0) => f(indicesOf([5, 7]).map((index) => at(x, [n, c, ...index]))))
      const got = runNode(op, [x])
      expectClose(got, [2, 3, 1, 1], expected, 1e-7)
      const last = runNode(op, [channelsTo('last', x)], { attributes: { channelsLast: true } })
      expectClose(channelsTo('first', last), [2, 3, 1, 1], expected, 1e-7)
    }
  })

  it('says what does not fit', () => {
    const x = random(1, [2, 3, 9])
    expectError(() => runNode('maxPool', [x]), 'VALUE', "maxPool 'node': expected 1 whole numbers >= 1 for 'kernelShape', got undefined")
    expectError(() => runNode('maxPool', [x], { attributes: { kernelShape: [2], pads: [2, 0] } }), 'VALUE', "maxPool 'node': expected padding smaller than the window of 2, got 2")
    expectError(() => runNode('averagePool', [x], { attributes: { kernelShape: [10] } }), 'SHAPE', "averagePool 'node': a window of 10 does not fit 9 elements with padding 0 and 0")
    expectError(() => runNode('globalMaxPool', [random(1, [2, 3])]), 'SHAPE', "globalMaxPool 'node': expected batch, channels and at least one more axis, got [2, 3]")
  })
})

describe('normalisation', () => {
  const normalized = (row: readonly number[], value: number, epsilon: number, centred = true): number => {
    const mean = centred ? row.reduce((a, b) => a + b, 0) / row.length : 0
    return (value - mean) / Math.sqrt(row.reduce((a, b) => a + (b - mean) ** 2, 0) / row.length + epsilon)
  }

  it.each([[-1, [7]], [2, [7]], [1, [5, 7]], [0, [3, 5, 7]]] as const)('layerNormalization from axis %i on', (axisGiven, inner) => {
    const shape = [3, 5, 7]
    const x = new NdArray(random(1, shape).data.map((value) => value + 100), shape)
    const [scale, bias] = [random(2, inner), random(3, inner)]
    const first = axisGiven < 0 ? axisGiven + 3 : axisGiven
    const expected = (withBias: boolean, centred: boolean) => tabulate(shape, (...index) => {
      const row = indicesOf(inner).map((rest) => at(x, [...index.slice(0, first), ...rest]))
      const place = index.slice(first)
      return normalized(row, at(x, index), 1e-5, centred) * at(scale, place) + (withBias ? at(bias, place) : 0)
    })
    const attributes = { axis: axisGiven }
    const got = runNode('layerNormalization', [x, scale, bias], { attributes, constants: [1, 2] })
    expectClose(got, shape, expected(true, true), 3e-7)
    expectClose(runNode('layerNormalization', [x, scale], { attributes }), shape, expected(false, true), 3e-7)
    expectClose(runNode('rmsNormalization', [x, scale], { attributes }), shape, expected(false, false), 3e-7)
    if (first > 0) for (let row = 0; row < 3; row++) expectSame(runNode('layerNormalization', [rowOf(x, row), scale, bias], { attributes }), rowOf(got, row))
  })

  it.each([[[5, 3]], [[2, 3, 7]], [[2, 17, 3, 5]]])('batchNormalization and instanceNormalization of %j', (shape) => {
    const x = random(1, shape)
    const channels = shape[1] as number
    const [scale, bias, mean] = [random(2, [channels]), random(3, [channels]), random(4, [channels])]
    const variance = new NdArray(random(5, [channels]).data.map((value) => Math.abs(value) + 0.1), [channels])
    const expected = tabulate(shape, (...index) => {
      const c = [index[1] as number]
      return (at(x, index) - at(mean, c)) / Math.sqrt(at(variance, c) + 1e-3) * at(scale, c) + at(bias, c)
    })
    const attributes = { epsilon: 1e-3 }
    const got = runNode('batchNormalization', [x, scale, bias, mean, variance], { attributes, constants: [1, 2, 3, 4] })
    expectClose(got, shape, expected, 1e-6)
    const last = runNode('batchNormalization', [channelsTo('last', x), scale, bias, mean, variance], { attributes: { ...attributes, channelsLast: true } })
    expectSame(channelsTo('first', last), got)
    if (shape.length < 3) return
    const instance = tabulate(shape, (...index) => {
      const [n, c] = index as [number, number]
      const row = indicesOf(shape.slice(2)).map((rest) => at(x, [n, c, ...rest]))
      return normalized(row, at(x, index), 1e-3) * at(scale, [c]) + at(bias, [c])
    })
    expectClose(runNode('instanceNormalization', [x, scale, bias], { attributes }), shape, instance, 1e-6)
  })

  it('says what does not fit', () => {
    const x = random(1, [2, 3])
    const three = random(1, [3])
    const two = random(1, [2])
    expectError(() => runNode('layerNormalization', [x, two]), 'SHAPE', "layerNormalization 'node': expected [3] as input 1, got [2]")
    expectError(() => runNode('batchNormalization', [x, three, three, two, three]), 'SHAPE', "batchNormalization 'node': expected [3] as input 3, got [2]")
    expectError(() => runNode('batchNormalization', [x, three, three, three]), 'SHAPE', "batchNormalization 'node': expected an input at position 4, got none")
    expectError(() => runNode('instanceNormalization', [x, three, three]), 'SHAPE', "instanceNormalization 'node': expected [batch, channels, ...], got [2, 3]")
  })
})
