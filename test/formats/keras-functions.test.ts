// Functions that models call without a layer, layers that move elements, and layers that are called twice, against loops.
import { describe, expect, it } from 'vitest'
import { KERAS_2, KERAS_3 } from '../../src/formats/keras/dialect.ts'
import type { Json } from '../../src/formats/json.ts'
import { compile } from '../../src/model/load.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { random } from '../weights.ts'
import { build, call, input, tensor, type Settings } from './keras-models.ts'

const [A, B] = [random(11, 2, 3, 4), random(12, 2, 3, 4)]

/** What a function makes of two inputs [2, 3, 4]. */
async function outputOf(layer: Json): Promise<NdArray> {
  using model = await compile(build([input('a', 3, 4), input('b', 3, 4), layer], [['y', 0, 0]], KERAS_2))
  return model.run({ a: A, b: B }).y as NdArray
}

/** As Keras 2 writes it: the list is its arguments. */
const inTensorFlow = (name: string, kwargs: Settings): Json => call('TFOpLambda', 'y', ['a', 'b'], { function: name }, kwargs)
/** As Keras 3 writes it: the list is the first argument. */
function inKeras3(name: string, ...more: Json[]): Json {
  const of = (layer: string): Json => ({ class_name: '__keras_tensor__', config: { shape: [null, 3, 4], dtype: 'float32', keras_history: [layer, 0, 0] } })
  return { module: 'keras.src.ops.numpy', class_name: name, name: 'y', config: { name: 'y', ...Object.assign({}, ...more) as Settings }, inbound_nodes: [{ args: [[of('a'), of('b')]], kwargs: {} }] }
}

describe('functions of a list of tensors', () => {
  it.each([
    ['stack', inTensorFlow('stack', { axis: 1 }), 1], ['stack', inTensorFlow('stack', { axis: -1 }), 3], ['stack', inTensorFlow('stack', { axis: 2 }), 2],
    ['Stack', inKeras3('Stack', { axis: 3 }), 3], ['Stack', inKeras3('Stack', { axis: -2 }), 2],
  ] as const)('%s puts them side by side along an axis of its own (%#)', async (_name, layer, axis) => {
    const { shape, data } = await outputOf(layer)
    expect(shape).toEqual([...[2, 3, 4].slice(0, axis), 2, ...[2, 3, 4].slice(axis)])
    const inner = [2, 3, 4].slice(axis).reduce((a, b) => a * b, 1)
    data.forEach((value, n) => {
      const [block, which, rest] = [Math.floor(n / (2 * inner)), Math.floor(n / inner) % 2, n % inner]
      expect(value).toBe((which === 0 ? A : B).data[block * inner + rest])
    })
  })

  it.each([
    ['concat', inTensorFlow('concat', { axis: 1 }), 1], ['concat', inTensorFlow('concat', { axis: -1 }), 2], ['Concatenate', inKeras3('Concatenate', { axis: 2 }), 2],
  ] as const)('%s puts them one after the other (%#)', async (_name, layer, axis) => {
    const { shape, data } = await outputOf(layer)
    expect(shape).toEqual([2, 3, 4].map((size, n) => (n === axis ? 2 * size : size)))
    const block = [2, 3, 4].slice(axis).reduce((a, b) => a * b, 1)
    data.forEach((value, n) => expect(value).toBe((Math.floor(n / block) % 2 === 0 ? A : B).data[Math.floor(n / (2 * block)) * block + n % block]))
  })

  it('math.add_n adds them', async () => {
    const { data } = await outputOf(inTensorFlow('math.add_n', {}))
    data.forEach((value, n) => expect(value).toBe(Math.fround((A.data[n] as number) + (B.data[n] as number))))
  })
})

describe('one_hot', () => {
  const indices = new NdArray(Float32Array.of(0, 3, -1, 2, 5, -3, 1, -5), [2, 4])
  const layers: [string, Json][] = [
    ['TensorFlow', call('TFOpLambda', 'y', ['a'], { function: 'one_hot' }, { depth: 5, on_value: 2, off_value: -1 })],
    ['Keras 3', {
      module: 'keras.src.ops.nn', class_name: 'OneHot', name: 'y', config: { name: 'y', num_classes: 5, axis: -1 },
      inbound_nodes: [{ args: [{ class_name: '__keras_tensor__', config: { shape: [null, 4], dtype: 'float32', keras_history: ['a', 0, 0] } }], kwargs: {} }],
    }],
  ]
  it.each(layers)('of %s: indices below zero are none, as those beyond the depth', async (name, layer) => {
    using model = await compile(build([input('a', 4), layer], [['y', 0, 0]], KERAS_2))
    const { shape, data } = model.run({ a: indices }).y as NdArray
    const [on, off] = name === 'TensorFlow' ? [2, -1] : [1, 0]
    expect(shape).toEqual([2, 4, 5])
    expect([...data]).toEqual([...indices.data].flatMap((index) => [0, 1, 2, 3, 4].map((n) => (n === index ? on : off))))
  })
})

