/** Characters of the alphabet, and how many of them stand for a byte alone: see assembly/text.mjs. */
const CHARACTERS = 90
const SINGLES = 88

/** The place of a character in the alphabet: # to ~ without ' and \. */
const placeOf = (code: number): number => code - 35 - Number(code > 39) - Number(code > 92)

/**
 * The bytes that assembly/text.mjs wrote as text.
 * @param commonest the bytes that have a character of their own
 */
export function bytesOfText(text: string, commonest: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes = [...commonest]
  for (let byte = 0; byte < 256; byte++) if (!commonest.includes(byte)) bytes.push(byte)
  const out = new Uint8Array(text.length)
  let length = 0
  for (let n = 0; n < text.length; n++) {
    let place = placeOf(text.charCodeAt(n))
    if (place >= SINGLES) place = SINGLES + (place - SINGLES) * CHARACTERS + placeOf(text.charCodeAt(++n))
    out[length++] = bytes[place] as number
  }
  return out.slice(0, length)
}
