// ONNX Scan, version 9 and newer: https://onnx.ai/onnx/operators/onnx__Scan.html
import type { ValueType } from '../../../ops/graph-data.ts'
import { malformed } from '../../protobuf/wire.ts'
import type { Conversion } from '../conversion.ts'
import { Inside } from './inside.ts'
import { emitLayers } from './layers.ts'
import { emitLoop, liveStates, spoil, type Slice, type State, type Steps } from './steps.ts'

const ATTRIBUTES = ['body', 'num_scan_inputs', 'scan_input_axes', 'scan_input_directions', 'scan_output_axes', 'scan_output_directions']

/** Inputs: states, what is scanned. Body: inputs: states, slices; outputs: states, what is collected. */
export function convertScan(c: Conversion): void {
  if (c.opset < 9) throw c.unsupported('Scan of version 8')
  c.onlyAttributes(ATTRIBUTES)
  const body = c.graph('body')
  const scanned = c.int('num_scan_inputs', 0)
  const states = c.inputs.length - scanned
  if (scanned < 1 || states < 0 || body.inputs.length !== c.inputs.length || body.outputs.length < states) {
    throw malformed(`${c.label}: expected a body for ${states} states and ${scanned} scanned inputs, got ${body.inputs.length} inputs and ${body.outputs.length} outputs`)
  }
  const outputs = body.outputs.length - states
  const list = (name: string, length: number): readonly number[] => {
    const values = c.ints(name) ?? []
    if (values.length > 0 && values.length !== length) throw malformed(`${c.label}: expected ${length} numbers for '${name}', got ${values.length}`)
    return Array.from({ length }, (_, n) => values[n] ?? 0)
  }
  const [inputAxes, outputAxes] = [list('scan_input_axes', scanned), list('scan_output_axes', outputs)]
  const [inputDirections, outputDirections] = [list('scan_input_directions', scanned), list('scan_output_directions', outputs)]
  const inside = new Inside(c)
  const number = inside.input('step', { dtype: 'int32', shape: [] })
  const own = body.inputs.map(({ name }, position) => {
    const value = c.input(position)
    const type = position < states ? c.type(value) : sliceType(c, value, inputAxes[position - states] as number)
    const inner = inside.input(name, type)
    inside.scope.set(name, inner)
    return inner
  })
  const values = inside.add(body)
  if (values === undefined) return spoil(c)
  const all = own.slice(0, states).map((name, position): State => ({ name, first: c.input(position), next: values[position] as string, position }))
  const collected = values.slice(states).flatMap((value, n) => {
    const position = states + n
    if (!c.isNeeded(position)) return []
    const rank = inside.importer.builder.types.get(value)?.shape.length as number
    const axis = axisOf(c, outputAxes[n] as number, rank + 1)
    // [steps, ...] with the steps where they belong.
    const perm = Array.from({ length: rank + 1 }, (_, m) => (m < axis ? m + 1 : m === axis ? 0 : m))
    const give = (stacked: string): void => (axis === 0 ? c.alias(position, stacked) : void c.emit('transpose', [stacked], { perm }, [c.output(position)]))
    return [{ value, backwards: outputDirections[n] === 1, give }]
  })
  const slices = own.slice(states).map((name, n): Slice => ({
    name, source: stepsFirst(c, c.input(states + n), inputAxes[n] as number), backwards: inputDirections[n] === 1,
  }))
  const loop: Steps = { inside, number, count: '', states: liveStates(c, inside, all, collected), slices, counters: new Set(), collected }
  if (!emitLayers(c, loop)) emitLoop(c, loop)
}

function axisOf(c: Conversion, axis: number, rank: number): number {
  if (!(axis >= -rank && axis < rank)) throw malformed(`${c.label}: expected an axis from ${-rank} to ${rank - 1}, got ${axis}`)
  return axis < 0 ? axis + rank : axis
}

function sliceType(c: Conversion, value: string, axis: number): ValueType {
  const { dtype, shape } = c.type(value)
  const steps = axisOf(c, axis, shape.length)
  return { dtype, shape: shape.filter((_, n) => n !== steps) }
}

/** The value with the axis of its steps in front. */
function stepsFirst(c: Conversion, value: string, given: number): string {
  const rank = c.type(value).shape.length
  const axis = axisOf(c, given, rank)
  if (axis === 0) return value
  const others = Array.from({ length: rank }, (_, n) => n).filter((n) => n !== axis)
  return c.emit('transpose', [value], { perm: [axis, ...others] })
}
