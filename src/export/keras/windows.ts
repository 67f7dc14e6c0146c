// Convolutions and pools as Keras's layers, channels last; others are turned before and after.
import { paddingOf, reachOf, readWindows, splitShape, type Windows } from '../../ops/windows/windows.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import { lengthOf, type Dimension, type SymbolicShape } from '../../values/shape.ts'
import type { KerasTensor } from './network.ts'
import type { LayerFacts, LayerWriter, NodeLayers } from './node-layers.ts'

/** Channels to the last place, and back to the second. */
const toLast = (shape: SymbolicShape): Dimension[] => [shape[0] as Dimension, ...shape.slice(2), shape[1] as Dimension]
const toSecond = (shape: SymbolicShape): Dimension[] => [shape[0] as Dimension, shape.at(-1) as Dimension, ...shape.slice(1, -1)]

/** Adds a layer that has the channels last, with what brings them there and back. */
function withChannelsLast(c: NodeLayers, channelsLast: boolean, make: (x: KerasTensor, type: KerasTensor) => KerasTensor): void {
  const x = c.tensor(0)
  const output = { ...x, ...c.outputType }
  if (channelsLast) return c.give(make(x, output))
  const rank = x.shape.length
  const dims = Array.from({ length: rank - 1 }, (_, n) => n + 1)
  const turned = c.add('Permute', [x], { dtype: 'float32', shape: toLast(x.shape) }, { config: { dims: [...dims.slice(1), 1] } })
  const made = make(turned, { ...output, shape: toLast(output.shape) })
  c.give(c.add('Permute', [made], { dtype: 'float32', shape: toSecond(made.shape) }, { config: { dims: [rank - 1, ...dims.slice(0, -1)] } }))
}

/** Padding as Keras names it; or as numbers, for a layer that pads. */
function paddingNamed(windows: Windows, sizes: readonly Dimension[]): 'valid' | 'same' | readonly (readonly [number, number])[] | undefined {
  const { autoPad, strides, kernel } = windows
  if (autoPad === 'VALID') return 'valid'
  if (autoPad === 'SAME_UPPER') return 'same'
  const pads = kernel.map((_, axis): readonly [number, number] | undefined => {
    const size = sizes[axis]
    if (autoPad === 'NOTSET') return paddingOf(windows, axis, 0)
    return typeof size === 'number' ? paddingOf(windows, axis, size) : strides[axis] === 1 ? paddingOf(windows, axis, reachOf(windows, axis)) : undefined
  })
  const known = pads.filter((pad) => pad !== undefined)
  if (known.length < pads.length) return undefined
  if (known.every(([before, after]) => before === 0 && after === 0)) return 'valid'
  const isSame = known.every(([before, after], axis) => {
    const reach = reachOf(windows, axis)
    return strides[axis] === 1 && before === Math.floor((reach - 1) / 2) && before + after === reach - 1
  })
  return isSame ? 'same' : known
}

/** The tensor with zeros around it. */
function padded(c: NodeLayers, x: KerasTensor, pads: readonly (readonly [number, number])[]): KerasTensor {
  const shape = x.shape.map((size, axis) => {
    const pad = pads[axis - 1]
    return typeof size === 'number' && pad !== undefined ? size + pad[0] + pad[1] : size
  })
  return c.add(`ZeroPadding${pads.length}D`, [x], { dtype: 'float32', shape }, { config: { padding: pads.length === 1 ? pads[0] : pads } })
}

/** Adds a layer of windows. */
function windowed(c: NodeLayers, windows: Windows, className: string, facts: Required<Pick<LayerFacts, 'config' | 'weights'>>, canPad: boolean): void {
  const { sizes } = splitShape<Dimension>(c.type(0).shape, windows.channelsLast)
  withChannelsLast(c, windows.channelsLast, (x, type) => {
    const padding = paddingNamed(windows, sizes)
    const [before, after] = typeof padding === 'object' && padding.length === 1 ? padding[0] as readonly [number, number] : [0, 0]
    const isCausal = canPad && before > 0 && after === 0 && windows.strides[0] === 1 && before === reachOf(windows, 0) - 1
    const add = (from: KerasTensor, named: string): KerasTensor => c.add(className, [from], type, { ...facts, config: { ...facts.config, padding: named, data_format: 'channels_last' } })
    if (typeof padding === 'string') return add(x, padding)
    if (isCausal) return add(x, 'causal')
    if (padding === undefined || !canPad) throw c.unsupported('padding that depends on a size, or that a pool has')
    return add(padded(c, x, padding), 'valid')
  })
}

