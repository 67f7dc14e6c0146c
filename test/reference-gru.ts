// One step of a GRU or a simple recurrent layer, every option, in float64: what the kernels are compared with.
import type { Step } from './reference-cell.ts'

type Numbers = Float32Array | Float64Array | readonly number[]

/** Weights of one layer and direction, gates stacked in the order r, z, n. */
export interface RecurrentWeights {
  readonly inputWeights: Numbers // (gates hiddenSize, inputSize)
  readonly recurrentWeights: Numbers // (gates hiddenSize, hiddenSize)
  readonly inputBias?: Numbers | undefined // (gates hiddenSize)
  readonly recurrentBias?: Numbers | undefined // (gates hiddenSize)
}

/** What a cell computes with: functions of a row of units. */
export interface CellOptions {
  readonly hiddenSize: number
  readonly clip: number
  readonly resetAfter: boolean
  readonly gate: (row: number[]) => number[]
  readonly candidate: (row: number[]) => number[]
}

/** Products with the rows of one gate, and its bias. */
function affine(weights: Numbers, bias: Numbers | undefined, gate: number, hiddenSize: number, vector: Numbers): number[] {
  return Array.from({ length: hiddenSize }, (_, unit) => {
    const row = gate * hiddenSize + unit
    let sum = bias?.[row] ?? 0
    for (let k = 0; k < vector.length; k++) sum += (weights[row * vector.length + k] as number) * (vector[k] as number)
    return sum
  })
}

const clipped = (row: number[], limit: number): number[] => (limit === 0 ? row : row.map((x) => Math.min(limit, Math.max(-limit, x))))
const plus = (a: number[], b: number[]): number[] => a.map((x, n) => x + (b[n] as number))
const times = (a: number[], b: number[]): number[] => a.map((x, n) => x * (b[n] as number))

/** r, z, n and h' as the contract of the operator has them. */
export function gruStep(weights: RecurrentWeights, { hiddenSize, clip, resetAfter, gate, candidate }: CellOptions): Step {
  const { inputWeights, recurrentWeights, inputBias, recurrentBias } = weights
  const ofX = (which: number, x: Numbers): number[] => affine(inputWeights, inputBias, which, hiddenSize, x)
  const ofH = (which: number, h: number[]): number[] => affine(recurrentWeights, recurrentBias, which, hiddenSize, h)
  return (x, h) => {
    const r = gate(clipped(plus(ofX(0, x), ofH(0, h)), clip))
    const z = gate(clipped(plus(ofX(1, x), ofH(1, h)), clip))
    const n = candidate(clipped(plus(ofX(2, x), resetAfter ? times(r, ofH(2, h)) : ofH(2, times(r, h))), clip))
    return { h: n.map((value, unit) => (1 - (z[unit] as number)) * value + (z[unit] as number) * (h[unit] as number)), c: [] }
  }
}

/** h' = candidate(x W + bi + h U + bh). */
export function rnnStep(weights: RecurrentWeights, { hiddenSize, clip, candidate }: CellOptions): Step {
  const { inputWeights, recurrentWeights, inputBias, recurrentBias } = weights
  return (x, h) => {
    const sum = plus(affine(inputWeights, inputBias, 0, hiddenSize, x), affine(recurrentWeights, recurrentBias, 0, hiddenSize, h))
    return { h: candidate(clipped(sum, clip)), c: [] }
  }
}
