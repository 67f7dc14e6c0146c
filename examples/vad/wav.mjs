// Reads WAV files, and changes sample rates. (Browsers have decodeAudioData for both.)

/** @returns the sample rate, and the mean of all channels as float32 samples from -1 to 1 */
export function readWav(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const text = (at) => String.fromCharCode(...bytes.subarray(at, at + 4))
  if (bytes.length < 12 || text(0) !== 'RIFF' || text(8) !== 'WAVE') throw new Error('this is no WAV file')
  let format
  // Chunks: a name, a length, contents, and a byte more where the length is odd.
  for (let at = 12; at + 8 <= bytes.length;) {
    const [name, length] = [text(at), view.getUint32(at + 4, true)]
    if (name === 'fmt ' && at + 24 <= bytes.length) {
      const code = view.getUint16(at + 8, true)
      // 0xfffe: the code proper stands in the extension.
      format = {
        code: code === 0xfffe && length >= 26 ? view.getUint16(at + 32, true) : code,
        channels: view.getUint16(at + 10, true), sampleRate: view.getUint32(at + 12, true), bits: view.getUint16(at + 22, true),
      }
    }
    if (name === 'data') return { sampleRate: format?.sampleRate, samples: decode(view, at + 8, Math.min(length, bytes.length - at - 8), format) }
    at += 8 + length + length % 2
  }
  throw new Error('this WAV file has no sound in it')
}

function decode(view, begin, length, { code, channels, bits } = {}) {
  const read = {
    '1/8': (at) => view.getUint8(at) / 128 - 1,
    '1/16': (at) => view.getInt16(at, true) / 2 ** 15,
    '1/24': (at) => (view.getInt8(at + 2) * 2 ** 16 + view.getUint16(at, true)) / 2 ** 23,
    '1/32': (at) => view.getInt32(at, true) / 2 ** 31,
    '3/32': (at) => view.getFloat32(at, true),
  }[`${code}/${bits}`]
  if (read === undefined || !(channels > 0)) throw new Error(`this WAV file has format ${code} of ${bits} bits; expected PCM of 8, 16, 24 or 32, or floats of 32`)
  const frame = channels * bits / 8
  return Float32Array.from({ length: Math.floor(length / frame) }, (_, n) => {
    let sum = 0
    for (let channel = 0; channel < channels; channel++) sum += read(begin + n * frame + channel * bits / 8)
    return sum / channels
  })
}

const ZERO_CROSSINGS = 16

/**
 * The same sound at another rate: a sinc, within a Hann window, that lets pass what both rates can hold.
 * @param shift where the first sample is taken, from 0 to 1 of the new rate's
 */
export function resample(samples, from, to, shift = 0) {
  if (from === to && shift === 0) return samples
  const cutoff = Math.min(1, to / from)
  const reach = Math.ceil(ZERO_CROSSINGS / cutoff)
  return Float32Array.from({ length: Math.floor(samples.length * to / from) }, (_, n) => {
    const centre = (n + shift) * from / to
    let sum = 0
    for (let k = Math.max(0, Math.ceil(centre - reach)); k <= Math.min(samples.length - 1, centre + reach); k++) {
      const x = k - centre
      const angle = Math.PI * x * cutoff
      const sinc = angle === 0 ? 1 : Math.sin(angle) / angle
      sum += samples[k] * cutoff * sinc * (0.5 + 0.5 * Math.cos(Math.PI * x / reach))
    }
    return sum
  })
}
