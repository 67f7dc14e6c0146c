// Convolutions over time, or over the rows and columns of images.
import type { NdArray } from '../../../values/ndarray.ts'
import { emitActivation, readActivation } from './activation.ts'
import { permuted } from '../emitter.ts'
import { onlyInput, wordsOf, type LayerCall, type LayerKind } from '../layer-call.ts'
import { loraOf } from '../lora.ts'
import { malformed, type Settings } from '../settings.ts'
import { formatProblems, isChannelsLast, perAxis, WINDOWS } from './window-settings.ts'

function paddingOf(settings: Settings): 'valid' | 'same' | 'causal' {
  const padding = settings.text('padding', 'valid')
  if (padding !== 'valid' && padding !== 'same' && padding !== 'causal') throw settings.wrong('padding', 'valid, same or causal', padding)
  return padding
}

/** Attributes of strides and padding. */
export function windowAttributes(
  settings: Settings, sizes: readonly number[], strides: readonly number[], dilations: readonly number[],
): Record<string, string | boolean | readonly number[]> {
  const padding = paddingOf(settings)
  const before = sizes.map((size, axis) => (padding === 'causal' ? (size - 1) * (dilations[axis] as number) : 0))
  return {
    kernelShape: sizes,
    strides,
    channelsLast: isChannelsLast(settings),
    ...(padding === 'same' ? { autoPad: 'SAME_UPPER' } : { pads: [...before, ...sizes.map(() => 0)] }),
  }
}

/** [size..., from, to] -> [to, from, size...]. */
function turned(kernel: NdArray): NdArray {
  const axes = kernel.shape.map((_, axis) => axis)
  return permuted(kernel, [...axes.slice(-2).reverse(), ...axes.slice(0, -2)])
}

/** The kernel turned round, and the bias where there is one, as inputs. */
function constants({ emit }: LayerCall, name: string, kernel: NdArray, bias: NdArray | undefined): string[] {
  return [emit.constant(`${name}/weight`, kernel, turned), ...(bias === undefined ? [] : [emit.constant(`${name}/bias`, bias)])]
}

/** A convolution; the kernel is [size..., features / groups, filters]. */
function emitConvolution(call: LayerCall, name: string, x: string, kernel: NdArray, bias: NdArray | undefined, groups: number): string {
  const { layer: { settings }, emit } = call
  const sizes = kernel.shape.slice(0, -2)
  const dilations = perAxis(settings, 'dilation_rate', sizes.length, [1])
  const strides = perAxis(settings, 'strides', sizes.length, [1])
  return emit.node(name, 'conv', [x, ...constants(call, name, kernel, bias)], { group: groups, dilations, ...windowAttributes(settings, sizes, strides, dilations) })
}

/** A layer with a kernel, and its activation. */
function convolving(emitKernels: (call: LayerCall, x: string) => string): LayerKind {
  return {
    unsupported: ({ settings }, dialect) => [...formatProblems({ settings }), ...wordsOf(() => readActivation(settings.json('activation'), dialect, 'activation'))],
    families: WINDOWS,
    build(call) {
      const { layer, dialect } = call
      const activation = readActivation(layer.settings.json('activation'), dialect, layer.settings.what)
      return [{ value: emitActivation(call, activation, emitKernels(call, onlyInput(call).value)), mask: undefined }]
    },
  }
}

/** The kernels of a layer, each with an axis for each of windows and two more, and the bias where there is one. */
function kernelsOf({ layer, weights, emit, inputs }: LayerCall, ...names: string[]): [NdArray[], NdArray | undefined] {
  const { settings } = layer
  const hasBias = settings.flag('use_bias', true)
  const tensors = weights.take([...names, ...(hasBias ? ['bias'] : [])], settings.what)
  const kernels = tensors.slice(0, names.length)
  const rank = emit.rankOf(inputs[0]?.value ?? '')
  if (kernels.some(({ shape }) => shape.length !== rank)) throw malformed(`${settings.what}: expected kernels with ${rank} axes, as its input has`)
  return [kernels, hasBias ? tensors.at(-1) : undefined]
}

