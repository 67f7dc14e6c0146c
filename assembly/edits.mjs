// What makes one binary of another one: they differ in some hundreds of places, and a page downloads both.

/** A copied run must be at least so long to be worth two numbers. */
const SHORTEST = 8
/** Bytes by which runs are looked up. */
const KEY = 4

/**
 * The edits that make `wanted` of `base`: `inserted skip length ` for bytes that are inserted, as text, how many of the base to skip
 * (negative: to go back), and how many to copy from there.
 * @param {Buffer} base
 * @param {Buffer} wanted
 * @param {(bytes: Uint8Array) => string} textOf bytes as text, in which there is no space
 */
export function editsBetween(base, wanted, textOf) {
  /** @type {Map<number, number[]>} */
  const places = new Map()
  for (let at = 0; at + KEY <= base.length; at++) {
    const key = base.readUInt32LE(at)
    const same = places.get(key)
    if (same === undefined) places.set(key, [at])
    else same.push(at)
  }
  const edits = []
  let inserted = 0
  let at = 0
  for (let n = 0; n < wanted.length;) {
    let best = { worth: 0, from: 0, length: 0 }
    for (const from of n + KEY <= wanted.length ? places.get(wanted.readUInt32LE(n)) ?? [] : []) {
      let length = KEY
      while (from + length < base.length && n + length < wanted.length && base[from + length] === wanted[n + length]) length++
      // Runs that go on where the last one ended are told by shorter numbers.
      const skip = from - at
      const worth = length - (skip >= 0 && skip < 10 ? 0 : Math.abs(skip) < 100 ? 2 : 4)
      if (worth > best.worth) best = { worth, from, length }
    }
    if (best.worth < SHORTEST) {
      inserted++
      n++
      continue
    }
    edits.push(`${textOf(wanted.subarray(n - inserted, n))} ${best.from - at} ${best.length} `)
    inserted = 0
    at = best.from + best.length
    n += best.length
  }
  edits.push(`${textOf(wanted.subarray(wanted.length - inserted))} 0 0 `)
  return edits.join('')
}
