import type { ArrayLike } from '../../values/ndarray.ts'
import { isPlain, lstmRole, type CellFunctions, type Direction, type LstmSettings, type LstmWeight } from './settings.ts'
import type { Packer } from '../operator.ts'

/** A cell made ready: its packed weights, and the settings of the general kernel where it needs that one. */
export interface PackedCell {
  readonly packedPtr: number
  /** Address of the settings, as `Cell` in assembly/recurrent/lstm-general.ts has them. */
  readonly settingsPtr: number
  /** Whether the fused kernel does, as long as there is no mask. */
  readonly plain: boolean
}

const COUPLING_CODES = { none: 0, forgetIsOneMinusInput: 1, inputIsOneMinusForget: 2 } as const
const MASK_CODES = { hold: 1, zero: 2, multiply: 3 } as const

/** Packs the weights of one layer and direction. */
export function packCell(packer: Packer, settings: LstmSettings, layer: number, direction: Direction, functions: CellFunctions): PackedCell {
  const { kernels } = packer
  const { hiddenSize, outputSize } = settings
  const role = (weight: LstmWeight): string => lstmRole(layer, direction, weight)
  const inputSize = packer.parameter(role('inputWeights'))?.shape[1] as number
  const packedPtr = packer.allocate(kernels.packedLstmBytes(inputSize, hiddenSize, outputSize))
  kernels.packLstmF32(
    packedPtr, packer.upload(role('inputWeights')), packer.upload(role('recurrentWeights')),
    packer.upload(role('inputBias')), packer.upload(role('recurrentBias')), inputSize, hiddenSize, outputSize,
    settings.layerNorm ? 0 : settings.forgetBias,
  )
  const peepholes = packer.parameter(role('peepholes'))
  const gain = packer.parameter(role('normGain'))
  const shift = packer.parameter(role('normShift'))
  const norm = settings.layerNorm && gain !== undefined && shift !== undefined ? interleave(gain, shift, hiddenSize, settings.forgetBias) : undefined
  let projectionPtr = 0
  if (settings.hasProjection) {
    projectionPtr = packer.allocate(kernels.packedDenseBytes(hiddenSize, outputSize))
    kernels.packDenseF32(projectionPtr, packer.upload(role('projection')), 0, hiddenSize, outputSize)
  }
  return {
    packedPtr,
    settingsPtr: packer.place(cellSettings(settings, functions, {
      peepholesPtr: peepholes === undefined ? 0 : packer.place(padRows(peepholes.data as Float32Array, 3, hiddenSize)),
      normPtr: norm === undefined ? 0 : packer.place(padRows(norm, 10, hiddenSize)),
      projectionPtr,
    })),
    plain: isPlain(settings, functions, peepholes !== undefined, false),
  }
}

/** The fields of `Cell` in assembly/recurrent/lstm-general.ts, in its order, four bytes each; test/number-tables.test.ts compares them. */
const CELL_FIELDS = {
  peepholesPtr: 'int', normPtr: 'int', projectionPtr: 'int', outputSize: 'int', coupling: 'int', maskRule: 'int',
  clip: 'float', cellClip: 'float', projClip: 'float', normEpsilon: 'float', delaySteps: 'int', delayFraction: 'float',
  gateFunction: 'int', gateAlpha: 'float', gateBeta: 'float',
  candidateFunction: 'int', candidateAlpha: 'float', candidateBeta: 'float',
  outputFunction: 'int', outputAlpha: 'float', outputBeta: 'float',
} as const

type CellField = keyof typeof CELL_FIELDS

function cellSettings(
  settings: LstmSettings, { gate, candidate, output }: CellFunctions, pointers: Pick<Record<CellField, number>, 'peepholesPtr' | 'normPtr' | 'projectionPtr'>,
): Uint8Array {
  const { outputSize, clip, cellClip, projClip, normEpsilon, delaySamples } = settings
  const values: Readonly<Record<CellField, number>> = {
    ...pointers, outputSize, coupling: COUPLING_CODES[settings.coupling], maskRule: MASK_CODES[settings.maskRule],
    clip, cellClip, projClip, normEpsilon, delaySteps: delaySamples > 1 ? Math.floor(delaySamples) : 0, delayFraction: delaySamples % 1,
    gateFunction: gate.code, gateAlpha: gate.alpha, gateBeta: gate.beta,
    candidateFunction: candidate.code, candidateAlpha: candidate.alpha, candidateBeta: candidate.beta,
    outputFunction: output.code, outputAlpha: output.alpha, outputBeta: output.beta,
  }
  const fields = Object.entries(CELL_FIELDS) as [CellField, 'int' | 'float'][]
  const view = new DataView(new ArrayBuffer(fields.length * 4))
  fields.forEach(([name, type], index) => {
    if (type === 'int') view.setInt32(index * 4, values[name], true)
    else view.setFloat32(index * 4, values[name], true)
  })
  return new Uint8Array(view.buffer)
}

/** Rows of `length` elements, each padded with zeros to whole vectors of four. */
function padRows(data: Float32Array, rows: number, length: number): Float32Array {
  const padded = Math.ceil(length / 4) * 4
  const result = new Float32Array(rows * padded)
  for (let row = 0; row < rows; row++) result.set(data.subarray(row * length, (row + 1) * length), row * padded)
  return result
}

/**
 * gain (5, units) and shift (5, units) -> (5, 2, units). The forget bias comes after the normalisation, which would
 * take it away: it is a part of the shift.
 */
function interleave(gain: ArrayLike, shift: ArrayLike, length: number, forgetBias: number): Float32Array {
  const result = new Float32Array(10 * length)
  for (let row = 0; row < 5; row++) {
    result.set((gain.data as Float32Array).subarray(row * length, (row + 1) * length), 2 * row * length)
    result.set((shift.data as Float32Array).subarray(row * length, (row + 1) * length), (2 * row + 1) * length)
  }
  for (let unit = 0; unit < length; unit++) result[3 * length + unit] = (result[3 * length + unit] as number) + forgetBias
  return result
}
