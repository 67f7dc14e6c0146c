// What recurrent layers that are trained have in common: their record, and where their sequences begin.
import { TrainedGradients, TrainedLayer, TrainedValues } from '../../contract/gradients/recurrent/layer.ts'
import { Coupling } from '../../contract/recurrent/lstm-general.ts'
import { MaskRule } from '../../contract/recurrent/mask.ts'
import type { RecordFields, RecordPointer } from '../../values/record.ts'
import type { BoundFunction } from '../elementwise/functions.ts'
import { requireInput } from '../node/checks.ts'
import type { GraphNode, ValueType } from '../graph-data.ts'
import type { InferenceContext, Planner, RecordSlot, Slot } from '../operator.ts'
import type { LayerSettings } from '../recurrent/layer-settings.ts'
import type { LstmSettings } from '../recurrent/settings.ts'
import type { LayerSizes } from './kept.ts'

/** Rows of the peepholes, and of gain and shift. */
export const PEEPHOLES = 3
export const NORM = 10

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

/** The record of a layer, and where its sequences begin, in bytes. */
interface PlannedLayer {
  readonly layer: RecordSlot<typeof TrainedLayer>
  readonly xOffset: number
  readonly yOffset: number
  readonly maskOffset: number
}

const NO_FUNCTION: BoundFunction = { name: 'linear', code: 0, alpha: 0, beta: 0 }

/** The record of a layer, and where its sequences begin, in bytes: at the last step of one that runs backwards. */
export function planLayer(
  planner: Planner, { timeMajor, reversedOutput, maskRule, directions, clip }: LayerSettings,
  { batch, timesteps, inputSize, hiddenSize, outputSize }: TrainedSizes,
  { isPlain, gate = NO_FUNCTION, candidate, output = NO_FUNCTION, cellClip = 0, projClip = 0, coupling = 'none', normEpsilon = 0 }: CellRecord,
): PlannedLayer {
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
export const inputOf = (planner: Planner, position: number | undefined): Slot => (
  position !== undefined && planner.hasInput(position) ? planner.input(position) : ABSENT
)

/** The slot of an output, or that of nothing. */
export const outputOf = (planner: Planner, position: number): Slot => (planner.hasOutput(position) ? planner.output(position) : ABSENT)

/** An address within a value; 0 for one that is not there. */
export const at = ({ ptr }: Slot, offset: number): number => (ptr === 0 ? 0 : ptr + offset)

/**
 * A record of addresses. `write` is called before each call of its kernel: values may be elsewhere in every run.
 * @param slots where they are; 0 where there is none
 * @param offsets bytes from there
 */
function planAddresses<Fields extends RecordFields>(
  planner: Planner, fields: Fields, slots: Readonly<Partial<Record<keyof Fields, Slot>>>, offsets: Readonly<Partial<Record<keyof Fields, number>>>,
): { readonly write: () => RecordPointer<Fields> } {
  const { linearMemory } = planner
  const places = Object.keys(fields).map((name) => [slots[name] ?? ABSENT, offsets[name] ?? 0] as const)
  const record = planner.constant(new Int32Array(places.length))
  let view: Int32Array = new Int32Array()
  let generation = -1
  return {
    write() {
      if (generation !== linearMemory.generation) {
        generation = linearMemory.generation
        view = linearMemory.view('int32', record.ptr, places.length)
      }
      for (let n = 0; n < places.length; n++) {
        const [slot, offset] = places[n] as typeof places[number]
        view[n] = at(slot, offset)
      }
      return record.ptr
    },
  }
}

/** A record of addresses that is written when it is asked for. */
export type Addresses<Fields extends RecordFields> = ReturnType<typeof planAddresses<Fields>>

/** Names of the inputs that a layer may have, besides biases. */
type ValueName = 'x' | 'w' | 'u' | 'projection' | 'candidate' | 'h0' | 'c0' | 'mask' | 'peepholes' | 'norm' | 'drop'

/** The values of a layer. @param inputs their positions */
export function planValues(
  planner: Planner, inputs: Readonly<Partial<Record<ValueName, number>>>, { batch, hiddenSize, outputSize }: TrainedSizes,
  { xOffset, maskOffset }: PlannedLayer, kept: Slot,
): Addresses<typeof TrainedValues> {
  const slot = (name: ValueName): Slot => inputOf(planner, inputs[name])
  const padded = (name: ValueName, rows: number, length: number): Slot => paddedInput(planner, inputs[name], rows, length)
  return planAddresses(planner, TrainedValues, {
    w: slot('w'), u: slot('u'), projection: slot('projection'), candidate: slot('candidate'), xPtr: slot('x'), h0Ptr: slot('h0'), c0Ptr: slot('c0'),
    maskPtr: slot('mask'), peepholesPtr: padded('peepholes', PEEPHOLES, hiddenSize), normPtr: padded('norm', NORM, hiddenSize),
    dropPtr: padded('drop', batch, outputSize), keptPtr: kept,
  }, { xPtr: xOffset, maskPtr: maskOffset })
}

/**
 * The gradients of a layer: of its outputs, by the positions of the inputs that they are, and those that it makes.
 * @param made positions of outputs, or where else they go
 */
export function planGradients(
  planner: Planner, { dy, dh, dc }: { readonly dy: number, readonly dh: number, readonly dc?: number },
  made: Readonly<Partial<Record<keyof typeof TrainedGradients, number | Slot>>>, { xOffset, yOffset }: PlannedLayer,
): Addresses<typeof TrainedGradients> {
  const slots = Object.entries(made).map(([name, place]) => [name, typeof place === 'number' ? outputOf(planner, place) : place] as const)
  return planAddresses(planner, TrainedGradients, {
    dyPtr: inputOf(planner, dy), dhPtr: inputOf(planner, dh), dcPtr: inputOf(planner, dc), ...Object.fromEntries(slots),
  }, { dyPtr: yOffset, dxPtr: xOffset })
}

/** Rows of an input, padded to whole vectors: itself where they are. */
function paddedInput(planner: Planner, position: number | undefined, rows: number, length: number): Slot {
  const from = inputOf(planner, position)
  if (from === ABSENT || length % 4 === 0) return from
  const { copyRows, fillZero } = planner.kernels
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