export const convolution: LayerKind = convolving((call, x) => {
  const [[kernel], bias] = kernelsOf(call, 'kernel') as [[NdArray], NdArray | undefined]
  const lora = loraOf(call, 'kernel')
  return emitConvolution(call, call.path, x, lora(kernel), bias, call.layer.settings.count('groups', 1))
})

/** [size..., features, multiplier] -> [size..., 1, features x multiplier]: a group for each feature. */
function depthwise(kernel: NdArray): [NdArray, number] {
  const [features, multiplier] = kernel.shape.slice(-2) as [number, number]
  return [kernel.reshape([...kernel.shape.slice(0, -2), 1, features * multiplier]), features]
}

export const depthwiseConvolution: LayerKind = convolving((call, x) => {
  const [[kernel], bias] = kernelsOf(call, call.dialect.depthwiseKernel) as [[NdArray], NdArray | undefined]
  const [spread, groups] = depthwise(kernel)
  return emitConvolution(call, call.path, x, spread, bias, groups)
})

export const separableConvolution: LayerKind = convolving((call, x) => {
  const { emit, path, layer } = call
  const [[deep, point], bias] = kernelsOf(call, 'depthwise_kernel', 'pointwise_kernel') as [[NdArray, NdArray], NdArray | undefined]
  const [spread, groups] = depthwise(deep)
  const between = emitConvolution(call, `${path}/depthwise`, x, spread, undefined, groups)
  return emit.node(path, 'conv', [between, ...constants(call, `${path}/pointwise`, point, bias)], {
    kernelShape: point.shape.slice(0, -2), channelsLast: isChannelsLast(layer.settings),
  })
})

/** Pads along one axis of a transposed convolution, as TensorFlow's. */
function transposedPads(
  padding: string, size: number, stride: number, dilation: number, more: number | undefined,
): { before: number, after: number, outputPadding: number } {
  const reach = (size - 1) * dilation + 1
  if (more === undefined) {
    const total = padding === 'same' ? Math.max(0, reach - stride) : 0
    return { before: Math.floor(total / 2), after: total - Math.floor(total / 2), outputPadding: Math.max(0, stride - reach) }
  }
  // The result has (n - 1) stride + kept elements, and begins where a convolution from it to the input would begin.
  const kept = reach + more - (padding === 'same' ? 2 * Math.floor(reach / 2) : 0)
  const before = padding === 'same' ? Math.floor(Math.max(0, reach - kept) / 2) : 0
  const after = reach - before - kept
  return { before, after: Math.max(0, after), outputPadding: Math.max(0, -after) }
}

/** The kernel is [size..., filters, features]. */
export const transposedConvolution: LayerKind = convolving((call, x) => {
  const { emit, path, layer: { settings } } = call
  const [[kernel], bias] = kernelsOf(call, 'kernel') as [[NdArray], NdArray | undefined]
  const sizes = kernel.shape.slice(0, -2)
  const axes = sizes.length
  const strides = perAxis(settings, 'strides', axes, [1])
  const dilations = perAxis(settings, 'dilation_rate', axes, [1])
  const more = settings.json('output_padding') === undefined ? undefined : perAxis(settings, 'output_padding', axes, [0], 0)
  const pads = sizes.map((size, axis) => transposedPads(paddingOf(settings), size, strides[axis] as number, dilations[axis] as number, more?.[axis]))
  return emit.node(path, 'convTranspose', [x, ...constants(call, path, kernel, bias)], {
    kernelShape: sizes, strides, dilations, channelsLast: isChannelsLast(settings),
    pads: [...pads.map(({ before }) => before), ...pads.map(({ after }) => after)], outputPadding: pads.map(({ outputPadding }) => outputPadding),
  })
})
