// Pooling over time, or over the rows and columns of images.
import { onlyInput, type LayerKind } from '../layer-call.ts'
import { windowAttributes } from './convolution.ts'
import { axesOf, formatProblems, isChannelsLast, perAxis, windowAxes, WINDOWS } from './window-settings.ts'

export function pooling(op: 'maxPool' | 'averagePool'): LayerKind {
  return {
    unsupported: formatProblems,
    families: WINDOWS,
    build(call) {
      const { layer, emit, path } = call
      const { settings } = layer
      const axes = axesOf(layer)
      const sizes = perAxis(settings, 'pool_size', axes, [2])
      const strides = perAxis(settings, 'strides', axes, sizes)
      return [{ value: emit.node(path, op, [onlyInput(call).value], windowAttributes(settings, sizes, strides, sizes.map(() => 1))), mask: undefined }]
    },
  }
}

export const globalMaxPooling: LayerKind = {
  unsupported: formatProblems,
  build(call) {
    const { layer, emit, path } = call
    const keepdims = layer.settings.flag('keepdims', false)
    const axes = windowAxes(layer.settings, axesOf(layer))
    return [{ value: emit.node(path, 'reduceMax', [onlyInput(call).value, emit.integers(...axes)], { keepdims }), mask: undefined }]
  },
}

/** The mean over time, or over rows and columns; with a mask, over valid steps. */
export const globalAveragePooling: LayerKind = {
  unsupported: formatProblems,
  build(call) {
    const { layer, emit, path, dialect } = call
    const keepdims = layer.settings.flag('keepdims', false)
    const { value, mask } = onlyInput(call)
    const axes = emit.integers(...windowAxes(layer.settings, axesOf(layer)))
    if (mask === undefined || !dialect.averagesMasked) return [{ value: emit.node(path, 'reduceMean', [value, axes], { keepdims }), mask: undefined }]
    const features = emit.integers(isChannelsLast(layer.settings) ? 2 : 1)
    const valid = emit.node(`${path}/valid`, 'unsqueeze', [emit.node(`${path}/steps`, 'cast', [mask], { to: 'float32' }), features])
    const sum = emit.node(`${path}/sum`, 'reduceSum', [emit.node(`${path}/kept`, 'mul', [value, valid]), axes], { keepdims })
    const count = emit.node(`${path}/count`, 'reduceSum', [valid, axes], { keepdims })
    return [{ value: emit.node(path, 'div', [sum, count]), mask: undefined }]
  },
}
