import { LstmError } from '../../errors.ts'
import { createData, type DataOf, type DType } from '../../values/dtype.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import { formatShape, isNumeric, lengthOf, type Shape } from '../../values/shape.ts'
import { hasInput } from '../node/checks.ts'
import { checkSizes } from '../node/sizes.ts'
import type { GraphNode, ValueType } from '../graph-data.ts'
import type { InferenceContext, Operator, OperatorCost, Planner } from '../operator.ts'
import { isWhole, move, planMove, planNumber, type Move } from './strides.ts'

/** What is known of a node when its moves are listed: sizes are numbers, and elements that sizes follow from are known. */
export interface BoundNode {
  readonly shapeOf: (position: number) => Shape
  readonly outputShape: (position: number) => Shape
  readonly value: (position: number) => ArrayLike | undefined
}

/** An operator that moves elements of its inputs and does nothing else. */
export interface Movement<Settings = unknown> extends Pick<Operator<Settings>, 'name' | 'onnx' | 'mostInputs' | 'attributes' | 'time' | 'padding' | 'carriesZeros' | 'parse' | 'infer' | 'takesSizes'> {
  /** In order; the outputs are undefined before. */
  readonly moves: (node: GraphNode, bound: BoundNode, settings: Settings) => readonly Move[]
  /** The dtype of the outputs. Default: that of the first input. */
  readonly dtype?: (settings: Settings) => DType
}

/** The operator of a movement: its moves in plain JavaScript where all inputs are known, and as kernel calls. */
/* @__NO_SIDE_EFFECTS__ */
export function movement<Settings = unknown>({ moves, dtype, ...facts }: Movement<Settings>): Operator<Settings> {
  return {
    ...facts,
    infer: (node, context, settings) => checkSizes(node, facts.infer(node, context, settings)),
    cost: movementCost,
    evaluate(node, context, settings, types) {
      if (!isFoldable(node, context, types)) return undefined
      const list = moves(node, {
        shapeOf: (position) => (context.input(position) as ValueType).shape as Shape,
        outputShape: (position) => types[position]?.shape as Shape,
        value: context.value,
      }, settings)
      return types.map((type, output) => evaluateMoves(type, list.filter((one) => one.output === output), context))
    },
    plan(node, planner, settings) {
      requireSizes(node, planner)
      const list = moves(node, planner, settings)
      for (let output = 0; output < node.outputs.length; output++) {
        if (!planner.hasOutput(output)) continue
        planMoves(planner, output, list.filter((one) => one.output === output), dtype?.(settings) ?? planner.dtypeOf(0))
      }
    },
  }
}

function evaluateMoves({ dtype, shape }: ValueType, list: readonly Move[], context: InferenceContext): NdArray {
  const known = shape as Shape
  const [only] = list
  if (list.length === 1 && only !== undefined && typeof only.source === 'number') {
    const value = context.value(only.source)
    // Nothing changes an NdArray that is a constant; the elements of other arrays may move.
    if (value instanceof NdArray && isWhole(only, value.data.length, lengthOf(known))) return new NdArray(value.data, known)
  }
  const data = createData(dtype, lengthOf(known))
  for (const one of list) {
    const { source } = one
    if (typeof source === 'object') move(createData(dtype, 1).fill(source.fill), data, one)
    else move(source === 'output' ? data : (context.value(source) as ArrayLike).data, data, one)
  }
  return new NdArray(data, known)
}

function planMoves(planner: Planner, output: number, list: readonly Move[], dtype: DType): void {
  const [only] = list
  if (list.length === 1 && only !== undefined && typeof only.source === 'number') {
    if (isWhole(only, lengthOf(planner.shapeOf(only.source)), lengthOf(planner.outputShape(output)))) {
      planner.alias(output, only.source)
      return
    }
  }
  const target = planner.output(output)
  for (const one of list) {
    const { source } = one
    if (typeof source === 'object') planMove(planner, one, planNumber(planner, source.fill, dtype), target, dtype)
    else planMove(planner, one, source === 'output' ? target : planner.input(source), target, dtype)
  }
}

/** The attributes as words; moving costs no multiply-adds. */
/* @__NO_SIDE_EFFECTS__ */
export function movementCost(node: GraphNode): OperatorCost {
  const words = Object.entries(node.attributes).map(([name, value]) => (
    `${name} ${Array.isArray(value) ? formatShape(value as number[]) : String(value)}`
  ))
  return { detail: words.join(', '), multiplyAdds: 0 }
}

/** Constants of up to so many elements are made of little or nothing; longer ones only where their inputs are as long. */
const FOLD_LENGTH = 2 ** 20
const MOST_FOLD_LENGTH = 2 ** 26

/**
 * Whether a node's outputs can be computed beforehand: all inputs are constants, and the outputs are
 * not much longer (a few bytes of an untrusted file may ask for a billion elements; run time has a memory limit).
 */
export function isFoldable(node: GraphNode, context: InferenceContext, types: readonly ValueType[]): boolean {
  const inputs: Set<DataOf> = new Set()
  for (let position = 0; position < node.inputs.length; position++) {
    if (!hasInput(node, position)) continue
    const value = context.value(position)
    if (value === undefined) return false
    inputs.add(value.data)
  }
  let given = 0
  for (const { length } of inputs) given += length
  let wanted = 0
  for (const { shape } of types) {
    if (!isNumeric(shape)) return false
    wanted += lengthOf(shape)
  }
  return wanted <= Math.min(MOST_FOLD_LENGTH, Math.max(FOLD_LENGTH, given))
}

/**
 * When a plan is made: all sizes of all outputs must be known.
 * @throws LstmError `UNSUPPORTED` when one depends on what only a run tells
 */
export function requireSizes(node: GraphNode, planner: Planner): void {
  for (let output = 0; output < node.outputs.length; output++) {
    if (!planner.hasOutput(output) || isNumeric(planner.outputShape(output))) continue
    throw new LstmError(
      'UNSUPPORTED', `${planner.label}: its output shape ${formatShape(planner.outputShape(output))} depends on elements that are known only when the model runs`,
    )
  }
}
