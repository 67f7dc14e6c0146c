// Lists of tensors: https://onnx.ai/onnx/operators/onnx__SequenceAt.html and its neighbours.
import { NdArray } from '../../../values/ndarray.ts'
import type { Dimension } from '../../../values/shape.ts'
import { malformed } from '../../protobuf/wire.ts'
import type { Conversion } from '../conversion.ts'
import { dimensions } from './sizes.ts'
import { addList, WITHOUT_LISTS } from '../lists.ts'
import type { TensorList } from '../surroundings.ts'

type Slices = Extract<TensorList, { readonly array: string }>

function give(c: Conversion, list: TensorList): void {
  const length = 'items' in list ? list.items.length : 'appended' in list ? list.appended.length : 1
  c.importer.spend(8 * length, length)
  c.alias(0, addList(c.importer, c.unused('list'), list))
}

function listOf(c: Conversion): TensorList {
  const list = c.importer.lists.get(c.input(0))
  if (list === undefined) throw malformed(`${c.label}: expected a list of tensors, got a tensor`)
  return list
}

/** The only element of an input that is a constant; undefined for one that is none. */
function constantAt(c: Conversion, position: number): number | undefined {
  const data = c.value(position)?.data
  return data?.length === 1 ? data[0] : undefined
}

/** The values of a list one by one, if it is known how many there are. */
function itemsOf(c: Conversion, list: TensorList): readonly string[] {
  if ('items' in list) return list.items
  if ('appended' in list) throw c.unsupported(`reading a list while a loop appends to it ${WITHOUT_LISTS}`)
  const { array, axis, keeps } = list
  const count = c.type(array).shape[axis] as Dimension
  if (typeof count !== 'number') throw c.unsupported(`a list whose length is known only when the model runs, here, ${WITHOUT_LISTS}`)
  return Array.from({ length: count }, (_, n) => c.emit('gather', [array, indexOf(c, n, keeps)], { axis }))
}

/** A number, or a list of one: what is gathered by it has the axis no more, or with one element. */
function indexOf(c: Conversion, index: number, keeps: boolean): string {
  return c.constant('index', new NdArray(Int32Array.of(index), keeps ? [1] : []))
}

function placeOf(c: Conversion, given: number, length: number): number {
  if (!(given >= -length && given < length)) throw malformed(`${c.label}: expected a position from ${-length} to ${length - 1}, got ${given}`)
  return given < 0 ? given + length : given
}

export function sequenceConstruct(c: Conversion): void {
  c.onlyAttributes([])
  give(c, { items: c.inputs.map((_, n) => c.input(n)) })
}

export function sequenceEmpty(c: Conversion): void {
  c.onlyAttributes(['dtype'])
  give(c, { items: [] })
}

/** Before a position, or at the end. */
export function sequenceInsert(c: Conversion): void {
  c.onlyAttributes([])
  const list = listOf(c)
  if ('appended' in list) {
    if (c.has(2)) throw c.unsupported('inserting into a list in a loop elsewhere than at its end')
    return give(c, { of: list.of, appended: [...list.appended, c.input(1)] })
  }
  const items = [...itemsOf(c, list)]
  const position = c.has(2) ? constantAt(c, 2) : items.length
  if (position === undefined) throw c.unsupported('a position that is known only when the model runs')
  items.splice(position === items.length ? position : placeOf(c, position, items.length), 0, c.input(1))
  give(c, { items })
}

/** Without the last one, or that at a position. */
export function sequenceErase(c: Conversion): void {
  c.onlyAttributes([])
  const items = [...itemsOf(c, listOf(c))]
  const position = c.has(1) ? constantAt(c, 1) : -1
  if (position === undefined) throw c.unsupported('a position that is known only when the model runs')
  items.splice(placeOf(c, position, items.length), 1)
  give(c, { items })
}

export function sequenceLength(c: Conversion): void {
  c.onlyAttributes([])
  const list = listOf(c)
  if ('array' in list) {
    c.emitOutputs('gather', [c.emit('shape', [list.array]), indexOf(c, list.axis, false)], { axis: 0 })
    return
  }
  c.alias(0, c.constant('length', new NdArray(Int32Array.of(itemsOf(c, list).length), [])))
}

