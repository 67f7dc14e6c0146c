// Lines of text from pictures, with a model of a .traineddata file.
import { LstmError } from '../errors.ts'
import { charactersOf } from '../formats/tesseract/line-characters.ts'
import { ARRAY } from '../formats/given.ts'
import { charactersIn, decoderOf, type Decoder } from '../formats/tesseract/decoding.ts'
import { MOST_COLUMNS, preparedLine, type LineImage, type LineOptions, type PreparedLine } from '../formats/tesseract/line-image.ts'
import type { Graph } from '../graph/graph.ts'
import type { Model } from '../model/model.ts'
import { checkKind, count, FLAG, having, LIST, NUMBER, readOptions, RECORD, type Kind, type OptionTable } from '../options.ts'
import { NdArray, type ArrayLike } from '../values/ndarray.ts'

/** A character of a line. */
export interface LineCharacter {
  /** A letter, a sign or a space; a ligature or a syllable may be several. */
  readonly text: string
  /** 0 to 1: the network's probability where it is surest. */
  readonly confidence: number
  /** The first column of the picture, in pixels, where the network says it: near its middle, seldom its whole width. */
  readonly from: number
  /** One beyond the last. */
  readonly to: number
}

/** What was read. */
export interface RecognizedLine {
  /** Without spaces at its ends; scripts from right to left stand as they are seen, from left to right. '' where there is no ink. */
  readonly text: string
  /** `rtl` where most letters are of a script that is read from right to left: `text` and `characters` then begin with what is read last. */
  readonly direction: 'ltr' | 'rtl'
  /** The mean of its characters', 0 where there are none. */
  readonly confidence: number
  /** From left to right. */
  readonly characters: readonly LineCharacter[]
}

/** How several lines are read. */
export interface LinesOptions extends LineOptions {
  /**
   * Lines that are run at once, at most; no result depends on it. Default 1 on one thread, where more have been measured to be no faster, and
   * 4 for each of several.
   */
  readonly batch?: number | undefined
}

const OPTIONS: OptionTable<LineOptions> = { inverted: FLAG, margin: count(0, 1000) }
const LINES_OPTIONS: OptionTable<LinesOptions> = { ...OPTIONS, batch: /* @__PURE__ */ count(1) }
const LINE: Kind = {
  expected: 'what prepareLine gives',
  test: (value) => RECORD.test(value) && having('', 'left', 'width').test((value as PreparedLine).box) && [(value as PreparedLine).box.left, (value as PreparedLine).box.width].every(NUMBER.test),
}
const PROBS: Kind = { expected: 'probs [1, steps, outputs]', test: (value) => ARRAY.test(value) && isOfOneLine(value as ArrayLike) }
const LINES_OF_A_THREAD = 4
/** Of the longest line of a batch: shorter ones are in another. */
const SHORTEST = 0.75

/** Letters, and those of scripts that are read from right to left. */
const LETTER = /\p{L}/gu
const RIGHT_TO_LEFT = /(?=\p{L})[\p{sc=Arab}\p{sc=Hebr}\p{sc=Syrc}\p{sc=Thaa}\p{sc=Nkoo}]/gu

/** What text is made with, for each graph. */
const DECODERS: WeakMap<Graph, Decoder> = new WeakMap()

const isOfOneLine = ({ shape: [, steps = 0, outputs = 0], data }: ArrayLike): boolean => data.length > 0 && data.length === steps * outputs

function heightOf(model: Pick<Model, 'inputs'>): number {
  const inputs = (model as Partial<typeof model> | null | undefined)?.inputs
  const shape = inputs?.[0]?.shape
  const height = shape?.[1]
  if (shape?.length !== 4 || typeof height !== 'number' || inputs?.slice(1).some(({ optional }) => !optional)) {
    throw new LstmError('VALUE', "recognizeLine: expected a model of a .traineddata file, whose input is [batch, height, width, 1]: await load('eng.traineddata')")
  }
  return height
}

/**
 * A picture of one line as the network takes it: cropped to its ink with 4 pixels around, scaled to the network's height, with black and white
 * where Tesseract has them. `recognizeLine` does so itself; undefined where there is no ink.
 *
 * @throws LstmError `VALUE` or `SHAPE` for other things than pictures, `VALUE` for a line that is longer than 16,384 columns when it is scaled
 */
export function prepareLine(model: Pick<Model, 'inputs'>, image: LineImage, options: LineOptions = {}): PreparedLine | undefined {
  return preparedLine(image, heightOf(model), readOptions(options, OPTIONS, 'prepareLine'))
}

/**
 * The text of the network's outputs [1, steps, outputs] over a line that `prepareLine` made.
 * @throws LstmError `VALUE` for other models
 */
export function decodeLine(model: Pick<Model, 'toGraph'>, probs: ArrayLike, line: Pick<PreparedLine, 'box'>): RecognizedLine {
  checkKind(model, having('a model of a .traineddata file', 'toGraph'), 'decodeLine')
  checkKind(probs, PROBS, 'decodeLine')
  checkKind(line, LINE, 'decodeLine')
  return decoded(model, probs, line)
}

