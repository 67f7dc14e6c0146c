// Text of a network's outputs: the likeliest at each step, repeats joined, what means nothing left out.
import type { LineCharacters } from './characters.ts'

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
  readonly confidence: number
  readonly from: number
  readonly to: number
}

/** Codes as keys, made once for each model. */
export interface Decoder {
  readonly nullCode: number
  readonly texts: ReadonlyMap<string, string>
  readonly longest: number
}

export function decoderOf({ characters, codes, nullCode }: LineCharacters): Decoder {
  const texts = new Map(codes.flatMap((code, n) => (code.length === 0 ? [] : [[code.join(), characters[n] as string] as const])))
  return { nullCode, texts, longest: codes.reduce((most, code) => Math.max(most, code.length), 0) }
}

function partsOf(probs: ArrayLike<number>, outputs: number, nullCode: number): Part[] {
  const parts: Part[] = []
  let before = -1
  for (let step = 0; step < probs.length / outputs; step++) {
    let output = 0
    for (let n = 1; n < outputs; n++) if ((probs[step * outputs + n] as number) > (probs[step * outputs + output] as number)) output = n
    const confidence = probs[step * outputs + output] as number
    const last = parts.at(-1)
    if (output === before && output !== nullCode && last !== undefined) {
      parts[parts.length - 1] = { ...last, confidence: Math.max(last.confidence, confidence), to: step + 1 }
    } else if (output !== nullCode) parts.push({ output, confidence, from: step, to: step + 1 })
    before = output
  }
  return parts
}

/** The characters that probabilities [steps, outputs] mean. Of codes that begin alike the longest counts; parts that are none are left out. */
export function charactersIn(probs: ArrayLike<number>, outputs: number, { nullCode, texts, longest }: Decoder): StepCharacter[] {
  const parts = partsOf(probs, outputs, nullCode)
  const characters: StepCharacter[] = []
  for (let at = 0; at < parts.length;) {
    let length = Math.min(longest, parts.length - at)
    const textOf = (): string | undefined => texts.get(parts.slice(at, at + length).map(({ output }) => output).join())
    while (length > 0 && textOf() === undefined) length--
    const text = textOf()
    if (text !== undefined) {
      const own = parts.slice(at, at + length)
      characters.push({ text, confidence: Math.min(...own.map(({ confidence }) => confidence)), from: (own[0] as Part).from, to: (own.at(-1) as Part).to })
    }
    at += Math.max(1, length)
  }
  return characters
}
