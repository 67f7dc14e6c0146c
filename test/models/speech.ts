// What the tests of voice detection have in common.

/** Samples of the frame before that a frame begins with. */
export const CONTEXT = 64
/** New samples of a frame. */
export const FRAME = 512

/** Samples of a 16-bit WAV file, as float32 in [-1, 1). */
export function samplesOf(wav: Buffer): Float32Array {
  const begin = wav.indexOf('data') + 8
  return Float32Array.from({ length: (wav.length - begin) >> 1 }, (_, n) => wav.readInt16LE(begin + 2 * n) / 32768)
}
