// Which characters a network writes, and in which codes.
import { LstmError } from '../../errors.ts'
import type { Graph } from '../../graph/graph.ts'
import { describeValue } from '../../values/dtype.ts'
import type { Budget } from '../budget.ts'
import { Cursor, malformed, textOf } from './cursor.ts'

/** What makes text of a network's outputs. */
export interface LineCharacters {
  /** The network as Tesseract writes it: `[1,36,0,1Ct3,3,16Mp3,3Lfys48Lfx96Lrx96Lfx192O1c1]`. */
  readonly spec: string
  /** Texts by number. A space is the first; a ligature or a syllable may be several letters. */
  readonly characters: readonly string[]
  /** Outputs of the network, one after the other, that mean each character; none where it is never written. */
  readonly codes: readonly (readonly number[])[]
  /** The output that means nothing. */
  readonly nullCode: number
}

const LONGEST_CODE = 9
/** In the place of characters: between letters that touch, and for those that are broken. */
const NO_CHARACTERS = /^(Joined|\|Broken\|0\|1)$/
/** Where graphs keep it. */
const METADATA = 'tesseract'

/** A unicharset: a line with their number, then one for each, whose first word it is. */
export function readCharacters(bytes: Uint8Array, budget: Budget): string[] {
  budget.copy(bytes.length, 4 * bytes.length, 'traineddata: lstm-unicharset')
  const lines = textOf(bytes, 'lstm-unicharset').split('\n')
  const count = Number(lines[0])
  if (!(count > 0 && count < lines.length)) throw malformed(`lstm-unicharset: expected the number of characters and a line for each, got ${describeValue(lines[0])} and ${lines.length - 1} lines`)
  return lines.slice(1, count + 1).map((line, n) => {
    const [text = ''] = line.split(' ', 1)
    if (text === '') throw malformed(`lstm-unicharset: expected a character in line ${n + 2}, got ${describeValue(line)}`)
    return text === 'NULL' ? ' ' : text
  })
}

/**
 * A recoder: u32 count, then for each character i8 whether it stands for itself, u32 length, i32 outputs.
 * Of characters with the same code the first that stands for itself is written.
 */
export function readCodes(bytes: Uint8Array, characters: readonly string[], outputs: number, budget: Budget): number[][] {
  const cursor = new Cursor(bytes, 'lstm-recoder')
  const count = cursor.uint32('its number of codes')
  if (count !== characters.length) throw malformed(`lstm-recoder: expected a code for each of ${characters.length} characters, got ${count}`)
  const writers: Map<string, { readonly n: number, readonly isItself: boolean }> = new Map()
  const codes = characters.map((character, n) => {
    budget.visit('traineddata: lstm-recoder')
    const isItself = cursor.int8('a code') !== 0
    const length = cursor.uint32('a code')
    if (length > LONGEST_CODE) throw malformed(`lstm-recoder: expected at most ${LONGEST_CODE} parts in the code of character ${n}, got ${length}`)
    const code = Array.from({ length }, () => cursor.int32('a code'))
    const wrong = code.find((part) => part < 0 || part >= outputs)
    if (wrong !== undefined) throw malformed(`lstm-recoder: expected outputs 0 to ${outputs - 1} in the code of character ${n}, got ${wrong}`)
    const writer = writers.get(code.join())
    if (!NO_CHARACTERS.test(character) && (writer === undefined || (isItself && !writer.isItself))) writers.set(code.join(), { n, isItself })
    return code
  })
  cursor.end()
  return codes.map((code, n) => (writers.get(code.join())?.n === n ? code : []))
}

/** The graph with its characters beside it, which `save()` keeps. */
export function withCharacters(graph: Graph, { spec, characters, codes, nullCode }: LineCharacters): Graph {
  const known = codes.filter((code) => code.length > 0).length
  return {
    ...graph,
    notes: [...graph.notes ?? [], `Tesseract's recogniser of lines (not pages) ${spec}: ${known} characters, see recognizeLine of lstm-wasm/tesseract`],
    metadata: { ...graph.metadata, [METADATA]: JSON.stringify({ spec, characters, codes, nullCode }) },
  }
}

/**
 * The characters of a graph that `readTraineddata` made, or that was saved.
 * @throws LstmError `VALUE` for other graphs, `FORMAT` for one whose file was changed
 */
export function charactersOf({ metadata }: Pick<Graph, 'metadata'>): LineCharacters {
  const text = metadata?.[METADATA]
  if (text === undefined) throw new LstmError('VALUE', "recognizeLine: expected a model of a .traineddata file, got one without Tesseract's characters: await load('eng.traineddata')")
  let json: Partial<LineCharacters> | null
  try {
    json = JSON.parse(text) as typeof json
  } catch (cause) {
    throw malformed('the characters in the saved model are no JSON', cause)
  }
  const { spec, characters, codes, nullCode } = json ?? {}
  const isOutput = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0
  const fits = typeof spec === 'string' && isOutput(nullCode)
    && Array.isArray(characters) && characters.every((character) => typeof character === 'string')
    && Array.isArray(codes) && codes.length === characters.length
    && codes.every((code: unknown) => Array.isArray(code) && code.length <= LONGEST_CODE && code.every(isOutput))
  if (!fits) throw malformed('the characters in the saved model are not as they were written: { spec, characters, codes, nullCode }')
  return { spec, characters, codes, nullCode }
}