/** The tensor at a position, which slices may have at run time. */
export function sequenceAt(c: Conversion): void {
  c.onlyAttributes([])
  const list = listOf(c)
  const position = constantAt(c, 1)
  if ('array' in list) {
    const { array, axis, keeps } = list
    return c.emitOutputs('gather', [array, givenIndex(c, keeps)], { axis })
  }
  const items = itemsOf(c, list)
  if (position !== undefined) return c.alias(0, items[placeOf(c, position, items.length)] as string)
  c.emitOutputs('gather', [joined(c, items, 0, true), givenIndex(c, false)], { axis: 0 })
}

/** The position that the node is given, as `indexOf` has it. */
function givenIndex(c: Conversion, keeps: boolean): string {
  const position = c.input(1)
  return c.type(position).shape.length === Number(keeps) ? position : c.emit('reshape', [position, c.integers('shape', keeps ? [1] : [])])
}

/** Values along an axis that they have, or a new one. */
function joined(c: Conversion, items: readonly string[], axis: number, isNew: boolean): string {
  if (items.length === 0) throw malformed(`${c.label}: expected tensors to join, got an empty list`)
  const rows = isNew ? items.map((item) => c.emit('unsqueeze', [item, c.integers('axis', [axis])])) : items
  return c.emit('concat', rows, { axis })
}

/** All of them along an axis that they have, or (`new_axis`) a new one. */
export function concatFromSequence(c: Conversion): void {
  c.onlyAttributes(['axis', 'new_axis'])
  const list = listOf(c)
  const isNew = c.int('new_axis', 0) !== 0
  if (!c.hasAttribute('axis')) throw malformed(`${c.label}: expected an axis, got none`)
  if (!('array' in list)) return c.alias(0, joined(c, itemsOf(c, list), c.int('axis', 0), isNew))
  const given = c.int('axis', 0)
  const rank = c.type(list.array).shape.length - Number(!list.keeps)
  const axis = placeOf(c, given, rank + Number(isNew))
  // Slices that are put together again where they were cut.
  if (!isNew && list.keeps && axis === list.axis) return c.alias(0, list.array)
  if (list.keeps) return c.alias(0, joined(c, itemsOf(c, list), given, isNew))
  const rows = moved(c, list, axis)
  c.alias(0, isNew ? rows : merged(c, rows, axis))
}

/** An axis and the one after it as one. */
function merged(c: Conversion, x: string, axis: number): string {
  const { shape } = c.type(x)
  if (shape[axis + 1] === 1) return c.emit('squeeze', [x, c.integers('axis', [axis + 1])])
  const sizes = shape.map((_, n) => (n === axis ? -1 : { of: x, axis: n })).filter((_, n) => n !== axis + 1)
  return c.emit('reshape', [x, dimensions(c, sizes)])
}

/** The axis of the slices somewhere else. */
function moved(c: Conversion, { array, axis }: Slices, to: number): string {
  if (axis === to) return array
  const perm = c.type(array).shape.map((_, n) => n).filter((n) => n !== axis)
  perm.splice(to, 0, axis)
  return c.emit('transpose', [array], { perm })
}

/** Slices of one element, parts of so many elements, or parts of these sizes. */
export function splitToSequence(c: Conversion): void {
  c.onlyAttributes(['axis', 'keepdims'])
  const x = c.input(0)
  const { shape } = c.type(x)
  const axis = placeOf(c, c.int('axis', 0), shape.length)
  const sizes = c.has(1) ? c.value(1) : undefined
  const keeps = c.int('keepdims', 1) !== 0
  if (!c.has(1)) return give(c, { array: x, axis, keeps })
  if (sizes === undefined) throw c.unsupported('a list of parts whose sizes are known only when the model runs')
  const each = sizes.shape.length === 0 ? sizes.data[0] as number : undefined
  // ONNX says that keepdims does not count then; PyTorch writes unbind so, and onnxruntime takes it at its word.
  if (each === 1) return give(c, { array: x, axis, keeps })
  if (!keeps) throw c.unsupported('keepdims 0 of parts that have several elements')
  const size = shape[axis] as Dimension
  if (each !== undefined && (typeof size !== 'number' || each < 1)) throw c.unsupported(`parts of ${each} elements of an axis of ${size}`)
  const parts = each === undefined
    ? Array.from(sizes.data, Number)
    : Array.from({ length: Math.ceil(Number(size) / each) }, (_, n) => Math.min(each, Number(size) - n * each))
  c.importer.spend(0, parts.length)
  const items = parts.map((_, n) => c.unused(`part.${n}`))
  c.emit('split', [x, c.integers('sizes', parts)], { axis }, items)
  give(c, { items })
}
