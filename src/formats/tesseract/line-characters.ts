// What a graph keeps beside it to make text. The reader has no part in it: a page with a model that was saved does without.
import { LstmError } from '../../errors.ts'
import type { Graph } from '../../graph/graph.ts'
import { count, TEXT, type Kind } from '../../options.ts'

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

/** Parts of a code. */
const LONGEST_CODE = 9
const OUTPUT: Kind = /* @__PURE__ */ count(0)

/**
 * The characters of a graph that `readTraineddata` made, or that was saved.
 * @throws LstmError `VALUE` for other graphs, `FORMAT` for one whose file was changed
 */
export function charactersOf({ metadata }: Pick<Graph, 'metadata'>): LineCharacters {
  const text = metadata?.tesseract
  if (text === undefined) throw new LstmError('VALUE', "recognizeLine: expected a model of a .traineddata file, got one without Tesseract's characters: await load('eng.traineddata')")
  try {
    const { spec, characters, codes, nullCode } = JSON.parse(text) as LineCharacters
    const fits = TEXT.test(spec) && OUTPUT.test(nullCode) && characters.every(TEXT.test) && codes.length === characters.length
      && codes.every((code) => code.length <= LONGEST_CODE && code.every(OUTPUT.test))
    if (fits) return { spec, characters, codes, nullCode }
  } catch {
    // It is no JSON, or no object with lists.
  }
  throw new LstmError('FORMAT', 'traineddata: the characters in the saved model are not what was written')
}
