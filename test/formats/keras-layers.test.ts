// Settings of Keras layers and functions that hardly a model has: their numbers against those written out, and refusals by name.
import { describe, expect, it } from 'vitest'
import { KERAS_2, KERAS_3, TFJS } from '../../src/formats/keras/dialect.ts'
import type { Json } from '../../src/formats/json.ts'
import type { NamedTensor } from '../../src/formats/keras/weights.ts'
import type { LstmErrorCode } from '../../src/errors.ts'
import { compile } from '../../src/model/load.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { random } from '../weights.ts'
import { build, call, input, tensor, type Settings } from './keras-models.ts'

const X = random(21, 2, 3, 4)

/** What a layer `y` makes of X [2, 3, 4]. */
async function outputOf(layer: Json, tensors: readonly NamedTensor[] = []): Promise<NdArray> {
  using model = await compile(build([input('x', 3, 4), layer], [['y', 0, 0]], KERAS_3, tensors))
  return model.run({ x: X }).y as NdArray
}

/** A function as Keras 2 writes it. */
const inTensorFlow = (name: string, kwargs: Settings): Json => call('TFOpLambda', 'y', ['x'], { function: name }, kwargs)

/** A function as Keras 3 writes it, of these arguments behind the tensor. */
function inKeras3(name: string, args: readonly Json[], kwargs: Settings = {}): Json {
  const x = { class_name: '__keras_tensor__', config: { shape: [null, 3, 4], dtype: 'float32', keras_history: ['x', 0, 0] } }
  return { module: 'keras.src.ops.numpy', class_name: name, name: 'y', config: { name: 'y' }, inbound_nodes: [{ args: [x, ...args], kwargs }] }
}

const einsum = (subscripts: string): Json => ({ ...inKeras3('Einsum', []) as Record<string, Json>, config: { name: 'y', subscripts } })

const at = (b: number, t: number, n: number): number => X.data[(b * 3 + t) * 4 + n] as number
const close = (got: NdArray, expected: (b: number, t: number, n: number) => number): void => {
  expect(got.shape).toEqual([2, 3, 4])
  got.data.forEach((value, n) => expect(value).toBeCloseTo(expected(Math.floor(n / 12), Math.floor(n / 4) % 3, n % 4), 5))
}

