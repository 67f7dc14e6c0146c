// ONNX Loop: https://onnx.ai/onnx/operators/onnx__Loop.html
import { NdArray } from '../../../values/ndarray.ts'
import { malformed } from '../../protobuf/wire.ts'
import type { Conversion } from '../conversion.ts'
import { addList, refuseLists, WITHOUT_LISTS } from '../lists.ts'
import type { OnnxGraph } from '../messages.ts'
import { onlyElement, stepCount, uncast } from './condition.ts'
import { Inside } from './inside.ts'
import { emitLayers } from './layers.ts'
import { emitLoop, liveStates, spoil, type Collected, type State, type Steps } from './steps.ts'

/** Inputs: how many steps, a condition, states. Body: inputs: number of the step, condition, states; outputs: condition, states, what is collected. */
export function convertLoop(c: Conversion): void {
  c.onlyAttributes(['body'])
  const body = c.graph('body')
  refuseLists(c, c.inputs.slice(0, 2), 'a condition')
  const count = Math.max(0, c.inputs.length - 2)
  if (body.inputs.length !== 2 + count || body.outputs.length < 1 + count) {
    throw malformed(`${c.label}: expected a body that takes and gives its ${count} states, got ${body.inputs.length} inputs and ${body.outputs.length} outputs`)
  }
  const inside = new Inside(c)
  const [first, second] = body.inputs as [typeof body.inputs[number], typeof body.inputs[number]]
  const number = inside.input(first.name, { dtype: 'int32', shape: [] })
  inside.scope.set(first.name, number)
  // A step is only taken where the condition holds.
  inside.scope.set(second.name, inside.importer.constant(second.name, new NdArray(Uint8Array.of(1), [])))
  const sources = identities(body)
  const unchanged: (readonly [position: number, value: string])[] = []
  const changing: { readonly name: string, readonly first: string, readonly position: number }[] = []
  const growing: (readonly [position: number, name: string])[] = []
  for (let position = 0; position < count; position++) {
    const { name } = body.inputs[2 + position] as { name: string }
    const initial = c.input(2 + position)
    if (sources(body.outputs[1 + position]?.name as string) === name) {
      inside.scope.set(name, inside.capture(initial))
      unchanged.push([position, initial])
    } else if (c.importer.lists.has(initial)) {
      inside.scope.set(name, emptyInside(c, inside, initial, name))
      growing.push([position, name])
    } else {
      const inner = inside.input(name, c.type(initial))
      inside.scope.set(name, inner)
      changing.push({ name: inner, first: initial, position })
    }
  }
  const outputs = inside.add(body)
  if (outputs === undefined) return spoil(c)
  for (const [position, value] of unchanged) c.alias(position, value)
  const states = changing.map((state): State => ({ ...state, next: outputs[1 + state.position] as string }))
  const counters = new Map([[number, 0], ...states.flatMap(({ name, first: from, next }): [string, number][] => {
    const start = onlyElement(c.importer, from)
    return start !== undefined && goesUp(inside, name, next) ? [[name, start]] : []
  })])
  const steps = stepCount(c, inside, counters, outputs[0] as string)
  if (steps === undefined) throw c.unsupported('a loop that ends when its steps have computed something, which is known only when the model runs,')
  const lists = growing.flatMap(([position, name]) => appendedTo(c, inside, outputs[1 + position] as string, name, position))
  const mayBeLists = new Set([...growing, ...unchanged].map(([position]) => 1 + position))
  if (outputs.some((value, n) => inside.importer.lists.has(value) && !mayBeLists.has(n))) {
    throw c.unsupported(`a result of each step that is a list of tensors ${WITHOUT_LISTS}`)
  }
  const stacked = outputs.slice(1 + count).flatMap((value, n) => {
    const position = count + n
    return c.isNeeded(position) ? [{ value, backwards: false, give: (stacked: string) => c.alias(position, stacked) }] : []
  })
  const collected = [...stacked, ...lists]
  const loop: Steps = {
    inside, number, count: steps, slices: [], states: liveStates(c, inside, states, collected), collected,
    counters: new Set([...counters].flatMap(([name, start]) => (start === 0 ? [name] : []))),
  }
  if (!emitLayers(c, loop)) emitLoop(c, loop)
}

/** A list that steps append to, as the body sees it. @throws LstmError `UNSUPPORTED` unless it is empty before the first step */
function emptyInside(c: Conversion, { importer }: Inside, initial: string, name: string): string {
  const list = c.importer.lists.get(initial)
  if (list === undefined || !('items' in list) || list.items.length > 0) throw c.unsupported(`a list of tensors that a loop changes, and that is not empty before, ${WITHOUT_LISTS}`)
  return addList(importer, name, { of: name, appended: [] })
}

/** What each step appends to a list, collected: one tensor. */
function appendedTo(c: Conversion, { importer }: Inside, value: string, name: string, position: number): Collected[] {
  const list = importer.lists.get(value)
  const [item, ...more] = list !== undefined && 'appended' in list && list.of === name ? list.appended : []
  if (item === undefined || more.length > 0) throw c.unsupported(`a loop that does not append one tensor to a list at each step ${WITHOUT_LISTS}`)
  if (!c.isNeeded(position)) return []
  return [{
    value: item,
    backwards: false,
    give: (array) => c.alias(position, addList(c.importer, c.unused('list'), { array, axis: 0, keeps: false })),
  }]
}

/** Whether a state is one more after each step. */
function goesUp({ importer }: Inside, name: string, next: string): boolean {
  const node = importer.producer(uncast(importer, next))
  if (node?.op !== 'add') return false
  const [a, b] = node.inputs as [string, string]
  return (a === name && onlyElement(importer, b) === 1) || (b === name && onlyElement(importer, a) === 1)
}

/** Follows Identity nodes of a body back to where a value comes from. */
function identities({ nodes }: OnnxGraph): (name: string) => string {
  const from = new Map(nodes.flatMap(({ op, inputs, outputs }): [string, string][] => (op === 'Identity' ? [[outputs[0] ?? '', inputs[0] ?? '']] : [])))
  return (name) => {
    let value = name
    for (let n = from.size; n > 0 && from.has(value); n--) value = from.get(value) as string
    return value
  }
}
