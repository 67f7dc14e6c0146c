/** Characters of the alphabet, and how many of them stand for a byte alone: see assembly/text.mjs. */
const CHARACTERS = 90
const SINGLES = 88
/** The code of the first of the two characters that begin pairs; alone, they are the last of the alphabet. */
const FIRST_PAIR = 125

/**
 * What reads bytes that assembly/text.mjs wrote as text. Tables by character code: engines interpret this loop at the start of every process.
 * @param commonest a mark for each byte, `1` for those that have a character of their own
 */
export function textReader(commonest: string): (text: string) => Uint8Array<ArrayBuffer> {
  const marked = (mark: string): number[] => [...Array(256).keys()].filter((byte) => commonest[byte] === mark)
  const bytes = [...marked('1'), ...marked('0')]
  // What a character stands for alone, after the first of those that begin pairs, and after the second.
  const tables = new Uint8Array(3 * 128)
  for (let code = 35, place = 0; code < 127; code++) {
    if (code === 39 || code === 92) continue // ' and \
    for (let table = 0; table < 3; table++) tables[128 * table + code] = bytes[place + (table === 0 ? 0 : SINGLES + (table - 1) * CHARACTERS)] ?? 0
    place++
  }
  return (text) => {
    const out = new Uint8Array(text.length)
    let length = 0
    for (let n = 0; n < text.length; n++) {
      const code = text.charCodeAt(n)
      out[length++] = tables[code < FIRST_PAIR ? code : 128 * (code - FIRST_PAIR + 1) + text.charCodeAt(++n)] as number
    }
    return out.slice(0, length)
  }
}