describe('numbers', () => {
  it.each<[Settings, (value: number) => number]>([
    [{ max_value: 0.5, negative_slope: 0.25 }, (value) => (value < 0 ? 0.25 * value : Math.min(value, 0.5))],
    [{ threshold: 0.125 }, (value) => (value < 0.125 ? 0 : value)],
    [{ threshold: 0.125, negative_slope: 0.5, max_value: 0.5 }, (value) => (value < 0.125 ? 0.5 * (value - 0.125) : Math.min(value, 0.5))],
    [{ negative_slope: 0.5 }, (value) => (value < 0 ? 0.5 * value : value)],
    [{ max_value: 0.5 }, (value) => Math.min(Math.max(value, 0), 0.5)],
  ])('ReLU %j', async (settings, expected) => {
    close(await outputOf(call('ReLU', 'y', ['x'], settings)), (...place) => expected(at(...place)))
  })

  it('ThresholdedReLU, ELU and an activation that is a layer, a function object or a class', async () => {
    close(await outputOf(call('ThresholdedReLU', 'y', ['x'], { theta: 0.25 })), (...place) => (at(...place) > 0.25 ? at(...place) : 0))
    close(await outputOf(call('ELU', 'y', ['x'], { alpha: 2 })), (...place) => (at(...place) > 0 ? at(...place) : 2 * Math.expm1(at(...place))))
    for (const activation of [
      'relu', { class_name: 'function', config: 'relu' }, { class_name: 'ReLU', config: { name: 'r' } }, { class_name: 'Function', config: { name: 'relu' } },
      { class_name: 'keras.activations>relu' },
    ] satisfies Json[]) close(await outputOf(call('Activation', 'y', ['x'], { activation })), (...place) => Math.max(at(...place), 0))
  })

  it('Rescaling by lists, and by numbers', async () => {
    close(await outputOf(call('Rescaling', 'y', ['x'], { scale: [1, 2, 3, 4], offset: [4, 3, 2, 1] })), (b, t, n) => at(b, t, n) * (n + 1) + 4 - n)
    close(await outputOf(call('Rescaling', 'y', ['x'], { scale: 2, offset: -1 })), (...place) => 2 * at(...place) - 1)
  })

  it('Normalization by what is given: along the last axis, over everything, and inverted', async () => {
    const settings = { mean: [1, 2, 3, 4], variance: [1, 4, 9, 16] }
    close(await outputOf(call('Normalization', 'y', ['x'], settings)), (b, t, n) => (at(b, t, n) - n - 1) / (n + 1))
    close(await outputOf(call('Normalization', 'y', ['x'], { ...settings, invert: true })), (b, t, n) => at(b, t, n) * (n + 1) + n + 1)
    close(await outputOf(call('Normalization', 'y', ['x'], { axis: null, mean: 0.5, variance: 4 })), (...place) => (at(...place) - 0.5) / 2)
    const least = await outputOf(call('Normalization', 'y', ['x'], { mean: 0.5, variance: 0 }))
    close(new NdArray((least.data as Float32Array).map((value) => value * 1e-7), least.shape), (...place) => at(...place) - 0.5)
  })

  it('LayerNormalization and BatchNormalization without scale, without centre and without both', async () => {
    const [gamma, beta] = [tensor('y', 'gamma', 1, 4), tensor('y', 'beta', 2, 4)]
    const moving = [tensor('y', 'moving_mean', 3, 4), { segments: ['y', 'moving_variance'], read: () => new NdArray(Float32Array.of(1, 4, 9, 16), [4]) }]
    const of = (one: NamedTensor | undefined, n: number, otherwise: number): number => one?.read().data[n] ?? otherwise
    for (const [scale, center] of [[true, false], [false, true], [false, false]] as const) {
      const tensors = [...(scale ? [gamma] : []), ...(center ? [beta] : [])]
      const bent = (value: number, n: number): number => value * (scale ? of(gamma, n, 1) : 1) + (center ? of(beta, n, 0) : 0)
      const settings = { scale, center, epsilon: 0.5 }
      close(await outputOf(call('LayerNormalization', 'y', ['x'], settings), tensors), (b, t, n) => {
        const row = [0, 1, 2, 3].map((column) => at(b, t, column))
        const mean = row.reduce((sum, value) => sum + value, 0) / 4
        const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 4
        return bent((at(b, t, n) - mean) / Math.sqrt(variance + 0.5), n)
      })
      close(await outputOf(call('BatchNormalization', 'y', ['x'], settings), [...tensors, ...moving]), (b, t, n) => (
        bent((at(b, t, n) - of(moving[0], n, 0)) / Math.sqrt((n + 1) ** 2 + 0.5), n)
      ))
    }
  })

  it('x[...]: whole axes, ranges backwards, places from the end', async () => {
    const keyed = (key: Json): Promise<NdArray> => outputOf(inKeras3('GetItem', [key]))
    const range = (start: number | null, stop: number | null, step: number | null = null): Json => ({ class_name: '__slice__', config: { start, stop, step } })
    const ellipsis = { class_name: '__ellipsis__' }
    expect((await keyed([ellipsis])).data).toEqual(X.data)
    expect((await keyed([range(null, null), range(null, null, 1)])).data).toEqual(X.data)
    close(await keyed([ellipsis, range(null, null, -1)]), (b, t, n) => at(b, t, 3 - n))
    const last = await keyed([range(null, null), -1, ellipsis])
    expect([last.shape, [...last.data]]).toEqual([[2, 4], [0, 1].flatMap((b) => [0, 1, 2, 3].map((n) => at(b, 2, n)))])
    const some = await keyed([range(null, null), range(2, 0, -1), range(1, 3)])
    expect([some.shape, [...some.data]]).toEqual([[2, 2, 2], [0, 1].flatMap((b) => [2, 1].flatMap((t) => [1, 2].map((n) => at(b, t, n))))])
  })

  it('transpose, flip, pad, take, broadcast_to: arguments that are left out, negative or one number', async () => {
    const all = await outputOf(inTensorFlow('transpose', {}))
    expect([all.shape, all.data[7]]).toEqual([[4, 3, 2], at(1, 0, 1)])
    const some = await outputOf(inTensorFlow('transpose', { perm: [0, -1, 1] }))
    expect([some.shape, some.data[5]]).toEqual([[2, 4, 3], at(0, 2, 1)])
    close(await outputOf(inKeras3('Flip', [])), (b, t, n) => at(1 - b, 2 - t, 3 - n))
    close(await outputOf(inTensorFlow('reverse', { axis: [1, -1] })), (b, t, n) => at(b, 2 - t, 3 - n))
    const padded = await outputOf(inTensorFlow('pad', { paddings: [[0, 0], [1, 0], [0, 0]], constant_values: 7 }))
    expect([padded.shape, padded.data[0], padded.data[4]]).toEqual([[2, 4, 4], 7, at(0, 0, 0)])
    const mirrored = await outputOf(inTensorFlow('pad', { paddings: [[0, 0], [0, 0], [2, 0]], mode: 'REFLECT' }))
    expect([...mirrored.data.slice(0, 3)]).toEqual([at(0, 0, 2), at(0, 0, 1), at(0, 0, 0)])
    const one = await outputOf(inKeras3('Take', [2], { axis: -1 }))
    expect([one.shape, one.data[4]]).toEqual([[2, 3], at(1, 1, 2)])
    const wide = await outputOf(inTensorFlow('broadcast_to', { shape: [null, 3, 4] }))
    expect(wide.data).toEqual(X.data)
    expect((await outputOf(inTensorFlow('cast', { dtype: 'bfloat16' }))).data).toEqual(X.data)
    expect((await outputOf(inTensorFlow('concat', { axis: 1 }))).data).toEqual(X.data)
    expect((await outputOf(inTensorFlow('stack', {}))).shape).toEqual([1, 2, 3, 4])
  })

  it('AdditiveAttention without a scale', async () => {
    using model = await compile(build([input('x', 3, 4), input('v', 2, 4), call('AdditiveAttention', 'y', ['x', 'v'], { use_scale: false })], [['y', 0, 0]], KERAS_3))
    const v = random(22, 2, 2, 4)
    close(model.run({ x: X, v }).y as NdArray, (b, t, n) => {
      const key = (step: number, column: number): number => v.data[(b * 2 + step) * 4 + column] as number
      const scores = [0, 1].map((step) => [0, 1, 2, 3].reduce((sum, column) => sum + Math.tanh(at(b, t, column) + key(step, column)), 0))
      const weights = scores.map((score) => Math.exp(score - Math.max(...scores)))
      return ((weights[0] as number) * key(0, n) + (weights[1] as number) * key(1, n)) / ((weights[0] as number) + (weights[1] as number))
    })
  })
})

