import { LstmError } from '../../errors.ts'
import { bytesOf } from '../../values/dtype.ts'
import { formatShape, isNumeric, lengthOf, sameShape, type Dimension, type Shape } from '../../values/shape.ts'
import type { GraphInput, GraphNode, TypedGraph, ValueType } from '../graph-data.ts'
import { integerOf, wrong } from '../node/attributes.ts'
import { anyInput, hasInput, label } from '../node/checks.ts'
import { freshSize } from '../node/sizes.ts'
import type { InnerPrepared, Operator, Planner, Slot, TypingContext } from '../operator.ts'
import { bodyOf, checkBodies, copyValue, costInside, innerSlots, type InnerInput, mayRefuseInside, nodesOf, requireNumbers, runInside, typeInside } from './body.ts'

/** Steps of a run of one loop, those of the loops inside it included: some seconds. */
const MOST_STEPS = 2 ** 24

/** The attributes, checked, and what `infer` found out with them. */
interface LoopSettings {
  readonly states: number
  readonly scanned: number
  /** For each scanned input, then each collected output, whether it is walked from its end. */
  readonly backwards: readonly boolean[]
  typed: TypedGraph | undefined
  /** How often the body runs. */
  count: Dimension | undefined
}

const BODY = 'body'

/**
 * Runs a graph once for each step (ONNX Loop and Scan).
 *
 * Inputs: how many steps, int32 with one element, optional where there are scanned inputs; `states` values that each step hands to the next; `scanned`
 * values [steps, ...], of which a step sees one slice; then values that all steps see.
 * Outputs: the states after the last step; what the steps gave, collected: [steps, ...].
 * The graph `body`: inputs: the number of the step, int32 []; states; slices; values that all steps see. Outputs: states; what is collected.
 * Attributes: `states`, `scanned`; `backwards`, 0 or 1 for each scanned input and collected output: walked from the end.
 */
