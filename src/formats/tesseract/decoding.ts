// Text of a network's outputs: the likeliest at each step, repeats joined, what means nothing left out.
import type { LineCharacters } from './line-characters.ts'

/** A character, and where it was seen. */
export interface StepCharacter {
  readonly text: string
  /** The largest probability of its outputs, of several parts the smallest of them. */
  readonly confidence: number
  /** Its first step, and one beyond its last. */
  readonly from: number
  readonly to: number
}

interface Part {
  readonly output: number
  confidence: number
  readonly from: number
  to: number
}

/** Codes as keys, made once for each model. */
export interface Decoder {
  readonly nullCode: number
  readonly texts: ReadonlyMap<string, string>
  readonly longest: number
}

export function decoderOf({ characters, codes, nullCode }: LineCharacters): Decoder {
  const texts = new Map(codes.map((code, n) => [code.join(), characters[n] as string] as const))
  return { nullCode, texts, longest: codes.reduce((most, code) => Math.max(most, code.length), 0) }
}

/** Outputs that are the likeliest, one or more steps long. */
function partsOf(probs: ArrayLike<number>, outputs: number, nullCode: number): Part[] {
  const parts: Part[] = []
  let before = nullCode
  for (let step = 0; step < probs.length / outputs; step++) {
    const probability = (n: number): number => probs[step * outputs + n] as number
    let output = 0
    for (let n = 1; n < outputs; n++) if (probability(n) > probability(output)) output = n
    const [confidence, to] = [probability(output), step + 1]
    const last = parts.at(-1)
    if (output !== before && output !== nullCode) parts.push({ output, confidence, from: step, to })
    else if (output !== nullCode && last) Object.assign(last, { confidence: Math.max(last.confidence, confidence), to })
    before = output
  }
  return parts
}

/** The characters that probabilities [steps, outputs] mean. Of codes that begin alike the longest counts; parts that are none are left out. */
export function charactersIn(probs: ArrayLike<number>, outputs: number, { nullCode, texts, longest }: Decoder): StepCharacter[] {
  const characters: StepCharacter[] = []
  const parts = partsOf(probs, outputs, nullCode)
  for (let at = 0; at < parts.length;) {
    const own = parts.slice(at, at + longest)
    const textOf = (): string | undefined => texts.get(own.map(({ output }) => output).join())
    while (own.length > 1 && textOf() === undefined) own.pop()
    const [text, first, last] = [textOf(), own[0], own.at(-1)]
    if (text !== undefined && first && last) {
      characters.push({ text, confidence: Math.min(...own.map(({ confidence }) => confidence)), from: first.from, to: last.to })
    }
    at += own.length || 1
  }
  return characters
}
