// Entry point of `lstm-wasm/tesseract`.
import { readTraineddata as read, type Traineddata, type TraineddataOptions } from '../formats/tesseract/reader.ts'
import { fromAnySource, type SourceReader } from './any-source.ts'

export { tesseract } from '../formats/tesseract/reader.ts'
export type { LineImage, LineOptions, PreparedLine } from '../formats/tesseract/line-image.ts'
export { decodeLine, prepareLine, recognizeLine, recognizeLines, type LineCharacter, type LinesOptions, type RecognizedLine } from './recognition.ts'
export type { SourceReader, Traineddata, TraineddataOptions }

/**
 * The recogniser of lines (not pages) in a .traineddata file of Tesseract, also in one that gzip packed:
 * `{ graph, spec, characters, codes, nullCode, height }`. Its graph takes `pixels` [batch, height, width, 1], float32 from -1 (black) to 1
 * (white), and gives `probs` [batch, steps, outputs], a step for every 3 columns or so. Lines that are shorter than the longest end in columns
 * of 0, as many as `blank` says (int32 [batch], zeros where it is left out); `steps` [batch] is how many steps of each are its own. Weights of 8
 * bits stay so, with a scale for each row, but for those of convolutions; `weights: 'float32'` widens them. float64 becomes float32. Bytes are
 * read at once, without a promise.
 *
 * @throws LstmError `FORMAT` for a broken file, `UNSUPPORTED` for files without a network (Tesseract's legacy engine, osd), 2-D LSTMs
 *   and other layers, checkpoints of trainings and formats before Tesseract 4.0; `VALUE` for options, `ENVIRONMENT`
 */
export const readTraineddata: SourceReader<TraineddataOptions, Traineddata> = fromAnySource('readTraineddata', (bytes, options) => read(bytes, options))
