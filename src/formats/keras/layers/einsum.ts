// Einstein sums of one operand or two: 'bij,bkj->bik'. A product of matrices where each kind of axis is there once, or else of elements, summed.
import { notSupported, type LayerCall } from '../layer-call.ts'
import { malformed } from '../settings.ts'

interface Labelled {
  readonly value: string
  readonly labels: readonly string[]
}

/** Letters of a term; axes of an ellipsis are numbers, counted from its end. @throws LstmError `UNSUPPORTED` for a diagonal */
function labelsOf(call: LayerCall, term: string, rank: number): string[] {
  const { what } = call.layer.settings
  const [before, after] = term.includes('...') ? term.split('...') as [string, string] : [term, undefined]
  const missing = rank - before.length - (after?.length ?? 0)
  const between = after === undefined ? [] : Array.from({ length: Math.max(0, missing) }, (_, n) => `${missing - 1 - n}`)
  const labels = [...Array.from(before), ...between, ...Array.from(after ?? '')]
  if (labels.length !== rank || !/^[A-Za-z]*$/.test(before + (after ?? ''))) throw malformed(`${what}: expected a label for each of ${rank} axes, got '${term}'`)
  if (new Set(labels).size < rank) throw notSupported(`${what}: a diagonal ('${term}')`)
  return labels
}

/** Without the axes that nobody asks for. */
function summed({ emit, path }: LayerCall, { value, labels }: Labelled, isWanted: (label: string) => boolean): Labelled {
  const axes = labels.flatMap((label, axis) => (isWanted(label) ? [] : [axis]))
  if (axes.length === 0) return { value, labels }
  return { value: emit.node(`${path}/sum`, 'reduceSum', [value, emit.integers(...axes)], { keepdims: false }), labels: labels.filter(isWanted) }
}

/** Axes in this order; those that the value does not have get one element. */
function ordered({ emit, path }: LayerCall, { value, labels }: Labelled, order: readonly string[]): string {
  const perm = order.filter((label) => labels.includes(label)).map((label) => labels.indexOf(label))
  const moved = perm.every((axis, n) => axis === n) ? value : emit.node(`${path}/ordered`, 'transpose', [value], { perm })
  const missing = order.flatMap((label, axis) => (labels.includes(label) ? [] : [axis]))
  return missing.length === 0 ? moved : emit.node(`${path}/broadcast`, 'unsqueeze', [moved, emit.integers(...missing)])
}

function product(call: LayerCall, a: Labelled, b: Labelled, isWanted: (label: string) => boolean): Labelled {
  const { emit, path } = call
  const shared = a.labels.filter((label) => b.labels.includes(label))
  const [batch, inner] = [shared.filter(isWanted), shared.filter((label) => !isWanted(label))]
  const [rows, columns] = [a.labels.filter((label) => !shared.includes(label)), b.labels.filter((label) => !shared.includes(label))]
  if (inner.length === 1 && rows.length === 1 && columns.length === 1) {
    const sides = [ordered(call, a, [...batch, ...rows, ...inner]), ordered(call, b, [...batch, ...inner, ...columns])]
    return { value: emit.node(`${path}/product`, 'matMul', sides), labels: [...batch, ...rows, ...columns] }
  }
  const all = [...new Set([...a.labels, ...b.labels])]
  return { value: emit.node(`${path}/product`, 'mul', [ordered(call, a, all), ordered(call, b, all)]), labels: all }
}

export function emitEinsum(call: LayerCall, subscripts: string, values: readonly string[]): string {
  const { emit, layer: { settings } } = call
  const [left = '', right] = subscripts.replace(/\s/g, '').split('->')
  const terms = left.split(',')
  if (terms.length !== values.length || values.length > 2 || values.length === 0) {
    throw notSupported(`${settings.what}: the equation '${subscripts}' of ${values.length} operands`)
  }
  const labelled = values.map((value, n): Labelled => ({ value, labels: labelsOf(call, terms[n] as string, emit.rankOf(value)) }))
  const [a, b] = labelled as [Labelled, Labelled | undefined]
  if (right === undefined) throw notSupported(`${settings.what}: the equation '${subscripts}', which does not say the result`)
  const numbers = [...new Set([...a.labels, ...b?.labels ?? []])].filter((label) => /\d/.test(label)).sort((x, y) => Number(y) - Number(x))
  const result = right.split(/(\.\.\.)/).flatMap((part) => (part === '...' ? numbers : Array.from(part)))
  const isWanted = (label: string): boolean => result.includes(label)
  const isKnown = (label: string): boolean => a.labels.includes(label) || b?.labels.includes(label) === true
  if (!result.every(isKnown)) throw malformed(`${settings.what}: the result of '${subscripts}' has labels of no operand`)
  if (b === undefined) return ordered(call, summed(call, a, isWanted), result)
  const one = summed(call, a, (label) => isWanted(label) || b.labels.includes(label))
  const other = summed(call, b, (label) => isWanted(label) || a.labels.includes(label))
  return ordered(call, summed(call, product(call, one, other, isWanted), isWanted), result)
}