describe('masks', () => {
  it('of attention are a list, which older versions of Keras 3 write down', async () => {
    const x = new NdArray(X.data.map((value, n) => (Math.floor(n / 4) % 3 === 1 ? 0 : value)), X.shape)
    const masks = [input('x', 3, 4), call('InputLayer', 'k', [], { batch_shape: [null, 3], dtype: 'bool' })]
    using given = await compile(build([...masks, call('Attention', 'y', ['x', 'x'], {}, { mask: [['k', 0, 0], ['k', 0, 0]] })], [['y', 0, 0]], KERAS_3))
    using own = await compile(build([input('x', 3, 4), call('Masking', 'm', ['x'], {}), call('Attention', 'y', ['m', 'm'], {})], [['y', 0, 0]], KERAS_3))
    const { y } = given.run({ x, k: new NdArray(Uint8Array.of(1, 0, 1, 1, 0, 1), [2, 3]) })
    expect(y?.data).toEqual(own.run({ x }).y?.data)
    expect(y?.data.some((value, n) => value !== x.data[n])).toBe(true)
    expectError(() => build([...masks, call('Attention', 'y', ['x', 'x'], {}, { mask: [['k', 0, 0]] })], [['y', 0, 0]], KERAS_3), 'FORMAT',
      "Keras: layer 'y' (Attention): expected a mask for each of 2 inputs, got 1")
  })
})

