// A layer over every timestep by itself.
import type { Dimension } from '../../../values/shape.ts'
import { parseLayer, type LayerSpec } from '../config.ts'
import { notSupported, onlyInput, type LayerCall, type LayerKind } from '../layer-call.ts'
import { quantizationOf } from '../policies.ts'

/** Layers that work along the last axis, or element by element: more axes before it are nothing to them. */
const ANY_RANK: ReadonlySet<string> = new Set([
  'Dense', 'Activation', 'ELU', 'LeakyReLU', 'ReLU', 'ThresholdedReLU', 'Embedding', 'Rescaling',
  'Dropout', 'AlphaDropout', 'GaussianDropout', 'GaussianNoise', 'ActivityRegularization',
])

function innerLayer({ settings }: LayerSpec): LayerSpec {
  return parseLayer(settings.json('layer'), 0, `${settings.what}: layer`)
}

export const timeDistributed: LayerKind = {
  unsupported(layer, _dialect, inspect) {
    const inner = innerLayer(layer)
    // Keras calls it past what multiplies by the scales: what comes out is some hundred times too large.
    const isQuantized = quantizationOf(inner) !== undefined
    return [...inspect(inner), ...(isQuantized ? [`around a quantised ${inner.className}, whose scales Keras leaves out: a ${inner.className} without TimeDistributed computes the same, and is quantised right`] : [])]
  },
  build(call) {
    const { layer, weights, path, apply } = call
    const inner = innerLayer(layer)
    const x = onlyInput(call)
    const innerCall = { ...call, layer: inner, weights: weights.child('layer'), path: `${path}/${inner.name}`, kwargs: new Map() }
    if (ANY_RANK.has(inner.className)) {
      const [y] = apply({ ...innerCall, inputs: [{ value: x.value, mask: undefined }], path })
      return [{ value: y?.value ?? x.value, mask: x.mask }]
    }
    const flat = joinedAxes(call, x.value)
    const outputs = apply({ ...innerCall, inputs: [{ value: flat, mask: undefined }] })
    const [y] = outputs
    if (y === undefined || outputs.length > 1) throw notSupported(`${layer.settings.what}: a layer with ${outputs.length} outputs`)
    return [{ value: separatedAxes(call, x.value, y.value), mask: x.mask }]
  },
}

function numbers(sizes: readonly Dimension[], { layer }: LayerCall): readonly number[] {
  if (!sizes.every((size) => typeof size === 'number')) throw notSupported(`${layer.settings.what}: axes of unknown sizes, besides batch and timesteps`)
  return sizes
}

/** [batch, timesteps, ...] -> [batch x timesteps, ...]. */
function joinedAxes(call: LayerCall, x: string): string {
  const { emit, path } = call
  return emit.node(`${path}/joined`, 'reshape', [x, emit.integers(-1, ...numbers(emit.shapeOf(x).slice(2), call))])
}

/** The way back: batch and timesteps are those of `x`. */
function separatedAxes(call: LayerCall, x: string, y: string): string {
  const { emit, path } = call
  const rest = numbers(emit.shapeOf(y).slice(1), call)
  const steps = emit.shapeOf(x)[1]
  if (typeof steps === 'number') return emit.node(path, 'reshape', [y, emit.integers(-1, steps, ...rest)])
  const sizes = emit.node(`${path}/sizes`, 'shape', [x], { start: 0, end: 2 })
  return emit.node(path, 'reshape', [y, emit.node(`${path}/shape`, 'concat', [sizes, emit.integers(...rest)], { axis: 0 })])
}
