// Which characters a network writes, and in which codes.
import type { Graph } from '../../graph/graph.ts'
import { describeValue } from '../../values/dtype.ts'
import type { Budget } from '../budget.ts'
import { Cursor, malformed, textOf, within } from './cursor.ts'
import type { LineCharacters } from './line-characters.ts'

/** Parts of a code. */
const LONGEST_CODE = 9
/** What a line of a text takes as a string, at most, by byte. */
const BYTES_OF_A_LINE = 40
/** In the place of characters: between letters that touch, and for those that are broken. */
const NO_CHARACTERS = /^(Joined|\|Broken\|0\|1)$/

/** A unicharset: a line with their number, then one for each, whose first word it is. */
export function readCharacters(bytes: Uint8Array, budget: Budget): string[] {
  // Each byte may be a line of its own.
  budget.copy(bytes.length, BYTES_OF_A_LINE * bytes.length, 'traineddata: lstm-unicharset')
  const lines = textOf(bytes, 'lstm-unicharset').split('\n')
  const count = within(Number(lines[0]), 1, lines.length - 1, 'the number of characters in lstm-unicharset')
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
    const of = `the code of character ${n}`
    const isItself = cursor.int8(of) !== 0
    const length = within(cursor.uint32(of), 0, LONGEST_CODE, `the parts of ${of}`)
    const code = Array.from({ length }, () => within(cursor.int32(of), 0, outputs - 1, `outputs in ${of}`))
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
    metadata: { ...graph.metadata, tesseract: JSON.stringify({ spec, characters, codes, nullCode }) },
  }
}