export const loop: Operator<LoopSettings, InnerPrepared> = {
  name: 'loop',
  mostInputs: Infinity,
  roles: 'own',
  attributes: ['states', 'scanned', 'backwards'],
  time: 'unknown',
  mayRefuse: mayRefuseInside,
  parse(node) {
    const { inputs, outputs } = bodyOf(node, BODY)
    checkBodies(node, [BODY])
    const [states, scanned] = ['states', 'scanned'].map((name) => integerOf(node, name, undefined, 0)) as [number, number]
    if (states > outputs.length || 1 + states + scanned > inputs.length || inputs.length !== node.inputs.length) {
      throw new LstmError('SHAPE', `${label(node)}: ${states} states and ${scanned} scanned inputs do not fit a body with ${inputs.length} inputs and ${outputs.length} outputs, and ${node.inputs.length} inputs of its own`)
    }
    const length = scanned + outputs.length - states
    const backwards = node.attributes.backwards ?? []
    const isList = Array.isArray(backwards) && (backwards.length === 0 || backwards.length === length) && backwards.every((one) => one === 0 || one === 1)
    if (!isList) throw wrong(node, 'backwards', `${length} times 0 or 1`)
    return { states, scanned, backwards: backwards.map(Boolean), typed: undefined, count: undefined }
  },
  infer(node, context, settings) {
    const { states, scanned } = settings
    const types = node.inputs.map((_, position) => (position === 0 ? { dtype: 'int32', shape: [] } as const : anyInput(node, context, position)))
    const count = countOf(node, context, types.slice(1 + states, 1 + states + scanned))
    const typed = typeInside(node, context, BODY, (input, position) => (
      innerInput(node, context, input, position, types[position] as ValueType, position <= states ? 'state' : position <= states + scanned ? 'slice' : 'same')
    ))
    settings.typed = typed
    settings.count = count
    const typesOut = typed.graph.outputs.map(({ value }) => typed.types.get(value) as ValueType)
    for (let n = 0; n < states; n++) checkState(node, n, types[1 + n] as ValueType, typesOut[n] as ValueType)
    return [
      ...types.slice(1, 1 + states),
      ...typesOut.slice(states).map(({ dtype, shape }): ValueType => ({ dtype, shape: [count, ...shape] })),
    ]
  },
  // A number of steps that has a name is that of timesteps: of those, one.
  cost: (_node, _context, { typed, count }) => ({ detail: `${count} times ${nodesOf(typed)}`, multiplyAdds: (typeof count === 'number' ? count : 1) * costInside(typed) }),
  prepare: (_node, packer, { typed }) => packer.inner(typed as TypedGraph),
  plan(node, planner, settings, prepared) {
    const { states, scanned, backwards } = settings
    const typed = settings.typed as TypedGraph
    const count = knownCount(planner, settings.count)
    requireNumbers(planner, typed)
    const inner = planner.inner(typed, prepared)
    const total = count * (inner.stepCount + states + 1)
    if (total > MOST_STEPS) throw new LstmError('UNSUPPORTED', `${planner.label}: ${count} times ${inner.stepCount} steps is more than a loop may take, which is ${MOST_STEPS} in all`)
    const names = bodyOf(node, BODY).inputs.map(({ name }) => name)
    const { inputs: slots, outputs } = innerSlots(inner, typed, names)
    const numbers = count > 0 ? planner.constant(Int32Array.from({ length: count }, (_, step) => step)) : undefined
    const kept = Array.from({ length: states }, (_, n) => planState(planner, n, slots[1 + n] as Slot, outputs[n] as Slot))
    const walked = (index: number, outside: Slot, inside: Slot, shape: Shape, bytes: number): Walked => {
      const stepBytes = lengthOf(shape.slice(1)) * bytes
      return { outside, inside, stepBytes, begin: backwards[index] === true ? (count - 1) * stepBytes : 0, sign: backwards[index] === true ? -1 : 1 }
    }
    const slices = Array.from({ length: scanned }, (_, n) => {
      const position = 1 + states + n
      return walked(n, planner.input(position), slots[position] as Slot, planner.shapeOf(position), bytesOf(planner.dtypeOf(position)))
    })
    const collected = outputs.slice(states).flatMap((inside, n): Walked[] => {
      if (!planner.hasOutput(states + n)) return []
      const { dtype } = typed.types.get(typed.graph.outputs[states + n]?.value as string) as ValueType
      return [walked(scanned + n, planner.output(states + n), inside, planner.outputShape(states + n), bytesOf(dtype))]
    })
    const first = 1 + states + scanned
    const same = slots.slice(first).map((inside, n) => ({ inside, outside: planner.input(first + n) }))
    planner.step(() => {
      for (let n = 0; n < same.length; n++) {
        const { inside, outside } = same[n] as typeof same[number]
        inside.ptr = outside.ptr
      }
      for (let n = 0; n < kept.length; n++) (kept[n] as KeptState).begin()
      for (let step = 0; step < count; step++) {
        if (numbers !== undefined) (slots[0] as Slot).ptr = numbers.ptr + 4 * step
        for (let n = 0; n < slices.length; n++) {
          const { inside, outside, begin, sign, stepBytes } = slices[n] as Walked
          inside.ptr = outside.ptr + begin + sign * step * stepBytes
        }
        runInside(inner)
        for (let n = 0; n < collected.length; n++) {
          const { inside, outside, begin, sign, stepBytes } = collected[n] as Walked
          copyValue(planner, inside.ptr, outside.ptr + begin + sign * step * stepBytes, stepBytes)
        }
        // What comes next may be what another state was: all of them are copied before any changes.
        for (let n = 0; n < kept.length; n++) (kept[n] as KeptState).keep()
        for (let n = 0; n < kept.length; n++) (kept[n] as KeptState).swap()
      }
      for (let n = 0; n < kept.length; n++) (kept[n] as KeptState).end()
    }, total)
  },
}

/** A value of which each step sees or makes a slice. */
interface Walked {
  readonly outside: Slot
  readonly inside: Slot
  readonly stepBytes: number
  /** Bytes to the slice of the first step. */
  readonly begin: number
  readonly sign: number
}