describe('refused', () => {
  const layersOf = (layers: readonly Json[]): Json[] => (layers.length > 1 ? [...layers] : [input('x', 3, 4), ...layers])
  const y = (className: string, settings: Settings, from: readonly string[] = ['x'], kwargs: Settings = {}): Json => call(className, 'y', from, settings, kwargs)
  const open = input('x', 3, null)

  it.each<[string, LstmErrorCode, readonly Json[], (readonly NamedTensor[])?]>([
    ["layer 'y' (Dense): expected a kernel with two axes", 'FORMAT', [y('Dense', { units: 2, use_bias: false })], [tensor('y', 'kernel', 1, 4, 2, 1)]],
    ["not supported: layer 'y' (Softmax): a mask [batch, 3] of [batch, 3, 4], which has other axes: Keras wants one that broadcasts, such as ops.expand_dims(mask, -1) for an axis of 1", 'UNSUPPORTED', [input('x', 3, 4), call('Masking', 'k', ['x']), y('Softmax', {}, ['k'])]],
    ["layer 'y' (Softmax): expected axes of 3 for 'axis', got 5", 'FORMAT', [y('Softmax', { axis: 5 })]],
    ["layer 'y' (Softmax): expected axes of 3 for 'axis', got -4", 'FORMAT', [y('Softmax', { axis: -4 })]],
    ["not supported: layer 'y' (BatchNormalization): several axes", 'UNSUPPORTED', [y('BatchNormalization', { axis: [1, 2] })]],
    ["not supported: layer 'y' (LayerNormalization): axes that are not the last ones", 'UNSUPPORTED', [y('LayerNormalization', { axis: 1 })]],
    ["not supported: layer 'y' (LayerNormalization): axes that are not the last ones", 'UNSUPPORTED', [y('LayerNormalization', { axis: [0, 2] })]],
    ["not supported: layer 'y' (LayerNormalization): an axis of unknown size without weights", 'UNSUPPORTED', [open, y('LayerNormalization', { scale: false, center: false })]],
    ["layer 'y' (Rescaling): expected numbers for 'scale', got Array", 'FORMAT', [y('Rescaling', { scale: [1, 'x'] })]],
    ["not supported: layer 'y' (Normalization): an axis of unknown size", 'UNSUPPORTED', [open, y('Normalization', { mean: 1, variance: 1 })]],
    ["layer 'y' (Normalization): expected 4 means and variances, got 3", 'FORMAT', [y('Normalization', { mean: [1, 2, 3], variance: 1 })]],
    ["layer 'y' (Normalization): expected numbers for 'mean', got Array", 'FORMAT', [y('Normalization', { mean: [null], variance: 1 })]],
    ["layer 'y' (Attention): expected query, value and perhaps key, got 1 inputs", 'FORMAT', [y('Attention', {})]],
    ["layer 'y' (MultiHeadAttention): expected query, value and perhaps key, got 1 inputs", 'FORMAT', [y('MultiHeadAttention', { num_heads: 1, key_dim: 2 })]],
    ["not supported: layer 'y' (MultiHeadAttention): inputs that are not [batch, timesteps, features]", 'UNSUPPORTED',
      [open, y('MultiHeadAttention', { num_heads: 1, key_dim: 2 }, ['x', 'x'])]],
    ["layer 'y' (TFOpLambda): expected sizes for 'shape', got 4", 'FORMAT', [inTensorFlow('broadcast_to', { shape: 4 })]],
    ["not supported: layer 'y' (TFOpLambda): the dtype null", 'UNSUPPORTED', [inTensorFlow('cast', {})]],
    ["layer 'y' (TFOpLambda): expected a number for 'constant_values', got \"x\"", 'FORMAT', [inTensorFlow('pad', { paddings: [[0, 0], [0, 0], [1, 1]], constant_values: 'x' })]],
    ["not supported: layer 'y' (Take): no axis", 'UNSUPPORTED', [inKeras3('Take', [2])]],
    ["not supported: layer 'y' (GetItem): the key {\"class_name\":\"__slice__\",\"config\":{\"step\":0}}", 'UNSUPPORTED', [inKeras3('GetItem', [[{ class_name: '__slice__', config: { step: 0 } }]])]],
    ["not supported: layer 'y' (GetItem): the key null", 'UNSUPPORTED', [inKeras3('GetItem', [[null]])]],
    ["not supported: layer 'y' (GetItem): 4 keys for 3 axes", 'UNSUPPORTED', [inKeras3('GetItem', [[0, 0, 0, 0]])]],
    ["not supported: layer 'y' (GetItem): a key that is a tensor", 'UNSUPPORTED', [inKeras3('GetItem', [])]],
    ["not supported: layer 'y' (Einsum): a diagonal ('bii')", 'UNSUPPORTED', [einsum('bii->bi')]],
    ["layer 'y' (Einsum): expected a label for each of 3 axes, got 'bi'", 'FORMAT', [einsum('bi->b')]],
    ["not supported: layer 'y' (Einsum): the equation 'bij', which does not say the result", 'UNSUPPORTED', [einsum('bij')]],
    ["not supported: layer 'y' (Einsum): the equation 'bij,bkj->bik' of 1 operands", 'UNSUPPORTED', [einsum('bij,bkj->bik')]],
    ["layer 'y' (Einsum): the result of 'bij->bk' has labels of no operand", 'FORMAT', [einsum('bij->bk')]],
    ["layer 'y' (Einsum): expected an equation for 'subscripts', got undefined", 'FORMAT', [inKeras3('Einsum', [])]],
    ["not supported: layer 'y' (Normalize): order 1", 'UNSUPPORTED', [inKeras3('Normalize', [], { order: 1 })]],
    ["not supported: layer 'y' (Average): weights", 'UNSUPPORTED', [inKeras3('Average', [], { weights: [1, 2] })]],
    ["not supported: layer 'y' (RMSNormalization): axes that are not the last ones", 'UNSUPPORTED', [y('RMSNormalization', { axis: [1] })]],
  ])('%s', (message, code, layers, tensors = []) => {
    expectError(() => build(layersOf(layers), [['y', 0, 0]], KERAS_3, tensors), code, `Keras: ${message}`)
  })

  it.each<[string, Json]>([
    ["layer 'y' (LayerNormalization): rms_scaling", y('LayerNormalization', { rms_scaling: true })],
    ["layer 'y' (Activation): activation \"seven\"", y('Activation', { activation: 'seven' })],
    ["layer 'y' (Attention): score_mode \"cosine\"", y('Attention', { score_mode: 'cosine' }, ['x', 'x'])],
    ["layer 'y' (TimeDistributed): around a quantised Dense, whose scales Keras leaves out: a Dense without TimeDistributed computes the same, and is quantised right",
      y('TimeDistributed', { layer: { class_name: 'Dense', config: { name: 'd', units: 2, dtype: { class_name: 'QuantizedDTypePolicy', config: { mode: 'int8', source_name: 'float32' } } } } })],
    ["layer 'y' (MultiHeadAttention): attention_axes [1,2]", y('MultiHeadAttention', { num_heads: 1, key_dim: 2, attention_axes: [1, 2] }, ['x', 'x'])],
  ])('%s, before anything is built', (words, layer) => {
    const error = expectError(() => build(layersOf([layer]), [['y', 0, 0]], KERAS_3), 'UNSUPPORTED', /^Keras 3: layers that are not supported: /)
    expect(error.message).toContain(`: ${words}. Supported are LSTM, `)
  })

  it('a mask of other timesteps, which TensorFlow.js gives to a layer that has none', () => {
    const layers = [input('x', 3, 4), call('Masking', 'm', ['x'], {}), call('MaxPooling1D', 'p', ['m'], { pool_size: 2 }), call('LSTM', 'y', ['p'], { units: 2 })]
    expectError(() => build(layers, [['y', 0, 0]], TFJS), 'UNSUPPORTED',
      "Keras: not supported: layer 'y' (LSTM): its input has no mask, and TensorFlow.js then takes that of a layer before, which has other timesteps")
  })

  it('a size that is no number', () => {
    expectError(() => build([call('InputLayer', 'x', [], { batch_shape: [null, 'wide'] }), y('ReLU', {})], [['y', 0, 0]], KERAS_2), 'FORMAT',
      "Keras: layer 'x' (InputLayer): expected sizes or null for 'batch_shape', got \"wide\"")
  })
})
