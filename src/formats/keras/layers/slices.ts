// x[:, -1], x[:, 1:3, ..., 0]: the keys of Python as Keras writes them.
import { END, notSupported, type LayerCall } from '../layer-call.ts'
import { field, isList, isObject, type Json } from '../../json.ts'

/** What one axis is asked for: one of its elements, or a range. */
type Entry = { readonly index: number } | { readonly start: number, readonly stop: number, readonly step: number }

const WHOLE: Entry = { start: 0, stop: END, step: 1 }

function isEllipsis(json: Json): boolean {
  return field(json, 'class_name') === '__ellipsis__'
}

function entryOf(json: Json, what: string): Entry {
  if (typeof json === 'number' && Number.isSafeInteger(json)) return { index: json }
  // Keras 2 has the three at once, Keras 3 under `config`.
  const range = field(json, 'config') ?? json
  const numbers = ['start', 'stop', 'step'].map((key) => field(range, key) ?? null)
  const isRange = isObject(json) && (field(json, 'class_name') ?? '__slice__') === '__slice__'
  if (!isRange || !numbers.every((number) => number === null || (typeof number === 'number' && Number.isSafeInteger(number))) || numbers[2] === 0) {
    throw notSupported(`${what}: the key ${JSON.stringify(json)}`)
  }
  const [start, stop, step = 1] = numbers.map((number) => number ?? undefined) as (number | undefined)[]
  return step > 0 ? { start: start ?? 0, stop: stop ?? END, step } : { start: start ?? END, stop: stop ?? -END, step }
}

/** An entry for every axis: `...` stands for as many whole ones as are missing. */
function entriesOf(key: Json, rank: number, what: string): Entry[] {
  const list = isList(key) ? key : [key]
  const at = list.findIndex(isEllipsis)
  const before = (at < 0 ? list : list.slice(0, at)).map((json) => entryOf(json, what))
  const after = (at < 0 ? [] : list.slice(at + 1)).map((json) => entryOf(json, what))
  const missing = rank - before.length - after.length
  if (missing < 0) throw notSupported(`${what}: ${before.length + after.length} keys for ${rank} axes`)
  return [...before, ...Array.from({ length: missing }, () => WHOLE), ...after]
}

/** The nodes of `x[key]`. @throws LstmError `UNSUPPORTED` for keys that are tensors or new axes */
export function emitSlices({ emit, path, layer }: LayerCall, x: string, key: Json | undefined): string {
  const { what } = layer.settings
  if (key === undefined) throw notSupported(`${what}: a key that is a tensor`)
  const entries = entriesOf(key, emit.rankOf(x), what)
  const ranges = entries.flatMap((entry, axis) => ('index' in entry || entry === WHOLE ? [] : [{ ...entry, axis }]))
  const isWhole = ranges.every(({ start, stop, step }) => start === 0 && stop === END && step === 1)
  const sliced = isWhole
    ? x
    : emit.node(`${path}/range`, 'slice', [
        x, ...([({ start }) => start, ({ stop }) => stop, ({ axis }) => axis, ({ step }) => step] satisfies ((range: typeof ranges[number]) => number)[])
          .map((part) => emit.integers(...ranges.map(part))),
      ])
  // The last axes first: those before them keep their numbers.
  return entries.reduceRight((value, entry, axis) => (
    'index' in entry ? emit.node(`${path}/${axis}`, 'gather', [value, emit.integer(entry.index)], { axis }) : value
  ), sliced)
}
