// Convolutions and pooling over time. Keras has [batch, timesteps, features], the operators (ONNX's)
// [batch, features, timesteps]: there is a transpose before and one after.
import type { NdArray } from '../../../values/ndarray.ts'
import { emitActivation, readActivation } from './activation.ts'
import { permuted } from '../emitter.ts'
import { onlyInput, wordsOf, type LayerCall, type LayerKind } from '../layer-call.ts'
import { loraOf } from '../lora.ts'
import { malformed, type Settings } from '../settings.ts'
import { channelsLast } from './shape-layers.ts'

const WINDOWS: NonNullable<LayerKind['families']> = () => ['windows']

function paddingOf(settings: Settings): 'valid' | 'same' | 'causal' {
  const padding = settings.text('padding', 'valid')
  if (padding !== 'valid' && padding !== 'same' && padding !== 'causal') throw settings.wrong('padding', 'valid, same or causal', padding)
  return padding
}

function turned({ emit }: LayerCall, name: string, value: string): string {
  return emit.node(name, 'transpose', [value], { perm: [0, 2, 1] })
}

/** Attributes of strides and padding. */
function windowAttributes(settings: Settings, size: number, stride: number, dilation: number): Record<string, string | readonly number[]> {
  const padding = paddingOf(settings)
  return {
    kernelShape: [size],
    strides: [stride],
    ...(padding === 'same' ? { autoPad: 'SAME_UPPER' } : { pads: [padding === 'causal' ? (size - 1) * dilation : 0, 0] }),
  }
}

/** A convolution of [batch, features, timesteps]; the kernel is [size, features / groups, filters]. */
function emitConvolution(call: LayerCall, name: string, x: string, kernel: NdArray, bias: NdArray | undefined, groups: number): string {
  const { layer, emit } = call
  const { settings } = layer
  const [size] = kernel.shape as [number]
  const dilation = settings.single('dilation_rate', 1)
  const weight = emit.constant(`${name}/weight`, kernel, (array) => permuted(array, [2, 1, 0]))
  return emit.node(name, 'conv', [x, weight, ...(bias === undefined ? [] : [emit.constant(`${name}/bias`, bias)])], {
    group: groups, dilations: [dilation], ...windowAttributes(settings, size, settings.single('strides', 1), dilation),
  })
}

function convolutionProblems({ settings }: LayerCall['layer'], dialect: LayerCall['dialect']): string[] {
  return [...channelsLast({ settings }), ...wordsOf(() => readActivation(settings.json('activation'), dialect, 'activation'))]
}

/** A layer with a kernel: transposes around what `emit` makes, activation after it. */
function convolving(emitKernels: (call: LayerCall, x: string) => string): LayerKind {
  return {
    unsupported: convolutionProblems,
    families: WINDOWS,
    build(call) {
      const { layer, path, dialect } = call
      const x = turned(call, `${path}/turned`, onlyInput(call).value)
      const activation = readActivation(layer.settings.json('activation'), dialect, layer.settings.what)
      const convolved = turned(call, `${path}/returned`, emitKernels(call, x))
      return [{ value: emitActivation(call, activation, convolved), mask: undefined }]
    },
  }
}

/** The kernels of a layer, each with three axes, and the bias where there is one. */
function kernelsOf({ layer, weights }: LayerCall, ...names: string[]): [NdArray[], NdArray | undefined] {
  const { settings } = layer
  const hasBias = settings.flag('use_bias', true)
  const tensors = weights.take([...names, ...(hasBias ? ['bias'] : [])], settings.what)
  const kernels = tensors.slice(0, names.length)
  if (kernels.some(({ shape }) => shape.length !== 3)) throw malformed(`${settings.what}: expected kernels with three axes`)
  return [kernels, hasBias ? tensors.at(-1) : undefined]
}

export const convolution: LayerKind = convolving((call, x) => {
  const [[kernel], bias] = kernelsOf(call, 'kernel') as [[NdArray], NdArray | undefined]
  const lora = loraOf(call, 'kernel')
  return emitConvolution(call, call.path, x, lora(kernel), bias, call.layer.settings.count('groups', 1))
})

/** [size, features, multiplier] -> [size, 1, features x multiplier]: a group for each feature. */
function depthwise(kernel: NdArray): [NdArray, number] {
  const [size, features, multiplier] = kernel.shape as [number, number, number]
  return [kernel.reshape([size, 1, features * multiplier]), features]
}

export const depthwiseConvolution: LayerKind = convolving((call, x) => {
  const [[kernel], bias] = kernelsOf(call, call.dialect.depthwiseKernel) as [[NdArray], NdArray | undefined]
  const [spread, groups] = depthwise(kernel)
  return emitConvolution(call, call.path, x, spread, bias, groups)
})

export const separableConvolution: LayerKind = convolving((call, x) => {
  const { emit, path } = call
  const [[deep, point], bias] = kernelsOf(call, 'depthwise_kernel', 'pointwise_kernel') as [[NdArray, NdArray], NdArray | undefined]
  const [spread, groups] = depthwise(deep)
  const between = emitConvolution(call, `${path}/depthwise`, x, spread, undefined, groups)
  const weight = emit.constant(`${path}/pointwise/weight`, point, (array) => permuted(array, [2, 1, 0]))
  return emit.node(path, 'conv', [between, weight, ...(bias === undefined ? [] : [emit.constant(`${path}/pointwise/bias`, bias)])], { kernelShape: [1] })
})

export function pooling(op: 'maxPool' | 'averagePool'): LayerKind {
  return {
    unsupported: channelsLast,
    families: WINDOWS,
    build(call) {
      const { layer, emit, path } = call
      const size = layer.settings.single('pool_size', 2)
      const x = turned(call, `${path}/turned`, onlyInput(call).value)
      const pooled = emit.node(path, op, [x], windowAttributes(layer.settings, size, layer.settings.single('strides', size), 1))
      return [{ value: turned(call, `${path}/returned`, pooled), mask: undefined }]
    },
  }
}

export const globalMaxPooling: LayerKind = {
  unsupported: channelsLast,
  build(call) {
    const { layer, emit, path } = call
    const keepdims = layer.settings.flag('keepdims', false)
    return [{ value: emit.node(path, 'reduceMax', [onlyInput(call).value, emit.integers(1)], { keepdims }), mask: undefined }]
  },
}

/** The mean over time; with a mask, over valid steps. */
export const globalAveragePooling: LayerKind = {
  unsupported: channelsLast,
  build(call) {
    const { layer, emit, path } = call
    const keepdims = layer.settings.flag('keepdims', false)
    const { value, mask } = onlyInput(call)
    if (mask === undefined) return [{ value: emit.node(path, 'reduceMean', [value, emit.integers(1)], { keepdims }), mask: undefined }]
    const valid = emit.node(`${path}/valid`, 'unsqueeze', [emit.node(`${path}/steps`, 'cast', [mask], { to: 'float32' }), emit.integers(2)])
    const sum = emit.node(`${path}/sum`, 'reduceSum', [emit.node(`${path}/kept`, 'mul', [value, valid]), emit.integers(1)], { keepdims })
    const count = emit.node(`${path}/count`, 'reduceSum', [valid, emit.integers(1)], { keepdims })
    return [{ value: emit.node(path, 'div', [sum, count]), mask: undefined }]
  },
}
