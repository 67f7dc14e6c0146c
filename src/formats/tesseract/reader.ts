// Reader of Tesseract's .traineddata files, the LSTM recognisers of lines in them: https://github.com/tesseract-ocr/tesseract
//   lstm: the network, its spec, training flags and counts, the null output; lstm-unicharset; lstm-recoder
import type { Graph } from '../../graph/graph.ts'
import { LstmError } from '../../errors.ts'
import { oneOf, readOptions, type OptionTable } from '../../options.ts'
import { Budget } from '../budget.ts'
import type { FormatReader } from '../reader.ts'
import { takingOptions } from '../taking-options.ts'
import { readCharacters, readCodes, withCharacters, type LineCharacters } from './characters.ts'
import { isTraineddata, readComponents } from './container.ts'
import { Cursor, malformed } from './cursor.ts'
import { readLayer, type Layer } from './layers.ts'
import { graphOf, type WeightsOptions } from './network.ts'

/** A recogniser of lines, and what makes text of what it says. */
export interface Traineddata extends LineCharacters {
  /**
   * Inputs `pixels` [batch, height, width, 1] and `blank`, outputs `probs` [batch, steps, outputs] and `steps`: see `graphOf`. It has the characters
   * beside it: `compile` makes a model for `recognizeLine`.
   */
  readonly graph: Graph
  /** Rows of pixels it takes. */
  readonly height: number
}

const OPTIONS: OptionTable<WeightsOptions> = { weights: oneOf(['int8', 'float32']) }

/** Options of `readTraineddata`. */
export type TraineddataOptions = WeightsOptions

/**
 * The recogniser of lines in a .traineddata file, also in one that gzip packed.
 * @throws LstmError `FORMAT` for a broken file, `UNSUPPORTED` for files without a network (legacy engine, osd), 2-D LSTMs and
 *   other layers, checkpoints, and formats before Tesseract 4.0; `VALUE` for options
 */
export function readTraineddata(bytes: Uint8Array, options: TraineddataOptions = {}, budget: Budget = new Budget(bytes.length)): Traineddata {
  const reading = readOptions(options, OPTIONS, 'readTraineddata')
  const components = readComponents(bytes, budget)
  const cursor = new Cursor(components.lstm, 'lstm')
  const layers = withSpec(components.lstm, () => readLayer(cursor, budget))
  const spec = cursor.text('the spec')
  // Training flags, iterations and samples.
  cursor.take(12, 'the counts of the training')
  const nullCode = cursor.int32('the null output')
  // Adam's beta, the learning rate, the momentum.
  cursor.take(12, 'the rates of the training')
  cursor.end()
  const { graph, height, outputs } = withSpec(components.lstm, () => graphOf(layers, reading, budget))
  if (nullCode < 0 || nullCode >= outputs) throw malformed(`lstm: expected the null output to be 0 to ${outputs - 1}, got ${nullCode}`)
  const characters = readCharacters(components['lstm-unicharset'], budget)
  const codes = readCodes(components['lstm-recoder'], characters, outputs, budget)
  const line = { spec, characters, codes, nullCode }
  return { graph: withCharacters(graph, line), height, ...line }
}

/** Recognisers of Tesseract (`.traineddata`), as a part of `readers` for `load`. */
export const tesseract: FormatReader = takingOptions({
  name: 'traineddata',
  options: [],
  detect: isTraineddata,
  read: async ({ bytes }, _options, budget) => readTraineddata(bytes, {}, budget).graph,
})

/** Says in what network something is that is not supported: its spec comes after it. */
function withSpec<Result extends Layer | object>(lstm: Uint8Array, read: () => Result): Result {
  try {
    return read()
  } catch (error) {
    const spec = error instanceof LstmError && error.code === 'UNSUPPORTED' ? /\[\d+,\d+,\d+,\d+[ -~]{1,400}\]/.exec(new TextDecoder('latin1').decode(lstm))?.[0] : undefined
    if (spec === undefined) throw error
    throw new LstmError('UNSUPPORTED', `${(error as LstmError).message} (the network is ${spec})`, { cause: error })
  }
}
