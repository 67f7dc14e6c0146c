// Reader of Tesseract's .traineddata files, the LSTM recognisers of lines in them: https://github.com/tesseract-ocr/tesseract
//   lstm: the network, its spec, training flags and counts, the null output; lstm-unicharset; lstm-recoder
import type { Graph } from '../../graph/graph.ts'
import { LstmError } from '../../errors.ts'
import { oneOf, readOptions, type OptionTable } from '../../options.ts'
import { Budget } from '../budget.ts'
import type { FormatReader } from '../reader.ts'
import { takingOptions } from '../taking-options.ts'
import { readCharacters, readCodes, withCharacters } from './characters.ts'
import { isTraineddata, readComponents } from './container.ts'
import { Cursor, within } from './cursor.ts'
import { readLayers } from './layers.ts'
import type { LineCharacters } from './line-characters.ts'
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
  const { lstm, unicharset, recoder } = readComponents(bytes, budget)
  const { spec, nullCode, graph, height, outputs } = withSpec(lstm, () => {
    const cursor = new Cursor(lstm, 'lstm')
    const layers = readLayers(cursor, budget)
    const spec = cursor.text('the spec')
    // Flags, iterations and samples.
    cursor.take(12, 'the training')
    const nullCode = cursor.int32('the null output')
    // Adam's beta, the learning rate, the momentum.
    cursor.take(12, 'the training')
    cursor.end()
    const network = graphOf(layers, reading, budget)
    return { spec, nullCode: within(nullCode, 0, network.outputs - 1, 'the null output'), ...network }
  })
  const characters = readCharacters(unicharset, budget)
  const line = { spec, characters, codes: readCodes(recoder, characters, outputs, budget), nullCode }
  return { graph: withCharacters(graph, line), height, ...line }
}

/** Recognisers of Tesseract (`.traineddata`), as a part of `readers` for `load`. */
export const tesseract: FormatReader = /* @__PURE__ */ takingOptions({
  name: 'traineddata',
  options: [],
  detect: isTraineddata,
  read: async ({ bytes }, _options, budget) => readTraineddata(bytes, {}, budget).graph,
})

/** Says in what network something is that is not supported: its spec comes after it. */
function withSpec<Result>(lstm: Uint8Array, read: () => Result): Result {
  try {
    return read()
  } catch (error) {
    const { code, message } = error as LstmError
    const [spec] = /\[\d+,\d+,\d+,\d+[ -~]{1,400}\]/.exec(new TextDecoder('latin1').decode(lstm)) ?? []
    throw code === 'UNSUPPORTED' && spec ? new LstmError(code, `${message} (the network is ${spec})`, { cause: error }) : error
  }
}
