/** A field of a protocol buffer. */
export interface Field {
  readonly field: number
  /** Where its bytes begin, and how many there are; undefined for a number. */
  readonly begin: number
  readonly length: number | undefined
}

/**
 * The fields of bytes that may be a protocol buffer, without what is inside them: for telling formats apart, so it never throws.
 * The last one is undefined where the bytes are no such fields after all.
 */
export function* fieldsOf(bytes: Uint8Array): Generator<Field | undefined> {
  let position = 0
  const varint = (): number => {
    let value = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[position++]
      if (byte === undefined) return NaN
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    return NaN
  }
  while (position < bytes.length) {
    const tag = varint()
    const [field, wire] = [Math.floor(tag / 8), tag % 8]
    const value = varint()
    const begin = position
    if (wire === 2) position += value
    if (!(field >= 1) || (wire !== 0 && wire !== 2) || Number.isNaN(value) || !(position <= bytes.length)) {
      yield undefined
      return
    }
    yield { field, begin, length: wire === 0 ? undefined : value }
  }
}
