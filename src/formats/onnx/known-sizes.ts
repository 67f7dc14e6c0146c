// Parts of shapes: some sizes are numbers though others are known only at run time.
import { int8Along } from '../../ops/constant.ts'
import { NdArray } from '../../values/ndarray.ts'
import type { Dimension } from '../../values/shape.ts'
import type { Conversion } from './conversion.ts'

/** The sizes that the value at `position` is made of, where it is the shape of a value. */
function sizesOf(c: Conversion, position: number): readonly Dimension[] | undefined {
  const node = c.importer.producer(c.input(position))
  if (node?.op !== 'shape') return undefined
  const { start = 0, end } = node.attributes as { readonly start?: number, readonly end?: number }
  return c.type(node.inputs[0] as string).shape.slice(start, end)
}

/** Makes the output a constant, if all of its elements are numbers. */
function define(c: Conversion, sizes: readonly (Dimension | undefined)[], shape: readonly number[]): boolean {
  const numbers = sizes.filter((size) => typeof size === 'number')
  if (numbers.length < sizes.length || !c.isNeeded(0)) return false
  c.importer.builder.constant(c.output(0), new NdArray(Int32Array.from(numbers), shape))
  return true
}

/** Sizes picked from a shape by index, rows of a table, and whatever else is looked up. */
export function gather(c: Conversion): void {
  const sizes = c.value(0) === undefined ? sizesOf(c, 0) : undefined
  const indices = sizes === undefined ? undefined : c.value(1)
  if (sizes !== undefined && indices?.dtype === 'int32') {
    const picked = Array.from(indices.data, (index) => sizes[index < 0 ? index + sizes.length : index])
    if (define(c, picked, indices.shape)) return
  }
  if (isTable(c)) c.emit('embedding', [c.input(1)], {}, [c.output(0)], { weight: c.input(0) })
  else c.emitOutputs('gather', c.inputs, c.attributes())
}

/** Whether rows of a weight of 8 bits are looked up, which an embedding keeps as it is. */
function isTable(c: Conversion): boolean {
  return int8Along(c.value(0), 0) !== undefined && c.value(0)?.shape.length === 2 && c.int('axis', 0) === 0 && c.value(1) === undefined
}

/** A run of sizes cut out of a shape; whether it was one, and is made. */
export function sliceOfShape(c: Conversion, inputs: readonly string[]): boolean {
  const [data = '', ...lists] = inputs
  const sizes = c.importer.builder.value(data) === undefined ? sizesOf(c, 0) : undefined
  if (sizes === undefined) return false
  const [start, end, axis = 0, step = 1] = lists.map((name) => {
    const values = c.importer.builder.value(name)?.data
    return name === '' ? undefined : values?.length === 1 ? values[0] : NaN
  })
  if (start === undefined || end === undefined || axis !== 0 || step !== 1 || Number.isNaN(start) || Number.isNaN(end)) return false
  const cut = sizes.slice(start, end)
  return define(c, cut, [cut.length])
}
