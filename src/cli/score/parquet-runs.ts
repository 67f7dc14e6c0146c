// Runs of small integers, as Parquet packs levels and indices of dictionaries: run lengths and packed bits in turn.
import { LstmError } from '../../index.ts'

/**
 * Reads `count` integers of `width` bits.
 * Source: https://parquet.apache.org/docs/file-format/data-pages/encodings/ (RLE / bit-packing hybrid)
 *
 * @throws LstmError `FORMAT` where the bytes end before
 */
export function readRuns<Integers extends Uint8Array | Uint32Array>(bytes: Uint8Array, width: number, values: Integers): Integers {
  if (width > 32) throw damaged(`integers of ${width} bits`)
  let [at, seen] = [0, 0]
  const next = (): number => {
    if (at >= bytes.length) throw damaged(`${values.length} values, of which ${seen} are there`)
    return bytes[at++] as number
  }
  const header = (): number => {
    let [value, scale] = [0, 1]
    for (;;) {
      const byte = next()
      value += (byte & 127) * scale
      if (byte < 128) return value
      scale *= 128
      if (scale > 2 ** 35) throw damaged('a run of more than 32 bits')
    }
  }
  while (seen < values.length) {
    const head = header()
    if (head % 2 === 0) {
      let value = 0
      for (let bits = 0; bits < width; bits += 8) value += next() * 2 ** bits
      const end = Math.min(values.length, seen + head / 2)
      values.fill(value, seen, end)
      seen = end
      continue
    }
    const end = Math.min(values.length, seen + (head - 1) * 4)
    let [window, bits] = [0, 0]
    while (seen < end) {
      // At most 31 + 8 bits: beyond those of `|`.
      while (bits < width) {
        window += next() * 2 ** bits
        bits += 8
      }
      const rest = Math.floor(window / 2 ** width)
      values[seen++] = window - rest * 2 ** width
      window = rest
      bits -= width
    }
    // The last packed group is whole even where its values are not all meant.
    if (seen === values.length) return values
  }
  return values
}

/** A file that is not what it says. */
export function damaged(what: string): LstmError {
  return new LstmError('FORMAT', `the Parquet file is damaged: ${what}`)
}
