// What a program takes: its file does not say it, but its first operators do.
import type { GraphInput } from '../../../graph/graph.ts'
import type { Dimension } from '../../../values/shape.ts'
import { CELL_CALLS, CONVOLUTIONS, NamedTensor, NotFollowed, RECURRENT_CALLS, Value, type Arg, type Call, type Program, type ProgramInput } from './calls.ts'
import { ELEMENTWISE, LENGTHENING } from './functions.ts'

const RECURRENT = Object.keys(RECURRENT_CALLS)

/** A value that has the shape of an input, or of one with its last two axes swapped, or of one at an index along an axis. */
interface Origin {
  readonly input: ProgramInput
  readonly swapped: boolean
  readonly selected?: number
}

/** Beyond every end. */
const END = 2 ** 31 - 1

/** How many elements an axis of an input has whose elements are all taken one by one: what was unrolled. Otherwise undefined. */
function unrolled(calls: readonly Call[], origins: ReadonlyMap<Value, Origin>, input: ProgramInput, axis: number): number | undefined {
  const indices = new Set(calls.flatMap(({ op, args: [x, along, index] }) => (
    op === 'select' && along === axis && x instanceof Value && origins.get(x)?.input === input && typeof index === 'number' ? [index] : []
  )))
  return indices.size > 1 && Array.from(indices.keys()).every((index) => index >= 0 && index < indices.size) ? indices.size : undefined
}

/** Type and shape of every input. @throws NotFollowed where the program does not tell */
export function inputsOf({ inputs, calls }: Program): GraphInput[] {
  const timeMajor = calls.some((call) => RECURRENT.includes(call.op) && call.args.at(-1) === false)
  const isSequence = calls.some(({ op }) => RECURRENT.includes(op) || CONVOLUTIONS.includes(op))
  const leading: readonly Dimension[] = timeMajor ? ['timesteps', 'batch'] : ['batch', 'timesteps']
  const rows = isSequence ? leading : ['batch']
  const found: Map<ProgramInput, GraphInput> = new Map()
  const origins: Map<Value, Origin> = new Map(inputs.map((input) => [input.value, { input, swapped: false }]))

  const tell = (arg: Arg, dtype: GraphInput['dtype'], shape: readonly Dimension[], optional = false): void => {
    const origin = arg instanceof Value ? origins.get(arg) : undefined
    if (origin === undefined || found.has(origin.input)) return
    const turned = origin.swapped ? [...shape.slice(0, -2), ...shape.slice(-2).reverse()] : [...shape]
    const { selected } = origin
    if (selected !== undefined) turned.splice(selected, 0, unrolled(calls, origins, origin.input, selected) ?? 'timesteps')
    found.set(origin.input, { name: origin.input.name, dtype, shape: turned, ...(optional && { optional }) })
  }
  for (const call of calls) {
    const [x, second] = call.args
    const origin = x instanceof Value ? origins.get(x) : undefined
    const weight = (arg: Arg): readonly number[] => (arg instanceof NamedTensor ? arg.tensor.shape : [])
    if (RECURRENT.includes(call.op)) {
      const [, initial, params, , layers, , , both] = call.args
      const [first, recurrent, ...rest] = Array.isArray(params) ? params as readonly Arg[] : []
      const [gates = 0, units = 0] = weight(recurrent)
      tell(x, 'float32', [...leading, weight(first)[1] ?? 0])
      const states = Array.isArray(initial) ? initial as readonly Arg[] : [initial]
      const hidden = rest.some((arg) => arg instanceof NamedTensor && arg.name.includes('weight_hr')) ? gates / 4 : units
      const count = Number(layers) * (both === true ? 2 : 1)
      states.forEach((state, n) => tell(state, 'float32', [count, 'batch', n === 0 ? units : hidden], true))
    } else if (Object.hasOwn(CELL_CALLS, call.op)) {
      const [, states, first, recurrent] = call.args
      tell(x, 'float32', ['batch', weight(first)[1] ?? 0])
      for (const state of Array.isArray(states) ? states as readonly Arg[] : [states]) tell(state, 'float32', ['batch', weight(recurrent)[1] ?? 0])
    } else if (call.op === 'linear') tell(x, 'float32', [...origin?.selected === undefined ? rows : ['batch'], weight(second)[1] ?? 0])
    else if (call.op === 'embedding') tell(second, 'int32', leading)
    else if (CONVOLUTIONS.includes(call.op)) tell(x, 'float32', ['batch', (weight(second)[1] ?? 0) * groupsOf(call), 'timesteps'])
    else if (call.op === 'layer_norm') tell(x, 'float32', [...rows, ...(Array.isArray(second) ? second as readonly number[] : [])])
    else if (call.op === 'batch_norm') tell(x, 'float32', isSequence ? ['batch', weight(call.args[3])[0] ?? 0, 'timesteps'] : ['batch', weight(call.args[3])[0] ?? 0])
    const [result] = call.results
    if (origin === undefined || result === undefined) continue
    const isLonger = LENGTHENING.includes(call.op) && (!call.op.includes('pad') || (Array.isArray(second) && second.length === 2))
    const isWhole = call.op === 'slice' && call.args[2] === 0 && Number(call.args[3] ?? END) >= END && (call.args[4] ?? 1) === 1
    if (ELEMENTWISE.includes(call.op) || isLonger || isWhole) origins.set(result, origin)
    if (call.op === 'select' && !origin.swapped && origin.selected === undefined && typeof second === 'number' && second >= 0) origins.set(result, { ...origin, selected: second })
    if (call.op === 'transpose' && isSequence && [second, call.args[2]].every((axis) => axis !== 0)) origins.set(result, { ...origin, swapped: !origin.swapped })
    if (call.op === 'permute' && JSON.stringify(second) === '[0,2,1]') origins.set(result, { ...origin, swapped: !origin.swapped })
  }
  // A symbol is the same size wherever it stands; where it stands first says which.
  const sizes: Map<string, string> = new Map()
  const named = (size: Dimension, axis: number): Dimension => {
    if (typeof size === 'number') return size
    const name = leading[axis]
    if (!sizes.has(size)) sizes.set(size, typeof name === 'string' && ![...sizes.values()].includes(name) ? name : size)
    return sizes.get(size) as string
  }
  return inputs.map((input): GraphInput => {
    if (input.shape !== undefined) return { name: input.name, dtype: input.isInteger === true ? 'int32' : 'float32', shape: input.shape.map(named) }
    const told = found.get(input)
    if (told === undefined) throw new NotFollowed(`does not tell the shape of its input '${input.name}'`)
    return told
  })
}

function groupsOf({ op, args }: Call): number {
  const groups = args[op.startsWith('conv1d') || op === '_convolution_mode' ? 6 : 8]
  return typeof groups === 'number' ? groups : 1
}
