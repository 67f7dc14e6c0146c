// Operators that older versions wrote otherwise: mostly attributes that became inputs.
import type { Attribute } from '../../ops/graph-data.ts'
import type { Conversion } from './conversion.ts'
import { sliceOfShape } from './known-sizes.ts'
import { malformed } from '../protobuf/wire.ts'

const own = (c: Conversion): string => c.op.charAt(0).toLowerCase() + c.op.slice(1)

/** The attribute as an int32 list, or `''` where there is none. */
function listInput(c: Conversion, attribute: string): string {
  const values = c.ints(attribute)
  return values === undefined ? '' : c.integers(attribute, values)
}

/** Squeeze and Unsqueeze: `axes` is an input since 13. */
export function withAxes(c: Conversion): void {
  const inputs = c.opset < 13 ? [c.input(0), listInput(c, 'axes')] : c.inputs
  c.emitOutputs(own(c), inputs, c.opset < 13 ? c.attributes('axes') : c.attributes())
}

/** `axes` is an input since 18; of ReduceSum since 13. */
export function reduction(c: Conversion): void {
  const isOld = c.opset < (c.op === 'ReduceSum' ? 13 : 18)
  c.emitOutputs(own(c), isOld ? [c.input(0), listInput(c, 'axes')] : c.inputs, isOld ? c.attributes('axes') : c.attributes())
}

/** `starts`, `ends` and `axes` are inputs since 10. */
export function slice(c: Conversion): void {
  const lists = ['starts', 'ends', 'axes']
  const inputs = c.opset >= 10 ? c.inputs : [c.input(0), ...lists.map((name) => listInput(c, name))]
  if (!sliceOfShape(c, inputs)) c.emitOutputs('slice', inputs, c.opset >= 10 ? c.attributes() : c.attributes(...lists))
}

/** `pads` and `value` are inputs since 11. */
export function pad(c: Conversion): void {
  if (c.opset >= 11) return c.emitOutputs('pad', c.inputs, c.attributes())
  c.emitOutputs('pad', [c.input(0), listInput(c, 'pads'), c.scalar('value', c.float('value', 0))], c.attributes('pads', 'value'))
}

/** `min` and `max` are inputs since 11. */
export function clip(c: Conversion): void {
  if (c.opset >= 11) return c.emitOutputs('clip', c.inputs, c.attributes())
  const bounds = ['min', 'max'].map((name) => (c.hasAttribute(name) ? c.scalar(name, c.float(name, 0)) : ''))
  c.emitOutputs('clip', [c.input(0), ...bounds], c.attributes('min', 'max'))
}

/** The sizes are an input since 13. Until 18 there are as many parts as outputs. */
export function split(c: Conversion): void {
  const parts = c.outputs()
  if (c.opset >= 13) return void c.emit('split', c.inputs, c.attributes(), parts)
  c.emit('split', [c.input(0), listInput(c, 'split')], c.attributes('split'), parts)
}

/**
 * What works along rows: before 13, all axes from `axis` (default 1) on are one row; since then it is one axis, the last by default.
 * @param emit adds what works along an axis of a value, and gives its result
 */
export function withRows(c: Conversion, emit: (x: string, axis: number, outputs?: readonly string[]) => string): void {
  const x = c.input(0)
  const rank = c.type(x).shape.length
  c.onlyAttributes(['axis'])
  if (c.opset >= 13) return void emit(x, c.int('axis', -1), [c.output(0)])
  const axis = c.int('axis', 1)
  const from = axis < 0 ? axis + rank : axis
  if (from < 0 || from > rank) throw malformed(`${c.label}: expected an axis from ${-rank} to ${rank}, got ${axis}`)
  if (from === rank - 1) return void emit(x, -1, [c.output(0)])
  c.emitOutputs('reshape', [emit(c.emit('flatten', [x], { axis: from }), -1), c.emit('shape', [x])])
}

export function softmax(c: Conversion): void {
  withRows(c, (x, axis, outputs) => c.emit(own(c), [x], { axis }, outputs))
}

/** `k` is an input since 10. */
export function topK(c: Conversion): void {
  if (c.opset >= 10) return c.emitOutputs('topK', c.inputs, c.attributes())
  c.emitOutputs('topK', [c.input(0), c.integers('k', [c.int('k', 1)])], c.attributes('k'))
}

/** At inference only: statistics are inputs. `spatial` (until 9) and `training_mode` (since 14) have one value each. */
export function batchNormalization(c: Conversion): void {
  c.requireInt('spatial', 1)
  c.requireInt('training_mode', 0)
  c.onlyOutputs(1)
  const attributes: Record<string, Attribute> = c.attributes('spatial', 'training_mode', 'momentum')
  c.emitOutputs('batchNormalization', c.inputs, attributes)
}
