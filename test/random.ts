/** The lowbias32 hash, as in test/python/golden_lstm.py: uint32 -> uint32. */
function mix32(value: number): number {
  let z = value ^ (value >>> 16)
  z = Math.imul(z, 0x21f0aaad)
  z ^= z >>> 15
  z = Math.imul(z, 0x735a2d97)
  return (z ^ (z >>> 15)) >>> 0
}

/** `length` float32 values in [-scale, scale): `pseudo_random` of test/python/golden_lstm.py, bit for bit. */
export function pseudoRandom(seed: number, length: number, scale: number): Float32Array<ArrayBuffer> {
  const start = mix32(seed)
  const scale32 = Math.fround(scale)
  const values = new Float32Array(length)
  // k / 2^23 - 1 is exact in float32; the product is rounded by being stored.
  for (let n = 0; n < length; n++) values[n] = ((mix32(start + n) >>> 8) - 2 ** 23) / 2 ** 23 * scale32
  return values
}
