import { LstmError } from '../../errors.ts'
import { checkRecord, readOptions } from '../../options.ts'
import type { ArrayLike } from '../../values/ndarray.ts'
import type { ExportSource } from '../source.ts'
import { chainOf, jsonBytes, numbersOf, summedBias, type Chain, type ChainCell, type ChainDense } from './chain.ts'
import { AUDIO_OPTIONS, type AudioExportOptions } from './to-rtneural.ts'

/** Of the format: that of NeuralAmpModelerCore, whose LSTMs have not changed since. */
const VERSION = '0.5.4'

/**
 * The bytes of a `.nam` file for Neural Amp Modeler: LSTM layers of one size, and a dense layer with one output on the last of them. It begins in a state of
 * zeros. Both biases of an LSTM are summed, as its format has one.
 *
 *     await writeFile('amp.nam', toNam(model, { sampleRate: 48000 }))
 *
 * @throws LstmError `UNSUPPORTED` for any other model, saying what of it; `VALUE`
 */
export function toNam(source: ExportSource, options: AudioExportOptions = {}): Uint8Array<ArrayBuffer> {
  checkRecord(options, 'toNam')
  const { sampleRate, ...others } = options
  readOptions({ sampleRate }, AUDIO_OPTIONS, 'toNam')
  const chain = chainOf(source, others, 'toNam')
  const { cells, head } = partsOf(chain)
  return jsonBytes({
    version: VERSION, metadata: {}, architecture: 'LSTM',
    config: { input_size: chain.features, hidden_size: head.weight.shape[1], num_layers: cells.length },
    weights: [...cells.flatMap(weightsOf), ...numbersOf(head.weight.data), ...numbersOf(head.bias)], ...sampleRate !== undefined && { sample_rate: sampleRate },
  })
}

function partsOf({ layers, skip }: Chain): { readonly cells: readonly ChainCell[], readonly head: ChainDense } {
  const cells = layers.filter((layer) => layer.kind === 'lstm')
  const head = layers.at(-1)
  const isWhole = !skip && head?.kind === 'dense' && head.units === 1 && cells.length > 0 && cells.length === layers.length - 1
  if (!isWhole || cells.some(({ units }) => units !== cells[0]?.units)) {
    const got = layers.map((layer) => (layer.kind === 'activation' ? layer.activation : `${layer.kind} ${layer.units}`)).join(', ')
    throw new LstmError('UNSUPPORTED', `toNam: expected LSTM layers of one size and a dense layer with one output, got ${got}${skip ? ', and the input added' : ''}`)
  }
  return { cells, head }
}

/** [4 units, features + units] weights over [x; h], biases, and the first h and c. */
function weightsOf(cell: ChainCell): number[] {
  const { units } = cell
  const features = cell.inputWeights.shape[1] as number
  const row = ({ data }: ArrayLike, n: number, width: number): number[] => numbersOf(data.subarray(n * width, (n + 1) * width))
  const rows = Array.from({ length: 4 * units }, (_, n) => [...row(cell.inputWeights, n, features), ...row(cell.recurrentWeights, n, units)])
  return [...rows.flat(), ...numbersOf(summedBias(cell)), ...new Array<number>(2 * units).fill(0)]
}
