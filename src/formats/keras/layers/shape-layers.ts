// Layers that move elements.
import { END, onlyInput, type LayerCall, type LayerKind } from '../layer-call.ts'
import { isList, type Json } from '../../json.ts'
import { type Settings } from '../settings.ts'
import { axesOf, formatProblems, isChannelsLast, perAxis, windowAxes, WINDOWS } from './window-settings.ts'

/** A layer whose output has no mask. */
function moving(build: (call: LayerCall, value: string) => string, unsupported?: LayerKind['unsupported']): LayerKind {
  return {
    build: (call) => [{ value: build(call, onlyInput(call).value), mask: undefined }],
    ...(unsupported !== undefined && { unsupported }),
  }
}

/** Row by row, features last: those that come first are moved behind the other axes, as Keras does. */
export const flatten: LayerKind = moving(({ emit, path, layer }, x) => {
  const rank = emit.rankOf(x)
  if (rank === 1) return emit.node(path, 'unsqueeze', [x, emit.integers(1)])
  const behind = Array.from({ length: rank - 2 }, (_, axis) => axis + 2)
  const ordered = isChannelsLast(layer.settings) || rank < 3 ? x : emit.node(`${path}/ordered`, 'transpose', [x], { perm: [0, ...behind, 1] })
  return emit.node(path, 'reshape', [ordered, emit.integers(0, -1)])
}, formatProblems)

export const reshape: LayerKind = moving(({ emit, path, layer }, x) => {
  // TensorFlow.js writes null for the size that is left.
  const given = layer.settings.json('target_shape')
  const shape = isList(given) && given.includes(null) ? given.map((size) => size ?? -1) as number[] : layer.settings.integers('target_shape')
  if (shape.some((size) => !Number.isSafeInteger(size) || size < -1 || size === 0)) throw layer.settings.wrong('target_shape', 'sizes >= 1 or -1', shape)
  return emit.node(path, 'reshape', [x, emit.integers(0, ...shape)])
})

export const permute: LayerKind = moving(({ emit, path, layer }, x) => (
  emit.node(path, 'transpose', [x], { perm: [0, ...layer.settings.integers('dims')] })
))

/** [batch, features] -> [batch, n, features]. */
export const repeatVector: LayerKind = moving(({ emit, path, layer }, x) => {
  const row = emit.node(`${path}/row`, 'unsqueeze', [x, emit.integers(1)])
  return emit.node(path, 'expand', [row, emit.integers(1, layer.settings.count('n'), 1)])
})

/**
 * [before, after] for each axis. Keras has one number for all; one axis: [before, after], in some versions inside a list;
 * two axes: a number for both ends of each, or both ends of each.
 */
function ends(settings: Settings, key: string, axes: number): [number, number][] {
  const given = settings.json(key) ?? 1
  const list = isList(given) ? given : Array.from({ length: axes }, () => given)
  const each = axes === 1 && isList(given) && !isList(given[0]) ? [given] : list
  const pairs = each.map((one): readonly Json[] => (isList(one) ? one : [one]))
  const valid = pairs.every((pair) => pair.length >= 1 && pair.length <= 2 && pair.every((count) => Number.isSafeInteger(count) && (count as number) >= 0))
  if (!valid || pairs.length !== axes) throw settings.wrong(key, axes === 1 ? 'one or two whole numbers >= 0' : 'whole numbers >= 0 for two axes', given)
  return pairs.map(([before, after = before]) => [before as number, after as number])
}

export const zeroPadding: LayerKind = moving(({ emit, path, layer }, x) => {
  const axes = axesOf(layer)
  const all = [...emit.shapeOf(x)].map((): [number, number] => [0, 0])
  ends(layer.settings, 'padding', axes).forEach((pair, n) => {
    all[windowAxes(layer.settings, axes)[n] as number] = pair
  })
  return emit.node(path, 'pad', [x, emit.integers(...all.map(([before]) => before), ...all.map(([, after]) => after))])
}, formatProblems)

export const cropping: LayerKind = moving(({ emit, path, layer }, x) => {
  const axes = axesOf(layer)
  const cuts = ends(layer.settings, 'cropping', axes)
  return emit.node(path, 'slice', [
    x, emit.integers(...cuts.map(([before]) => before)), emit.integers(...cuts.map(([, after]) => (after === 0 ? END : -after))),
    emit.integers(...windowAxes(layer.settings, axes)),
  ])
}, formatProblems)

/** Every timestep several times. */
export const upSampling: LayerKind = moving(({ emit, path, layer }, x) => {
  const size = layer.settings.single('size', 2)
  const features = emit.shapeOf(x)[2]
  const apart = emit.node(`${path}/apart`, 'unsqueeze', [x, emit.integers(2)])
  const repeated = emit.node(`${path}/repeated`, 'expand', [apart, emit.integers(1, 1, size, 1)])
  return emit.node(path, 'reshape', [repeated, emit.integers(0, -1, typeof features === 'number' ? features : 1)])
})

/** Keras's words for how what lies between is found. */
const INTERPOLATIONS: Readonly<Record<string, Record<string, string>>> = {
  nearest: { mode: 'nearest', coordinateTransformationMode: 'asymmetric', nearestMode: 'floor' },
  bilinear: { mode: 'linear', coordinateTransformationMode: 'half_pixel' },
}

/** Rows and columns more often. */
export const upSamplingImage: LayerKind = {
  ...moving(({ emit, path, layer }, x) => emit.node(path, 'resize', [x], {
    scales: perAxis(layer.settings, 'size', 2, [2]), axes: windowAxes(layer.settings, 2),
    ...INTERPOLATIONS[layer.settings.text('interpolation', 'nearest')],
  })),
  families: WINDOWS,
  unsupported({ settings }) {
    const interpolation = settings.text('interpolation', 'nearest')
    return [...formatProblems({ settings }), ...(Object.hasOwn(INTERPOLATIONS, interpolation) ? [] : [`interpolation ${JSON.stringify(interpolation)}`])]
  },
}
