// Silero VAD v5 (S. Veysov, MIT): is someone speaking in these 512 samples at 16 kHz? From the npm package
// @ricky0123/vad-web, as it is shipped, and the same network in float64.
import { readBytes } from './files.ts'
import { ROOT } from './places.ts'
import { referenceStep } from './reference.ts'

export const SILERO_SAMPLES = 576 // 64 of the frame before, and 512
export const SILERO_UNITS = 128
const PADDING = 64
const BINS = 129

/** The encoder: four convolutions of 3 with ReLU, [channels in, out, stride]. */
const ENCODER = [[BINS, 128, 1], [128, 64, 2], [64, 64, 2], [64, 128, 1]]

/** Multiplications and additions of one frame: STFT, encoder, LSTM, output. */
export const SILERO_FLOPS = 2 * 2 * BINS * 256 * 4
  + 2 * 3 * (BINS * 128 * 4 + 128 * 64 * 2 + 64 * 64 + 64 * 128)
  + 8 * SILERO_UNITS * 2 * SILERO_UNITS + 2 * SILERO_UNITS

export const SILERO_SAMPLE_RATE = 16000

export function readSilero() {
  return readBytes(new URL('node_modules/@ricky0123/vad-web/dist/silero_vad_v5.onnx', ROOT))
}

interface Convolution {
  readonly weight: ArrayLike<number>
  readonly bias?: ArrayLike<number>
  readonly channels: number
  readonly outputs: number
  readonly kernel: number
  readonly stride: number
  readonly pad: number
}

/**
 * y[o, t] = b[o] + sum of w[o, i, k] x[i, t stride - pad + k]
 * @param x [channels, length]
 */
function convolve(x: Float64Array, { weight, bias, channels, outputs, kernel, stride, pad }: Convolution) {
  const length = x.length / channels
  const frames = Math.floor((length + 2 * pad - kernel) / stride) + 1
  return Float64Array.from({ length: outputs * frames }, (_, at) => {
    const [o, t] = [Math.floor(at / frames), at % frames]
    let sum = bias?.[o] ?? 0
    for (let i = 0; i < channels; i++) {
      for (let k = 0; k < kernel; k++) {
        const position = t * stride - pad + k
        if (position >= 0 && position < length) sum += weight[(o * channels + i) * kernel + k] * x[i * length + position]
      }
    }
    return sum
  })
}

/** The probability of speech of each frame, the state carried on. */
export async function sileroReference(bytes: Uint8Array, frames: readonly Float32Array[]) {
  // Late, so that whoever needs only the sizes above does not load the library.
  const { readGraph } = await import('lstm-wasm')
  const { constants } = await readGraph(bytes, { constants: { sr: SILERO_SAMPLE_RATE } })
  const named = (end: string) => {
    const found = [...constants].find(([name]) => name.endsWith(end))
    if (found === undefined) throw new Error(`Silero VAD: no tensor ${end}`)
    return Float64Array.from(found[1].data)
  }
  const cell = {
    inputWeights: named('forward.inputWeights'), recurrentWeights: named('forward.recurrentWeights'),
    inputBias: named('forward.inputBias'), recurrentBias: named('forward.recurrentBias'),
  }
  const basis = named('forward_basis_buffer')
  const encoder = ENCODER.map(([channels, outputs, stride], n) => ({
    weight: named(`encoder.${n}.reparam_conv.weight`), bias: named(`encoder.${n}.reparam_conv.bias`), channels, outputs, kernel: 3, stride, pad: 1,
  }))
  const [weight, [bias]] = [named('decoder.decoder.2.weight'), named('decoder.decoder.2.bias')]
  const c = new Float64Array(SILERO_UNITS)
  let h: Float64Array = new Float64Array(SILERO_UNITS)
  return frames.map((frame) => {
    const mirrored = Array.from({ length: PADDING }, (_, n) => frame[SILERO_SAMPLES - 2 - n])
    const spectrum = convolve(Float64Array.from([...frame, ...mirrored]), { weight: basis, channels: 1, outputs: 2 * BINS, kernel: 256, stride: 128, pad: 0 })
    const half = spectrum.length / 2 // real parts, then imaginary ones
    let x = Float64Array.from({ length: half }, (_, n) => Math.hypot(spectrum[n], spectrum[half + n]))
    for (const layer of encoder) x = convolve(x, layer).map((value) => Math.max(0, value))
    h = referenceStep(cell, { inputSize: SILERO_UNITS, hiddenSize: SILERO_UNITS, x, begin: 0, h, c, state: 0 })
    const sum = h.reduce((total, value, unit) => total + Math.max(0, value) * weight[unit], bias)
    return Float64Array.of(1 / (1 + Math.exp(-sum)))
  })
}
