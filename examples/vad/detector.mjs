// Silero VAD (S. Veysov, MIT licence), as its npm package ships it: 512 samples at 16 kHz in, the probability of speech out.
import { load } from 'lstm-wasm'

export const SAMPLE_RATE = 16_000
/** Samples a decision: 32 ms. */
export const FRAME = 512
/** The model also sees the last samples of the frame before. */
const CONTEXT = 64

export const MODEL = new URL('../../node_modules/@ricky0123/vad-web/dist/silero_vad_v5.onnx', import.meta.url)

/** @returns an object whose `detect` takes the next 512 samples, and allocates nothing */
export async function createDetector() {
  const model = await load(MODEL, { constants: { sr: SAMPLE_RATE } })
  const stream = model.stream({ carry: { state: 'stateN' }, sizes: { 'input.1': CONTEXT + FRAME } })
  const input = new Float32Array(CONTEXT + FRAME)
  const output = new Float32Array(1)
  return {
    detect(frame) {
      input.copyWithin(0, FRAME)
      input.set(frame, CONTEXT)
      stream.step(input, output)
      return output[0]
    },
    reset() {
      input.fill(0)
      stream.reset()
    },
  }
}

/** The probabilities of a whole recording at 16 kHz, its end filled up with silence. */
export function detectAll(detector, samples) {
  detector.reset()
  const frame = new Float32Array(FRAME)
  return Float32Array.from({ length: Math.ceil(samples.length / FRAME) }, (_, n) => {
    const part = samples.subarray(n * FRAME, (n + 1) * FRAME)
    frame.fill(0)
    frame.set(part)
    return detector.detect(frame)
  })
}

/** Frames of silence that end speech, and of speech that count: a quarter of a second. */
const SHORTEST = 8

/** Where there is speech: [begin, end] in frames. It begins at a probability of 0.5, and goes on down to 0.35. */
export function findSpeech(probabilities) {
  const found = []
  let begin = -1
  let last = -1
  probabilities.forEach((probability, n) => {
    if (probability >= 0.5 && begin < 0) begin = n
    if (begin >= 0 && probability >= 0.35) last = n
    if (begin >= 0 && n - last > SHORTEST) {
      found.push([begin, last + 1])
      begin = -1
    }
  })
  if (begin >= 0) found.push([begin, last + 1])
  return found.filter(([from, to]) => to - from >= SHORTEST)
}
