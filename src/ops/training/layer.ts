// What recurrent layers that are trained have in common: their record, and where their sequences begin.
import { TrainedLayer } from '../../contract/gradients/recurrent/layer.ts'
import { Coupling } from '../../contract/recurrent/lstm-general.ts'
import { MaskRule } from '../../contract/recurrent/mask.ts'
import type { BoundFunction } from '../elementwise/functions.ts'
import { requireInput } from '../node/checks.ts'
import type { GraphNode, ValueType } from '../graph-data.ts'
import type { InferenceContext, Planner, RecordSlot, Slot } from '../operator.ts'
import type { LayerSettings } from '../recurrent/layer-settings.ts'
import type { LstmSettings } from '../recurrent/settings.ts'
import type { LayerSizes } from './kept.ts'

/** A layer in one direction, with the sizes of its input. */
export interface TrainedSizes extends LayerSizes {
  readonly inputSize: number
}

/** @param shape of x */
export function sizesOf({ timeMajor, hiddenSize, outputSize }: LayerSettings, shape: readonly number[]): TrainedSizes {
  const [first, second, inputSize] = shape as [number, number, number]
  const [batch, timesteps] = timeMajor ? [second, first] : [first, second]
  return { batch, timesteps, inputSize, hiddenSize, outputSize }
}

/**
 * Types of what a layer in one direction gives: y, every step; its final states [batch, ...]; and what is kept.
 * @param states their sizes
 * @param kept floats that are kept
 */
export function trainedTypes(
  node: GraphNode, context: InferenceContext, settings: LayerSettings, states: readonly number[], kept: (sizes: TrainedSizes) => number,
): ValueType[] {
  const { shape } = requireInput(node, context, 0, 'float32', 3)
  const sizes = sizesOf(settings, shape as readonly number[])
  const shapes = [[...shape.slice(0, 2), settings.outputSize], ...states.map((size) => [sizes.batch, size]), [kept(sizes)]]
  return shapes.map((own) => ({ dtype: 'float32', shape: own }))
}

/** What a cell has of its own: what is left out is none. */
interface CellRecord extends Partial<Pick<LstmSettings, 'cellClip' | 'projClip' | 'coupling' | 'normEpsilon'>> {
  readonly isPlain: boolean
  readonly gate?: BoundFunction
  readonly candidate: BoundFunction
  readonly output?: BoundFunction
}

const NO_FUNCTION: BoundFunction = { name: 'linear', code: 0, alpha: 0, beta: 0 }

/** The record of a layer, and where its sequences begin, in bytes: at the last step of one that runs backwards. */
export function planLayer(
  planner: Planner, { timeMajor, reversedOutput, maskRule, directions, clip }: LayerSettings,
  { batch, timesteps, inputSize, hiddenSize, outputSize }: TrainedSizes,
  { isPlain, gate = NO_FUNCTION, candidate, output = NO_FUNCTION, cellClip = 0, projClip = 0, coupling = 'none', normEpsilon = 0 }: CellRecord,
): { readonly layer: RecordSlot<typeof TrainedLayer>, readonly xOffset: number, readonly yOffset: number, readonly maskOffset: number } {
  const strides = (width: number): [number, number] => (timeMajor ? [batch * width * 4, width * 4] : [width * 4, timesteps * width * 4])
  const [xStepBytes, xRowBytes] = strides(inputSize)
  const [yStepBytes, yRowBytes] = strides(outputSize)
  const sign = directions[0] === 'reverse' ? -1 : 1
  const ySign = reversedOutput ? 1 : sign
  return {
    layer: planner.record(TrainedLayer, {
      timesteps, rows: batch, inputSize, hiddenSize, outputSize, xStepBytes: sign * xStepBytes, xRowBytes, yStepBytes: ySign * yStepBytes, yRowBytes,
      maskStepBytes: sign, maskRowBytes: timesteps, maskRule: MaskRule[maskRule], isPlain: Number(isPlain),
      clip, cellClip, projClip, coupling: Coupling[coupling], normEpsilon,
      gateFunction: gate.code, gateAlpha: gate.alpha, gateBeta: gate.beta,
      candidateFunction: candidate.code, candidateAlpha: candidate.alpha, candidateBeta: candidate.beta,
      outputFunction: output.code, outputAlpha: output.alpha, outputBeta: output.beta,
    }),
    xOffset: sign < 0 ? (timesteps - 1) * xStepBytes : 0,
    yOffset: ySign < 0 ? (timesteps - 1) * yStepBytes : 0,
    maskOffset: sign < 0 ? timesteps - 1 : 0,
  }
}

/** Of what is not there. */
const ABSENT: Slot = { ptr: 0 }

/** The slot of an input, or that of nothing. */
export const inputOf = (planner: Planner, position: number): Slot => (planner.hasInput(position) ? planner.input(position) : ABSENT)

/** The slot of an output, or that of nothing. */
export const outputOf = (planner: Planner, position: number): Slot => (planner.hasOutput(position) ? planner.output(position) : ABSENT)

/** An address within a value; 0 for one that is not there. */
export const at = ({ ptr }: Slot, offset: number): number => (ptr === 0 ? 0 : ptr + offset)

/** Rows of an input, padded to whole vectors: itself where they are. */
export function paddedInput(planner: Planner, position: number, rows: number, length: number): Slot {
  if (!planner.hasInput(position) || length % 4 === 0) return inputOf(planner, position)
  const { copyRows, fillZero } = planner.kernels
  const from = planner.input(position)
  const rowBytes = Math.ceil(length / 4) * 16
  const padded = planner.workspace(rows * rowBytes)
  planner.step(() => {
    fillZero(padded.ptr, rows * rowBytes)
    copyRows(from.ptr, length * 4, padded.ptr, rowBytes, rows, length * 4)
  })
  return padded
}

function nothing(): void {
  // The rows are where they belong.
}

/**
 * The slot of an output of rows that a kernel writes padded to whole vectors: the output itself where they are.
 * @returns the slot, and what moves the rows to their place after the kernel
 */
export function paddedOutput(planner: Planner, position: number, rows: number, length: number): { readonly padded: Slot, readonly settle: () => void } {
  const to = outputOf(planner, position)
  if (to === ABSENT || length % 4 === 0) return { padded: to, settle: nothing }
  const { copyRows } = planner.kernels
  const rowBytes = Math.ceil(length / 4) * 16
  const padded = planner.workspace(rows * rowBytes)
  return { padded, settle: () => copyRows(padded.ptr, rowBytes, to.ptr, length * 4, rows, length * 4) }
}
