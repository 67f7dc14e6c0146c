// How often a Loop runs, where that can be said before it does.
import type { GraphNode } from '../../../ops/graph-data.ts'
import { NdArray } from '../../../values/ndarray.ts'
import type { Conversion } from '../conversion.ts'
import type { Surroundings } from '../surroundings.ts'
import type { Inside } from './inside.ts'

/** At most `limit` + `offset` steps; a limit is a value around the loop, or a number. */
interface Bound {
  readonly limit: string | number
  readonly offset: number
}

/** Values of a body that are what step it is: how much they are at the first step. They go up by 1. */
export type Counters = ReadonlyMap<string, number>

/** Numbers that are added to a counter one after the other. */
const MOST_SUMS = 32
/** Conditions that are joined into one. */
const MOST_CONDITIONS = 64

/** The value behind casts. */
export function uncast(importer: Surroundings, name: string): string {
  let value = name
  for (let node = importer.producer(value); node?.op === 'cast'; node = importer.producer(value)) value = node.inputs[0] as string
  return value
}

/** The only element of a constant. */
export function onlyElement(importer: Surroundings, name: string = ''): number | undefined {
  const data = importer.builder.value(name)?.data
  return data?.length === 1 ? data[0] : undefined
}

/** The operands of a comparison, the smaller one first, and what would have to be added to the larger one for `<`. */
function comparison(node: GraphNode): readonly [small: string, large: string, more: number] | undefined {
  const [a, b] = node.inputs as [string, string]
  if (node.op === 'less') return [a, b, 0]
  if (node.op === 'lessOrEqual') return [a, b, 1]
  if (node.op === 'greater') return [b, a, 0]
  return node.op === 'greaterOrEqual' ? [b, a, 1] : undefined
}

/** What a value is at the first step, if it goes up by 1 at each. */
function counted(importer: Surroundings, counters: Counters, name: string): number | undefined {
  let value = uncast(importer, name)
  let more = 0
  for (let n = 0; n < MOST_SUMS; n++) {
    const first = counters.get(value)
    if (first !== undefined) return first + more
    const node = importer.producer(value)
    if (node?.op !== 'add') return undefined
    const [a, b] = node.inputs as [string, string]
    const added = onlyElement(importer, b) ?? onlyElement(importer, a)
    if (added === undefined) return undefined
    more += added
    value = uncast(importer, onlyElement(importer, b) === undefined ? b : a)
  }
  return undefined
}

/** How many steps a condition allows that is asked after each step; undefined where it follows from what steps compute. */
function boundsOf(inside: Inside, counters: Counters, condition: string, seen: Set<string> = new Set()): Bound[] | undefined {
  const { importer } = inside
  const value = uncast(importer, condition)
  // Said once is enough; a file may join a condition with itself again and again.
  if (seen.has(value)) return []
  seen.add(value)
  const known = onlyElement(importer, value)
  if (known !== undefined) return known === 0 ? [{ limit: 1, offset: 0 }] : []
  const node = importer.producer(value)
  if (node === undefined || seen.size > MOST_CONDITIONS) return undefined
  if (node.op === 'and') {
    const both = node.inputs.map((input) => boundsOf(inside, counters, input, seen))
    return both.every((bounds) => bounds !== undefined) ? both.flat() : undefined
  }
  const compared = comparison(node)
  const first = compared === undefined ? undefined : counted(importer, counters, compared[0])
  if (compared === undefined || first === undefined) return undefined
  const large = uncast(importer, compared[1])
  const limit = onlyElement(importer, large) ?? inside.captured.get(large)
  // After step i the loop goes on if first + i < limit: i is at most limit - first - 1, and one step comes after that.
  return limit === undefined ? undefined : [{ limit, offset: compared[2] + 1 - first }]
}

/** Whether a condition that is asked before the first step says no more than that there are steps at all. */
function saysThereAreSteps(c: Conversion, condition: string, bounds: readonly Bound[], seen: Set<string> = new Set()): boolean {
  const { importer } = c
  const value = uncast(importer, condition)
  if (seen.has(value)) return true
  seen.add(value)
  const node = importer.producer(value)
  if (node === undefined || seen.size > MOST_CONDITIONS) return false
  if (node.op === 'and') return node.inputs.every((input) => saysThereAreSteps(c, input, bounds, seen))
  const compared = comparison(node)
  const first = compared === undefined ? undefined : onlyElement(importer, compared[0])
  if (compared === undefined || first === undefined) return false
  const large = uncast(importer, compared[1])
  return bounds.some(({ limit, offset }) => limit === large && offset <= compared[2] - first)
}

/**
 * The number of steps as a value around the loop, int32.
 * @param condition value of the body that says whether there is another step
 * @returns undefined where it follows from what the steps compute, or there is no end
 */
export function stepCount(c: Conversion, inside: Inside, counters: Counters, condition: string): string | undefined {
  const bounds = boundsOf(inside, counters, condition)
  if (bounds === undefined) return undefined
  if (c.has(0)) bounds.push({ limit: onlyElement(c.importer, c.input(0)) ?? uncast(c.importer, c.input(0)), offset: 0 })
  if (bounds.length === 0) return undefined
  const least: Map<string | number, number> = new Map()
  for (const { limit, offset } of bounds) {
    const [key, value] = typeof limit === 'number' ? [0, limit + offset] : [limit, offset]
    least.set(key, Math.min(least.get(key) ?? Infinity, value))
  }
  const number = (value: number): string => c.constant('steps', new NdArray(Int32Array.of(value), []))
  const values = [...least].map(([limit, offset]) => {
    if (typeof limit === 'number') return number(offset)
    return offset === 0 ? limit : c.emit('add', [limit, number(offset)])
  })
  const count = values.length === 1 ? values[0] as string : c.emit('min', values)
  if (!c.has(1)) return count
  const first = onlyElement(c.importer, c.input(1))
  if (first === 0) return number(0)
  if (first !== undefined || saysThereAreSteps(c, c.input(1), bounds)) return count
  return c.emit('mul', [count, c.emit('cast', [c.input(1)], { to: 'int32' })])
}
