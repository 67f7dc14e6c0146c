// Layers that move elements.
import { onlyInput, type LayerCall, type LayerKind } from '../layer-call.ts'
import { isList, type Settings } from '../settings.ts'

/** A layer whose output has no mask. */
function moving(build: (call: LayerCall, value: string) => string, unsupported?: LayerKind['unsupported']): LayerKind {
  return {
    build: (call) => [{ value: build(call, onlyInput(call).value), mask: undefined }],
    ...(unsupported !== undefined && { unsupported }),
  }
}

/** Layers over time that want [batch, timesteps, features]. */
export function channelsLast({ settings }: { readonly settings: Settings }): string[] {
  const format = settings.json('data_format') ?? 'channels_last'
  return format === 'channels_last' || format === 'channelsLast' ? [] : [`data_format ${JSON.stringify(format)}`]
}

export const flatten: LayerKind = moving(({ emit, path }, x) => (
  emit.rankOf(x) === 1 ? emit.node(path, 'unsqueeze', [x, emit.integers(1)]) : emit.node(path, 'reshape', [x, emit.integers(0, -1)])
), channelsLast)

export const reshape: LayerKind = moving(({ emit, path, layer }, x) => {
  const shape = layer.settings.integers('target_shape')
  if (shape.some((size) => size < -1 || size === 0)) throw layer.settings.wrong('target_shape', 'sizes >= 1 or -1', shape)
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

/** [before, after] of a setting that may be one number for both. */
function pair(settings: Settings, key: string, otherwise: readonly number[]): [number, number] {
  const given = settings.json(key)
  // Written as a list of one pair in some versions.
  const list = isList(given) && given.length === 1 && isList(given[0]) ? given[0] : undefined
  const numbers = list === undefined ? settings.integers(key, otherwise) : list as readonly number[]
  const [before, after = before] = numbers
  const valid = [before, after].every((count) => typeof count === 'number' && Number.isSafeInteger(count) && count >= 0)
  if (!valid || numbers.length > 2) throw settings.wrong(key, 'one or two whole numbers >= 0', given)
  return [before as number, after as number]
}

export const zeroPadding: LayerKind = moving(({ emit, path, layer }, x) => {
  const [before, after] = pair(layer.settings, 'padding', [1, 1])
  return emit.node(path, 'pad', [x, emit.integers(0, before, 0, 0, after, 0)])
}, channelsLast)

/** Beyond every end: what a slice to the end stops at. */
const END = 2 ** 31 - 1

export const cropping: LayerKind = moving(({ emit, path, layer }, x) => {
  const [before, after] = pair(layer.settings, 'cropping', [1, 1])
  return emit.node(path, 'slice', [x, emit.integers(before), emit.integers(after === 0 ? END : -after), emit.integers(1)])
}, channelsLast)

/** Every timestep several times. */
export const upSampling: LayerKind = moving(({ emit, path, layer }, x) => {
  const size = layer.settings.single('size', 2)
  const features = emit.shapeOf(x)[2]
  const apart = emit.node(`${path}/apart`, 'unsqueeze', [x, emit.integers(2)])
  const repeated = emit.node(`${path}/repeated`, 'expand', [apart, emit.integers(1, 1, size, 1)])
  return emit.node(path, 'reshape', [repeated, emit.integers(0, -1, typeof features === 'number' ? features : 1)])
})