describe('layers that move elements', () => {
  const moved = async (className: string, settings: Settings): Promise<number[]> => {
    using model = await compile(build([input('a', 3, 4), call(className, 'y', ['a'], settings)], [['y', 0, 0]], KERAS_3))
    const y = model.run({ a: A }).y as NdArray
    return [...y.data.subarray(0, y.data.length / 2)]
  }
  const step = (t: number): number[] => [...A.data.subarray(4 * t, 4 * t + 4)]
  const zeros = (count: number): number[] => Array<number>(4 * count).fill(0)

  it.each([
    [{ padding: 2 }, 2, 2], [{ padding: [0, 1] }, 0, 1], [{ padding: [[3, 0]] }, 3, 0], [{ padding: [2] }, 2, 2],
  ] as const)('ZeroPadding1D %j', async (settings, before, after) => {
    expect(await moved('ZeroPadding1D', settings)).toEqual([...zeros(before), ...[0, 1, 2].flatMap(step), ...zeros(after)])
  })

  it.each([[{ cropping: 1 }, 1, 2], [{ cropping: [0, 2] }, 0, 1], [{ cropping: [2, 0] }, 2, 3], [{ cropping: [0, 0] }, 0, 3]] as const)('Cropping1D %j', async (settings, begin, end) => {
    expect(await moved('Cropping1D', settings)).toEqual([0, 1, 2].slice(begin, end).flatMap(step))
  })

  it.each<[Json, string]>([[[1, 2, 3], 'Array'], [-1, '-1'], [[0, -1], 'Array'], [[[1, 2, 3]], 'Array'], [[[1, 'x']], 'Array']])('ZeroPadding1D of %j is refused', async (padding, got) => {
    expectError(
      () => build([input('a', 3, 4), call('ZeroPadding1D', 'y', ['a'], { padding })], [['y', 0, 0]], KERAS_3), 'FORMAT',
      `Keras: layer 'y' (ZeroPadding1D): expected one or two whole numbers >= 0 for 'padding', got ${got}`,
    )
  })
})

describe('a layer that is called twice', () => {
  const twice = (className: string, settings: Settings): Json => ({ ...call(className, 'd', ['a'], settings) as Settings, inbound_nodes: [[['a', 0, 0, {}]], [['b', 0, 0, {}]]] })

  it.each([
    ['Dense', { units: 2 }, [tensor('d', 'kernel', 1, 4, 2), tensor('d', 'bias', 2, 2)]],
    ['LSTM', { units: 2, return_sequences: true }, [tensor('d', 'kernel', 1, 4, 8), tensor('d', 'recurrent_kernel', 2, 2, 8), tensor('d', 'bias', 3, 8)]],
  ] as const)('has the same weights both times: %s', async (className, settings, tensors) => {
    const outputs = [['d', 0, 0], ['d', 1, 0]]
    using model = await compile(build([input('a', 3, 4), input('b', 3, 4), twice(className, settings)], outputs, KERAS_2, tensors))
    const [first, second] = Object.values(model.run({ a: A, b: A })) as [NdArray, NdArray]
    expect(second.data).toEqual(first.data)
    const [, other] = Object.values(model.run({ a: A, b: B })) as [NdArray, NdArray]
    expect(other.data).not.toEqual(first.data)
  })
})

