/** The lowbias32 hash: uint32 -> uint32. */
function mix32(value: number) {
  let z = value ^ (value >>> 16)
  z = Math.imul(z, 0x21f0aaad)
  z ^= z >>> 15
  z = Math.imul(z, 0x735a2d97)
  return (z ^ (z >>> 15)) >>> 0
}

/** `length` float32 values in [-scale, scale), the same for the same seed on every machine. */
export function pseudoRandom(seed: number, length: number, scale: number) {
  const start = mix32(seed)
  const values = new Float32Array(length)
  const scale32 = Math.fround(scale)
  for (let n = 0; n < length; n++) values[n] = ((mix32(start + n) >>> 8) - 2 ** 23) / 2 ** 23 * scale32
  return values
}