function decoded(model: Pick<Model, 'toGraph'>, probs: ArrayLike, { box }: Pick<PreparedLine, 'box'>): RecognizedLine {
  const graph = model.toGraph()
  const decoder = DECODERS.get(graph) ?? decoderOf(charactersOf(graph))
  DECODERS.set(graph, decoder)
  const [, steps = 0, outputs = 0] = probs.shape
  const column = (step: number): number => box.left + step * box.width / steps
  const characters = charactersIn(probs.data, outputs, decoder).map(({ from, to, ...character }) => ({ ...character, from: column(from), to: column(to) }))
  while (characters.at(-1)?.text === ' ') characters.pop()
  while (characters[0]?.text === ' ') characters.shift()
  return lineOf(characters)
}

function lineOf(characters: readonly LineCharacter[]): RecognizedLine {
  const text = characters.map((character) => character.text).join('')
  const confidence = characters.reduce((sum, character) => sum + character.confidence, 0) / (characters.length || 1)
  const lettersOf = (kind: RegExp): number => text.match(kind)?.length ?? 0
  return { text, direction: 2 * lettersOf(RIGHT_TO_LEFT) > lettersOf(LETTER) ? 'rtl' : 'ltr', confidence, characters }
}

/**
 * Reads a picture of one line of text (not of a page): `recognizeLine(await load('eng.traineddata'), context.getImageData(0, 0, width, height))`.
 * Takes the likeliest output at each step, without a dictionary. No ink: an empty text.
 *
 * @param image `{ width, height, data }`, grey or RGBA; what is transparent is white
 * @param options `inverted`: light ink on dark paper, told by itself where it is not given; `margin`: pixels around the ink, default 4
 * @throws LstmError `VALUE` or `SHAPE` for other models and things that are no pictures, `VALUE` for a line that is longer than 16,384
 *   columns when it is scaled; and as `model.run`
 */
export function recognizeLine(model: Model, image: LineImage, options: LineOptions = {}): RecognizedLine {
  const line = prepareLine(model, image, options)
  return line === undefined ? lineOf([]) : decoded(model, model.run({ pixels: line.pixels }).probs as NdArray, line)
}

/**
 * Reads pictures of one line each, each as `recognizeLine` does, to the bit. Several are run as a batch, filled up to the width of the longest.
 *
 * @param options those of `recognizeLine`; `batch`: lines that are run at once, at most
 * @throws LstmError as `recognizeLine`, with the number of the picture in front
 */
export function recognizeLines(model: Model, images: readonly LineImage[], options: LinesOptions = {}): RecognizedLine[] {
  checkKind(images, LIST, 'recognizeLines', 'images')
  checkKind(model, having("a model: await load('eng.traineddata')", 'inputs', 'runtime'), 'recognizeLines')
  const threads = model.runtime.threads.count
  const { batch = threads === 1 ? 1 : LINES_OF_A_THREAD * threads, ...ofLines } = readOptions(options, LINES_OPTIONS, 'recognizeLines')
  const each = <T>(read: (image: LineImage) => T): T[] => images.map((image, n) => ofImage(n, () => read(image)))
  // Networks of layers that would read across the end of a line take one.
  if (batch === 1 || model.inputs.length === 1) return each((image) => recognizeLine(model, image, ofLines))
  const lines = each((image) => prepareLine(model, image, ofLines))
  const read: Map<PreparedLine | undefined, RecognizedLine> = new Map()
  for (const members of batchesOf(lines.filter((line) => line !== undefined), batch)) runBatch(model, members).forEach((line, n) => read.set(members[n], line))
  return lines.map((line) => read.get(line) ?? lineOf([]))
}

function ofImage<T>(n: number, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof LstmError)) throw cause
    throw new LstmError(cause.code, `image ${n}: ${cause.message}`, { cause })
  }
}

const columnsOf = ({ pixels }: PreparedLine): number => pixels.shape[2] as number

/** Lines of like widths, together no more columns than one may have. */
function batchesOf(lines: readonly PreparedLine[], most: number): PreparedLine[][] {
  const batches: PreparedLine[][] = []
  for (const line of [...lines].sort((a, b) => columnsOf(b) - columnsOf(a))) {
    const batch = batches.at(-1)
    const longest = batch?.[0] ? columnsOf(batch[0]) : 0
    if (batch && batch.length < most && (batch.length + 1) * longest <= MOST_COLUMNS && columnsOf(line) >= SHORTEST * longest) batch.push(line)
    else batches.push([line])
  }
  return batches
}

/** The first line is the longest. */
function runBatch(model: Model, lines: readonly PreparedLine[]): RecognizedLine[] {
  const [, height = 0, width = 0] = lines[0]?.pixels.shape ?? []
  const pixels = new NdArray(new Float32Array(lines.length * height * width), [lines.length, height, width, 1])
  lines.forEach((line, n) => {
    const columns = columnsOf(line)
    for (let y = 0; y < height; y++) pixels.data.set(line.pixels.data.subarray(y * columns, (y + 1) * columns), (n * height + y) * width)
  })
  const { probs, steps } = model.run({ pixels, blank: Int32Array.from(lines, (line) => width - columnsOf(line)) }) as { probs: NdArray<'float32'>, steps: NdArray }
  const [, all = 0, outputs = 0] = probs.shape
  return lines.map((line, n) => {
    const own = steps.data[n] as number
    return decoded(model, new NdArray(probs.data.subarray(n * all * outputs, (n * all + own) * outputs), [1, own, outputs]), line)
  })
}