describe('what functions are given wrongly', () => {
  const refused = (name: string, kwargs: Settings, code: 'FORMAT' | 'UNSUPPORTED', message: RegExp): void => {
    expectError(() => build([input('a', 3, 4), call('TFOpLambda', 'y', ['a'], { function: name }, kwargs)], [['y', 0, 0]], KERAS_2), code, message)
  }

  it('is said with the name of the layer', () => {
    refused('reshape', {}, 'UNSUPPORTED', /layer 'y' \(TFOpLambda\): sizes that are computed/)
    refused('reshape', { shape: [1.5] }, 'FORMAT', /expected whole numbers for 'shape'/)
    refused('gather', { indices: [0], axis: 3 }, 'FORMAT', /expected an axis of 3 for 'axis', got 3/)
    refused('gather', { indices: [0], axis: 1, batch_dims: 1 }, 'UNSUPPORTED', /batch_dims/)
    refused('split', { num_or_size_splits: 0 }, 'FORMAT', /expected parts from 1 to 1024/)
    refused('split', { num_or_size_splits: [1, -1], axis: 0 }, 'UNSUPPORTED', /parts of an axis of unknown size/)
    refused('unstack', { axis: 0 }, 'UNSUPPORTED', /an axis of batch elements/)
    refused('repeat', { repeats: 2, axis: 0 }, 'UNSUPPORTED', /2 times an axis of batch elements/)
    refused('pad', { paddings: [[0, 0]] }, 'FORMAT', /expected two whole numbers for each axis for 'paddings'/)
    refused('pad', { paddings: [[0, 0], [0, 0], [1, 1]], mode: 'SYMMETRIC' }, 'UNSUPPORTED', /mode "symmetric"/)
    refused('cast', { dtype: 'string' }, 'UNSUPPORTED', /the dtype "string"/)
    refused('where', {}, 'UNSUPPORTED', /the indices of what is true/)
    refused('math.argmax', { axis: 'last' }, 'FORMAT', /expected a whole number for 'axis', got "last"/)
    refused('math.argmax', { axis: 1.5 }, 'FORMAT', /expected a whole number for 'axis', got 1\.5/)
  })
})

describe('functions that put elements in order', () => {
  /** As Keras 3 writes it, of an input with any number of steps. */
  const ordering = (name: string, kwargs: Settings, module = 'numpy'): Json => ({
    module: `keras.src.ops.${module}`, class_name: name, name: 'y', config: { name: 'y' },
    inbound_nodes: [{ args: [{ class_name: '__keras_tensor__', config: { shape: [null, null, 4], dtype: 'float32', keras_history: ['a', 0, 0] } }], kwargs }],
  })

  it.each([
    ['Sort', { axis: 1 }, /an axis of unknown size/],
    ['Median', { axis: 1 }, /an axis of unknown size/],
    ['Roll', { shift: 2, axis: 1 }, /an axis of unknown size/],
    ['Roll', { shift: 2, axis: null }, /no axis/],
  ] as const)('%s %j is refused by name', (name, kwargs, message) => {
    expectError(() => build([input('a', null, 4), ordering(name, kwargs)], [['y', 0, 0]], KERAS_3), 'UNSUPPORTED', message)
  })

  it('roll by a step along an axis of any size', async () => {
    using model = await compile(build([input('a', null, 4), ordering('Roll', { shift: 1, axis: 1 })], [['y', 0, 0]], KERAS_3))
    const x = random(5, 2, 3, 4)
    const { data } = model.run({ a: x }).y as NdArray
    data.forEach((value, n) => expect(value).toBe(x.data[Math.floor(n / 12) * 12 + (n + 8) % 12]))
  })

  it('median of an odd and of an even number, nan_to_num of what is no number', async () => {
    const x = new NdArray(Float32Array.of(3, -1, NaN, 7, Infinity, 2, -Infinity, -0), [2, 1, 4])
    using model = await compile(build([input('a', 1, 4), { ...ordering('NanToNum', { nan: 9, posinf: null, neginf: -8 }) as object }], [['y', 0, 0]], KERAS_3))
    expect(Array.from((model.run({ a: x }).y as NdArray).data)).toEqual([3, -1, 9, 7, Math.fround(3.4028234663852886e38), 2, -8, -0])
    for (const [length, middle] of [[4, 2.5], [3, 3]] as const) {
      using one = await compile(build([input('a', length, 1), { ...ordering('Median', { axis: 1 }) as object }], [['y', 0, 0]], KERAS_3))
      expect(Array.from((one.run({ a: new NdArray(Float32Array.of(9, 2, 3, -5).subarray(0, length), [1, length, 1]) }).y as NdArray).data)).toEqual([middle])
    }
  })
})

describe('GroupNormalization', () => {
  it.each([
    [{ groups: 3 }, 'FORMAT', /expected a number that divides 4 for 'groups', got 3/],
    [{ groups: 0 }, 'FORMAT', /expected a number that divides 4 for 'groups', got 0/],
    [{ groups: 2, axis: 1 }, 'UNSUPPORTED', /channels that are not the last axis/],
  ] as const)('%j is refused', (settings, code, message) => {
    expectError(() => build([input('a', 3, 4), call('GroupNormalization', 'y', ['a'], settings)], [['y', 0, 0]], KERAS_3), code, message)
  })
})