/** W [columns, channels, window...] -> [window..., channels, columns]. */
function kernelOf({ data, shape }: ArrayLike): NdArray {
  const [columns, channels, ...window] = shape as [number, number, ...number[]]
  const taps = lengthOf(window)
  const out = new Float32Array(data.length)
  for (let column = 0; column < columns; column++) {
    for (let channel = 0; channel < channels; channel++) {
      for (let tap = 0; tap < taps; tap++) out[(tap * channels + channel) * columns + column] = data[(column * channels + channel) * taps + tap] as number
    }
  }
  return new NdArray(out, [...window, channels, columns])
}

const convolution: LayerWriter<number> = (c) => {
  const weight = c.fixed(1, 'a kernel')
  const kernel = weight.shape.slice(2)
  const windows = readWindows(c.node, kernel.length, kernel)
  if (windows.strides.some((stride) => stride > 1) && windows.dilations.some((dilation) => dilation > 1)) throw c.unsupported('strides and dilations above 1 together')
  const bias = c.has(2) ? [c.fixed(2, 'a bias')] : []
  const config = {
    filters: weight.shape[0], kernel_size: kernel, strides: windows.strides, dilation_rate: windows.dilations, groups: c.settings, activation: 'linear', use_bias: bias.length > 0,
  }
  windowed(c, windows, `Conv${kernel.length}D`, { config, weights: { vars: [kernelOf(weight), ...bias] } }, true)
}

const pool = (what: string): LayerWriter<{ readonly ceilMode: boolean, readonly countPad: boolean }> => (c) => {
  const axes = c.type(0).shape.length - 2
  const windows = readWindows(c.node, axes, undefined)
  if (c.settings.ceilMode || c.settings.countPad || windows.dilations.some((dilation) => dilation !== 1)) throw c.unsupported('ceilMode, countIncludePad or dilations')
  windowed(c, windows, `${what}Pooling${axes}D`, { config: { pool_size: windows.kernel, strides: windows.strides }, weights: {} }, false)
}

const globalPool = (what: string): LayerWriter<boolean> => (c) => {
  const axes = c.type(0).shape.length - 2
  if (axes > 2) throw c.unsupported('more than two axes')
  withChannelsLast(c, c.settings, (x, type) => c.add(`Global${what}Pooling${axes}D`, [x], type, { config: { data_format: 'channels_last', keepdims: true } }))
}

/** The mean or the largest over all timesteps [batch, timesteps, features]. */
const overSteps = (what: string): LayerWriter<{ readonly keepdims: boolean }> => (c) => {
  const { shape } = c.type(0)
  const axes = c.has(1) ? Array.from(c.fixed(1, 'axes').data, (axis) => (axis < 0 ? axis + shape.length : axis)) : []
  // With a mask it would be that of the steps that count.
  if (shape.length !== 3 || axes.length !== 1 || axes[0] !== 1 || c.tensor(0).mask !== undefined) throw c.unsupported('a reduction over other axes than that of the timesteps')
  c.only(`Global${what}Pooling1D`, { config: { data_format: 'channels_last', keepdims: c.settings.keepdims } })
}

export const WINDOW_LAYERS: Readonly<Record<string, LayerWriter<never>>> = {
  conv: convolution, maxPool: pool('Max'), averagePool: pool('Average'), globalMaxPool: globalPool('Max'), globalAveragePool: globalPool('Average'),
  reduceMean: overSteps('Average'), reduceMax: overSteps('Max'),
}
