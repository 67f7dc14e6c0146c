// Bytes as text, for the binaries inside of lstm-wasm/core. src/runtime/bytes-of-text.ts is the way back.
//
// 88 characters stand for the commonest bytes, and a pair of characters, of which the first is one of two others, for any other byte. So
// a text compresses as well as its bytes: hexadecimal digits take 11 % more, base64 44 %.

/** Characters from # to ~, without those that a string in quotes has to escape. */
export const ALPHABET = Array.from({ length: 92 }, (_, n) => String.fromCharCode(35 + n)).filter((char) => !"'\\".includes(char))
/** Bytes that have a character of their own. */
export const SINGLES = 88

/**
 * The commonest bytes, as a mark for each byte from 0 to 255: `1` where it has a character of its own, else `0`.
 * @param {Uint8Array} bytes
 */
export function commonestBytes(bytes) {
  const counts = new Array(256).fill(0)
  for (const byte of bytes) counts[byte]++
  const commonest = new Set([...counts.keys()].sort((a, b) => counts[b] - counts[a] || a - b).slice(0, SINGLES))
  return counts.map((_, byte) => Number(commonest.has(byte))).join('')
}

/** @param {Uint8Array} bytes @param {string} commonest as `commonestBytes` gives it */
export function textOf(bytes, commonest) {
  let [singles, pairs] = [0, 0]
  const codes = Array.from(commonest, (mark) => {
    if (mark === '1') return ALPHABET[singles++]
    const pair = `${ALPHABET[SINGLES + Math.floor(pairs / ALPHABET.length)]}${ALPHABET[pairs % ALPHABET.length]}`
    pairs++
    return pair
  })
  return Array.from(bytes, (byte) => codes[byte]).join('')
}
