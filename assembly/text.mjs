// Bytes as text, for the binaries inside of lstm-wasm/core. src/runtime/bytes-of-text.ts is the way back.
//
// 88 characters stand for the commonest bytes, and a pair of characters, of which the first is one of two others, for any other byte. So
// a text compresses as well as its bytes: hexadecimal digits take 11 % more, base64 44 %.

/** Characters from # to ~, without those that a string in quotes has to escape. */
export const ALPHABET = Array.from({ length: 92 }, (_, n) => String.fromCharCode(35 + n)).filter((char) => !"'\\".includes(char))
/** Bytes that have a character of their own. */
export const SINGLES = 88

/** The commonest bytes, the most frequent first. @param {Uint8Array} bytes */
export function commonestBytes(bytes) {
  const counts = new Array(256).fill(0)
  for (const byte of bytes) counts[byte]++
  return [...counts.keys()].sort((a, b) => counts[b] - counts[a] || a - b).slice(0, SINGLES)
}

/** @param {Uint8Array} bytes @param {readonly number[]} commonest */
export function textOf(bytes, commonest) {
  const others = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => !commonest.includes(byte))
  const codes = /** @type {string[]} */ ([])
  commonest.forEach((byte, n) => (codes[byte] = /** @type {string} */ (ALPHABET[n])))
  others.forEach((byte, n) => (codes[byte] = `${ALPHABET[SINGLES + Math.floor(n / ALPHABET.length)]}${ALPHABET[n % ALPHABET.length]}`))
  return Array.from(bytes, (byte) => codes[byte]).join('')
}
