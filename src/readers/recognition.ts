// Lines of text from pictures, with a model of a .traineddata file.
import { LstmError } from '../errors.ts'
import { charactersOf } from '../formats/tesseract/characters.ts'
import { charactersIn, decoderOf, type Decoder } from '../formats/tesseract/decoding.ts'
import { preparedLine, type LineImage, type LineOptions, type PreparedLine } from '../formats/tesseract/line-image.ts'
import type { Graph } from '../graph/graph.ts'
import type { Model } from '../model/model.ts'
import { FLAG, readOptions, type Kind, type OptionTable } from '../options.ts'
import type { ArrayLike } from '../values/ndarray.ts'

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

const WHOLE: Kind = { expected: 'a whole number of pixels', test: (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 1000 }
const OPTIONS: OptionTable<LineOptions> = { inverted: FLAG, margin: WHOLE }

/** Letters of scripts that are read from right to left. */
const RIGHT_TO_LEFT = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u

/** What text is made with, for each graph. */
const DECODERS: WeakMap<Graph, Decoder> = new WeakMap()

function heightOf(model: Pick<Model, 'inputs'>): number {
  const height = model.inputs[0]?.shape[1]
  if (model.inputs.length !== 1 || model.inputs[0]?.shape.length !== 4 || typeof height !== 'number') {
    throw new LstmError('VALUE', "recognizeLine: expected a model of a .traineddata file, whose input is [1, height, width, 1]: await load('eng.traineddata')")
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
export function decodeLine(model: Pick<Model, 'toGraph'>, probs: ArrayLike, { box }: Pick<PreparedLine, 'box'>): RecognizedLine {
  const graph = model.toGraph()
  const decoder = DECODERS.get(graph) ?? decoderOf(charactersOf(graph))
  DECODERS.set(graph, decoder)
  const [, steps = 0, outputs = 0] = probs.shape
  const column = (step: number): number => box.left + step * box.width / steps
  const all = charactersIn(probs.data, outputs, decoder).map(({ from, to, ...character }) => ({ ...character, from: column(from), to: column(to) }))
  const isInk = ({ text }: LineCharacter): boolean => text !== ' '
  const begin = all.findIndex(isInk)
  const characters = begin < 0 ? [] : all.slice(begin, all.length - [...all].reverse().findIndex(isInk))
  const confidence = characters.reduce((sum, character) => sum + character.confidence, 0) / Math.max(1, characters.length)
  const text = characters.map((character) => character.text).join('')
  return { text, direction: directionOf(text), confidence, characters }
}

function directionOf(text: string): 'ltr' | 'rtl' {
  const letters = text.match(/\p{L}/gu) ?? []
  return 2 * letters.filter((letter) => RIGHT_TO_LEFT.test(letter)).length > letters.length ? 'rtl' : 'ltr'
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
  const probs = line === undefined ? undefined : model.run({ pixels: line.pixels }).probs
  return line === undefined || probs === undefined ? { text: '', direction: 'ltr', confidence: 0, characters: [] } : decodeLine(model, probs, line)
}

/**
 * Reads pictures of one line each, one after the other.
 * @throws LstmError as `recognizeLine`
 */
export function recognizeLines(model: Model, images: readonly LineImage[], options: LineOptions = {}): RecognizedLine[] {
  return images.map((image) => recognizeLine(model, image, options))
}
