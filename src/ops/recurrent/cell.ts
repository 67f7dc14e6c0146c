import { Coupling, GeneralLstmCell } from '../../contract/recurrent/lstm-general.ts'
import { encodeRecord } from '../../values/record.ts'
import type { CellPacker } from './operator.ts'
import type { PackedCell } from './plan.ts'
import { hasPlainUpdate, type CellFunctions, type LstmSettings } from './settings.ts'

/** Packs the weights of one layer and direction. */
export function packCell(packer: CellPacker, settings: LstmSettings): PackedCell {
  const { hiddenSize, outputSize, clip, cellClip, projClip, normEpsilon } = settings
  const functions = settings.functions[packer.index] as CellFunctions
  const { gate, candidate, output } = functions
  const isPlain = hasPlainUpdate(settings, functions)
  const peepholes = packer.parameter('peepholes')
  const gain = packer.parameter('normGain')
  const shift = packer.parameter('normShift')
  const norm = settings.layerNorm && gain !== undefined && shift !== undefined ? interleave(gain, shift, hiddenSize, settings.forgetBias) : undefined
  return {
    cellPtr: packer.place(encodeRecord(GeneralLstmCell, {
      inputWeights: packer.pack('inputWeights', ['inputBias', 'recurrentBias'], 4, 0, settings.layerNorm ? 0 : settings.forgetBias),
      recurrentWeights: packer.pack('recurrentWeights', [], 4),
      hiddenSize, outputSize, projection: settings.hasProjection ? packer.packDense('projection', hiddenSize, outputSize) : 0,
      peepholesPtr: peepholes === undefined ? 0 : packer.place(padRows(peepholes, 3, hiddenSize)),
      normPtr: norm === undefined ? 0 : packer.place(padRows(norm, 10, hiddenSize)),
      coupling: Coupling[settings.coupling], clip, cellClip, projClip, normEpsilon, isPlain: Number(isPlain),
      gateFunction: gate.code, gateAlpha: gate.alpha, gateBeta: gate.beta,
      candidateFunction: candidate.code, candidateAlpha: candidate.alpha, candidateBeta: candidate.beta,
      outputFunction: output.code, outputAlpha: output.alpha, outputBeta: output.beta,
    })),
    // That of the plain cell does without peepholes, projection and delay.
    kernel: isPlain && peepholes === undefined && !settings.hasProjection && settings.delaySamples === 1 ? 'lstmForwardF32' : 'lstmGeneralF32',
  }
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
function interleave(gain: Float32Array, shift: Float32Array, length: number, forgetBias: number): Float32Array {
  const result = new Float32Array(10 * length)
  for (let row = 0; row < 5; row++) {
    result.set(gain.subarray(row * length, (row + 1) * length), 2 * row * length)
    result.set(shift.subarray(row * length, (row + 1) * length), (2 * row + 1) * length)
  }
  for (let unit = 0; unit < length; unit++) result[3 * length + unit] = (result[3 * length + unit] as number) + forgetBias
  return result
}
