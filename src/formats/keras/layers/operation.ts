// What functions are called with: tensors, numbers, lists, axes.
import { notSupported, tensorsOf, type BoundArgument, type LayerCall } from '../layer-call.ts'
import { isList, type Json } from '../../json.ts'
import { malformed } from '../settings.ts'

export type Given = readonly (BoundArgument | undefined)[]

/** Makes the nodes of a function: its output, or all of them. */
type Emit = (call: LayerCall, given: Given) => string | readonly string[]

/** A function: the names of its parameters in order, those of one parameter with bars between, and its nodes. */
export interface Operation {
  readonly names: readonly string[]
  readonly emit: Emit
  /** The first argument is a list of tensors, which Keras 2 writes as several arguments. */
  readonly takesList?: boolean
}

/** What the first argument is called, where it is named at all. */
export const FIRST = 'x|x1|input|input_tensor|features|logits|tensor|a|value|params|t'
export const LIST = 'xs|x|values|inputs|tensors'

/** JSON of an argument without tensors. */
export function plain(argument: BoundArgument | undefined): Json | undefined {
  if (argument === undefined || 'tensor' in argument) return undefined
  if ('json' in argument) return argument.json
  const items = argument.list.map(plain)
  return items.every((item) => item !== undefined) ? items : undefined
}

/**
 * Arguments by parameter: in order, by name, or in the config of the layer.
 * @throws LstmError `UNSUPPORTED` for one that no parameter takes: nothing is left out
 */
export function boundArguments({ args, kwargs, layer }: LayerCall, { names, takesList }: Operation): (BoundArgument | undefined)[] {
  const { what } = layer.settings
  const [first] = args
  const positional = takesList && first !== undefined && !('list' in first) ? [{ list: args }] : args
  if (positional.length > names.length) throw notSupported(`${what}: ${positional.length} arguments`)
  const known = new Set(['name', ...names.flatMap((name) => name.split('|'))])
  for (const [key, value] of kwargs) {
    const json = plain(value)
    if (!known.has(key) && json !== null && json !== false) throw notSupported(`${what}: its argument ${key}`)
  }
  return names.map((name, index) => {
    const keys = name.split('|')
    const key = keys.find((candidate) => kwargs.has(candidate))
    if (positional[index] !== undefined) return positional[index]
    if (key !== undefined) return kwargs.get(key)
    const setting = keys.map((candidate) => layer.settings.json(candidate)).find((json) => json !== undefined)
    return setting === undefined ? undefined : { json: setting }
  })
}

/** Lists of one length in each other as an array; undefined for what is none. */
function arrayOf(json: readonly Json[]): { readonly data: readonly number[], readonly shape: readonly number[] } | undefined {
  if (json.every((item) => typeof item === 'number')) return { data: json, shape: [json.length] }
  const rows = json.map((item) => (isList(item) ? arrayOf(item) : undefined))
  const [first] = rows
  if (first === undefined || !rows.every((row) => row?.shape.join() === first.shape.join())) return undefined
  return { data: rows.flatMap((row) => row?.data ?? []), shape: [json.length, ...first.shape] }
}

/** Tensors, and numbers and arrays as constants of the tensors' dtype. */
export function operands(call: LayerCall, list: readonly (BoundArgument | undefined)[]): string[] {
  const [like] = list.flatMap(tensorsOf)
  const isInteger = call.emit.builder.types.get(like?.value ?? '')?.dtype === 'int32'
  return list.map((argument) => {
    if (argument !== undefined && 'tensor' in argument) return argument.tensor.value
    const number = plain(argument)
    const array = isList(number) ? arrayOf(number) : undefined
    if (array !== undefined) return call.emit.array(array, isInteger ? 'int32' : 'float32')
    if (typeof number !== 'number') throw malformed(`${call.layer.settings.what}: expected a tensor, a number or an array of numbers`)
    return isInteger && Number.isInteger(number) ? call.emit.integer(number) : call.emit.number(number)
  })
}

export function axesOf({ layer }: LayerCall, argument: BoundArgument | undefined): number[] {
  const axis = plain(argument)
  const axes = isList(axis) ? axis : [axis]
  if (!axes.every((one) => typeof one === 'number' && Number.isSafeInteger(one))) throw layer.settings.wrong('axis', 'whole numbers', axis)
  return axes as number[]
}

/** All tensors of a list. @throws LstmError `UNSUPPORTED` for a constant among them */
export function listed({ layer }: LayerCall, argument: BoundArgument | undefined): [string, ...string[]] {
  const items = argument !== undefined && 'list' in argument ? argument.list : []
  const [first, ...more] = items.map((item) => {
    if (!('tensor' in item)) throw notSupported(`${layer.settings.what}: a constant in its list`)
    return item.tensor.value
  })
  if (first === undefined) throw malformed(`${layer.settings.what}: expected a list of tensors`)
  return [first, ...more]
}

/** The only tensor that a function is given first. */
export function tensorOf(call: LayerCall, [x]: Given): string {
  const [value] = operands(call, [x]) as [string]
  return value
}

/** A whole number; `otherwise` where there is none. */
export function integerArgument({ layer }: LayerCall, argument: BoundArgument | undefined, what: string, otherwise?: number): number {
  const value = plain(argument) ?? otherwise
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw layer.settings.wrong(what, 'a whole number', value)
  return value
}

/** An axis counted from the front, of a value with `rank` of them. */
export function axisArgument(call: LayerCall, argument: BoundArgument | undefined, rank: number, otherwise?: number): number {
  const axis = integerArgument(call, argument, 'axis', otherwise)
  if (axis < -rank || axis >= rank) throw call.layer.settings.wrong('axis', `an axis of ${rank}`, axis)
  return axis < 0 ? axis + rank : axis
}