/** A state, in one of two buffers by turns. */
interface KeptState {
  begin(): void
  keep(): void
  swap(): void
  end(): void
}

function planState(planner: Planner, n: number, inside: Slot, next: Slot): KeptState {
  const bytes = lengthOf(planner.shapeOf(1 + n)) * bytesOf(planner.dtypeOf(1 + n))
  const [first, a, b] = [planner.input(1 + n), planner.workspace(bytes), planner.workspace(bytes)]
  const output = planner.hasOutput(n) ? planner.output(n) : undefined
  return {
    begin() {
      inside.ptr = a.ptr
      copyValue(planner, first.ptr, a.ptr, bytes)
    },
    keep: () => copyValue(planner, next.ptr, inside.ptr === a.ptr ? b.ptr : a.ptr, bytes),
    swap() {
      inside.ptr = inside.ptr === a.ptr ? b.ptr : a.ptr
    },
    end() {
      if (output !== undefined) copyValue(planner, inside.ptr, output.ptr, bytes)
    },
  }
}

/** How many steps there are: a number, or the name of a size. */
function countOf(node: GraphNode, context: TypingContext, scanned: readonly ValueType[]): Dimension {
  const found: Dimension[] = []
  if (hasInput(node, 0)) {
    const { dtype, shape } = anyInput(node, context, 0)
    const isOne = !isNumeric(shape) || lengthOf(shape) === 1
    if (dtype !== 'int32' || !isOne) throw new LstmError(isOne ? 'VALUE' : 'SHAPE', `${label(node)}: expected one int32 for the number of steps, got ${dtype} ${formatShape(shape)}`)
    const value = context.value(0)
    found.push(value === undefined ? context.sizes(0)?.[0] ?? freshSize(node, 'count') : Math.max(0, value.data[0] as number))
  }
  for (const { shape } of scanned) {
    if (shape.length === 0) throw new LstmError('SHAPE', `${label(node)}: expected scanned inputs with an axis for the steps, got a scalar`)
    found.push(shape[0] as Dimension)
  }
  if (found.length === 0) throw new LstmError('SHAPE', `${label(node)}: expected a number of steps, or a scanned input, got neither`)
  const numbers = [...new Set(found.filter((one) => typeof one === 'number'))]
  if (numbers.length > 1) throw new LstmError('SHAPE', `${label(node)}: expected as many steps in all scanned inputs, got ${found.join(' and ')}`)
  return numbers[0] ?? found[0] as Dimension
}

function knownCount(planner: Planner, count: Dimension | undefined): number {
  if (typeof count === 'number') return count
  throw new LstmError('UNSUPPORTED', `${planner.label}: how many steps it takes depends on elements that are known only when the model runs; where it follows from an input, fix that with the option 'constants'`)
}

/** What is known of an input of the body. */
function innerInput(
  node: GraphNode, context: TypingContext, input: GraphInput, position: number, { dtype, shape }: ValueType, kind: 'state' | 'slice' | 'same',
): InnerInput {
  if (input.dtype !== dtype) throw new LstmError('VALUE', `${label(node)}: expected ${input.dtype} for '${input.name}' of its body, got ${dtype} ${formatShape(shape)}`)
  return kind === 'slice' ? shape.slice(1) : kind === 'same' ? context.value(position) ?? shape : shape
}

/** A state that grows, or becomes another type, has no place to be in. */
function checkState(node: GraphNode, n: number, before: ValueType, after: ValueType): void {
  const fits = before.dtype === after.dtype && before.shape.length === after.shape.length
    && (!isNumeric(before.shape) || !isNumeric(after.shape) || sameShape(before.shape, after.shape))
  if (fits) return
  throw new LstmError('UNSUPPORTED', `${label(node)}: its state ${n} is ${before.dtype} ${formatShape(before.shape)} before a step and ${after.dtype} ${formatShape(after.shape)} after it; states must keep type and shape`)
}
