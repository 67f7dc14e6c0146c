// A body of a Loop or Scan, read: what it takes and gives at each step.
import type { Graph } from '../../../ops/graph-data.ts'
import type { Conversion } from '../conversion.ts'
import { UNSUPPORTED_VALUE } from '../scope.ts'
import type { Inside } from './inside.ts'

/** A value that each step hands to the next. */
export interface State {
  /** What it is called in the body. */
  readonly name: string
  /** The value around the loop that it is at first. */
  readonly first: string
  /** What it becomes, in the body. */
  readonly next: string
  /** Which output of the node it ends in. */
  readonly position: number
}

/** A value of which each step sees one slice, the first axis left out. */
export interface Slice {
  readonly name: string
  /** The value around the loop. */
  readonly source: string
  readonly backwards: boolean
}

/** What the steps give, collected along a first axis. */
export interface Collected {
  /** In the body. */
  readonly value: string
  readonly backwards: boolean
  /** Adds what makes an output of the node of it: `[steps, ...]`. */
  readonly give: (stacked: string) => void
}

/** A loop whose number of steps is known when it is planned. */
export interface Steps {
  readonly inside: Inside
  /** The number of the step, in the body. */
  readonly number: string
  /** How many steps there are, a value around the loop; `''` where slices tell. */
  readonly count: string
  readonly states: readonly State[]
  readonly slices: readonly Slice[]
  /** Values of the body that are the number of the step. */
  readonly counters: ReadonlySet<string>
  readonly collected: readonly Collected[]
}

/** The states that something needs: an output, what is collected, or another such state. */
export function liveStates(c: Conversion, { importer }: Inside, states: readonly State[], collected: readonly Collected[]): State[] {
  const isOutput = ({ position }: State): boolean => c.isNeeded(position)
  const byName = new Map(states.map((state) => [state.name, state]))
  const reached = new Set([...collected.map(({ value }) => value), ...states.filter(isOutput).map(({ next }) => next)])
  for (const value of reached) {
    const state = byName.get(value)
    if (state !== undefined) reached.add(state.next)
    for (const input of importer.producer(value)?.inputs ?? []) reached.add(input)
  }
  importer.spend(0, reached.size)
  return states.filter((state) => isOutput(state) || reached.has(state.name))
}

/** The loop as one operator with the body inside. */
export function emitLoop(c: Conversion, { inside, number, count, states, slices, collected }: Steps): void {
  if (states.length + collected.length === 0) return
  const outputs = [...states.map(({ next }) => next), ...collected.map(({ value }) => value)]
  const graph: Graph = inside.finish([number, ...states.map(({ name }) => name), ...slices.map(({ name }) => name)], outputs)
  const { body, parameters, inputs } = inside.bodyOf(graph, 'body')
  const stacked = collected.map((_, n) => c.unused(`steps.${n}`))
  const backwards = [...slices, ...collected].map((one) => Number(one.backwards))
  c.emit(
    'loop', [count, ...states.map(({ first }) => first), ...slices.map(({ source }) => source), ...inputs],
    { states: states.length, scanned: slices.length, backwards: backwards.includes(1) ? backwards : undefined },
    [...states.map(({ position }) => c.output(position)), ...stacked], parameters, { body },
  )
  collected.forEach(({ give }, n) => give(stacked[n] as string))
}

/** The node's outputs are not supported, because something in its body is not: it is noted there. */
export function spoil(c: Conversion): void {
  for (let position = 0; position < c.outputCount; position++) c.alias(position, UNSUPPORTED_VALUE)
}
