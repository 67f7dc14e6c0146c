import { atLeast, checkRecord, readOptions, type OptionTable } from '../../options.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import type { ExportOptions, ExportSource } from '../source.ts'
import { transposed } from '../turned.ts'
import { chainOf, jsonBytes, numbersOf, rowsOf, summedBias, type Chain, type ChainCell } from './chain.ts'

/** Options of `toRtneural` and `toNam`. */
export interface AudioExportOptions extends Pick<ExportOptions, 'outputs'> {
  /** Samples a second that the model was trained with: players correct for others. Default: the file does not say. */
  readonly sampleRate?: number | undefined
}

export const AUDIO_OPTIONS: OptionTable<Pick<AudioExportOptions, 'sampleRate'>> = { sampleRate: atLeast(1) }

/** A layer of the file. */
interface JsonLayer {
  readonly type: string
  readonly activation: string
  readonly shape: readonly [null, null, number]
  readonly weights: readonly unknown[]
}

/**
 * The bytes of a JSON file for RTNeural, and with it for AIDA-X: LSTM, GRU and dense layers and activations one after the other. A model that adds its
 * input at the end has AIDA-X's `in_skip`, which RTNeural by itself does not read. Both biases of an LSTM are summed, as RTNeural has one.
 *
 *     await writeFile('amp.json', toRtneural(model, { sampleRate: 48000 }))
 *
 * @throws LstmError `UNSUPPORTED` listing every node that is no such layer, and what of it; `VALUE`
 */
export function toRtneural(source: ExportSource, options: AudioExportOptions = {}): Uint8Array<ArrayBuffer> {
  checkRecord(options, 'toRtneural')
  const { sampleRate, ...others } = options
  readOptions({ sampleRate }, AUDIO_OPTIONS, 'toRtneural')
  const { features, layers, skip } = chainOf(source, others, 'toRtneural')
  const about = { ...skip && { in_skip: 1 }, ...sampleRate !== undefined && { samplerate: sampleRate } }
  return jsonBytes({ in_shape: [null, null, features], ...about, layers: jsonLayers(layers, features) })
}

function jsonLayers(layers: Chain['layers'], features: number): JsonLayer[] {
  const written: JsonLayer[] = []
  for (const layer of layers) {
    const last = written.at(-1)
    const units = layer.kind === 'activation' ? last?.shape[2] ?? features : layer.units
    const shape = [null, null, units] as const
    if (layer.kind === 'dense') written.push({ type: 'dense', activation: '', shape, weights: [rowsOf(transposed(layer.weight)), numbersOf(layer.bias)] })
    else if (layer.kind === 'lstm') {
      const bias = numbersOf(summedBias(layer))
      written.push({ type: 'lstm', activation: '', shape, weights: [rowsOf(transposed(layer.inputWeights)), rowsOf(transposed(layer.recurrentWeights)), bias] })
    } else if (layer.kind === 'gru') written.push({ type: 'gru', activation: '', shape, weights: gruWeights(layer) })
    else if (last?.type === 'dense' && last.activation === '') written[written.length - 1] = { ...last, activation: layer.activation }
    else written.push({ type: 'activation', activation: layer.activation, shape, weights: [] })
  }
  return written
}

/** Gates r, z, n -> z, r, n; kernel, recurrent kernel, and both biases: the reset comes after the recurrent product. */
function gruWeights({ inputWeights, recurrentWeights, inputBias, recurrentBias }: ChainCell): unknown[] {
  const row = (bias: Float32Array): number[] => numbersOf(updateFirst({ data: bias, shape: [bias.length, 1] }).data)
  return [rowsOf(transposed(updateFirst(inputWeights))), rowsOf(transposed(updateFirst(recurrentWeights))), [row(inputBias), row(recurrentBias)]]
}

function updateFirst({ data, shape }: Pick<ArrayLike, 'data' | 'shape'>): NdArray {
  const block = data.length / 3
  const turned = data.slice()
  turned.set(data.subarray(block, 2 * block))
  turned.set(data.subarray(0, block), block)
  return new NdArray(turned, shape)
}
