// Two recordings of the same playing: what goes into an amplifier, and what comes out of it.
import { makeRiff } from '../amp/riff.mjs'
import { amplify } from './amplifier.mjs'
import { readWav } from '../vad/wav.mjs'

const SAMPLE_RATE = 48_000
const MOST_SECONDS = 180
const LEAST_SECONDS = 2
/** Sound cards and plugins are late by less than that. */
const MOST_LATENCY_SECONDS = 0.25
const EXAMPLE_LATENCY = 173

/** A guitar and an amplifier that are both made of formulas, the second one late, as recordings are. */
export function makeSounds() {
  const riff = makeRiff(SAMPLE_RATE)
  const quiet = riff.map((sample) => 0.3 * sample).reverse()
  const clean = Float32Array.from({ length: riff.length + quiet.length }, (_, n) => (n < quiet.length ? quiet[n] : riff[n - quiet.length]))
  const amplified = new Float32Array(clean.length)
  amplified.set(amplify(clean, SAMPLE_RATE).subarray(0, clean.length - EXAMPLE_LATENCY), EXAMPLE_LATENCY)
  return { clean, amplified, sampleRate: SAMPLE_RATE }
}

/** @param files bytes of two WAV files, and their names @throws Error for what is none, or too short, and for two sample rates */
export function readSounds(clean, amplified) {
  const [before, after] = [clean, amplified].map(({ name, bytes }) => {
    try {
      return readWav(bytes)
    } catch (error) {
      throw new Error(`${name}: ${error.message}`, { cause: error })
    }
  })
  const { sampleRate } = before
  if (after.sampleRate !== sampleRate) throw new Error(`expected one sample rate, got ${sampleRate} Hz of ${clean.name} and ${after.sampleRate} Hz of ${amplified.name}`)
  const length = Math.min(before.samples.length, after.samples.length, MOST_SECONDS * sampleRate)
  if (length < LEAST_SECONDS * sampleRate) throw new Error(`expected ${LEAST_SECONDS} seconds or more of both, got ${(length / sampleRate).toFixed(1)}`)
  return { clean: before.samples.subarray(0, length), amplified: after.samples.subarray(0, length), sampleRate }
}

/**
 * Both with the latency taken out.
 * @returns { clean, amplified, sampleRate, latency }: latency in samples, below 0 where the amplified recording is early
 */
export function align({ clean, amplified, sampleRate }) {
  const latency = findLatency(clean, amplified, Math.round(MOST_LATENCY_SECONDS * sampleRate))
  const [late, early] = [Math.max(0, latency), Math.max(0, -latency)]
  const length = clean.length - late - early
  return { clean: clean.subarray(early, early + length), amplified: amplified.subarray(late, late + length), sampleRate, latency }
}

const WINDOW = 2 ** 15

/**
 * By how many samples the second sound is late: where the correlation of both is largest, whichever sign it has. One sample less is said, since a model
 * cannot know what comes. Slopes are compared, not sounds: their correlation is narrow.
 */
export function findLatency(clean, amplified, most) {
  const begin = loudestWindow(clean)
  const [re, im] = [new Float64Array(2 * WINDOW), new Float64Array(2 * WINDOW)]
  for (let n = 0; n < WINDOW && begin + n + 1 < clean.length; n++) {
    re[n] = clean[begin + n + 1] - clean[begin + n]
    im[n] = amplified[begin + n + 1] - amplified[begin + n]
  }
  if (!re.some(Boolean)) throw new Error('the clean recording is silent')
  if (!im.some(Boolean)) throw new Error('the amplified recording is silent')
  fourier(re, im)
  // Both are real, and were transformed as one: A and B of them; the correlation is that of conj(A) B.
  const size = re.length
  const [productRe, productIm] = [new Float64Array(size), new Float64Array(size)]
  for (let k = 0; k < size; k++) {
    const j = (size - k) % size
    const [aRe, aIm, bRe, bIm] = [(re[k] + re[j]) / 2, (im[k] - im[j]) / 2, (im[k] + im[j]) / 2, (re[j] - re[k]) / 2]
    productRe[k] = aRe * bRe + aIm * bIm
    productIm[k] = -(aRe * bIm - aIm * bRe) // conjugated: the transform of that is the inverse
  }
  fourier(productRe, productIm)
  let best = 0
  for (let lag = -most; lag <= most; lag++) if (Math.abs(productRe[(lag + size) % size]) > Math.abs(productRe[(best + size) % size])) best = lag
  return best - 1
}

/** Where the window with the most energy begins. */
function loudestWindow(samples) {
  const step = WINDOW / 4
  let [best, most] = [0, -1]
  for (let begin = 0; begin === 0 || begin + WINDOW <= samples.length; begin += step) {
    const energy = samples.subarray(begin, begin + WINDOW).reduce((sum, sample) => sum + sample * sample, 0)
    if (energy > most) [best, most] = [begin, energy]
  }
  return best
}

/** In place; the length is a power of 2 (J. Cooley, J. Tukey, 1965). */
function fourier(re, im) {
  const size = re.length
  for (let n = 1, reversed = 0; n < size; n++) {
    let bit = size >> 1
    for (; reversed & bit; bit >>= 1) reversed ^= bit
    reversed ^= bit
    if (n < reversed) [re[n], re[reversed], im[n], im[reversed]] = [re[reversed], re[n], im[reversed], im[n]]
  }
  for (let half = 1; half < size; half *= 2) {
    for (let k = 0; k < half; k++) {
      const [cosine, sine] = [Math.cos(Math.PI * k / half), -Math.sin(Math.PI * k / half)]
      for (let a = k; a < size; a += 2 * half) {
        const b = a + half
        const [x, y] = [re[b] * cosine - im[b] * sine, re[b] * sine + im[b] * cosine]
        re[b] = re[a] - x
        im[b] = im[a] - y
        re[a] += x
        im[a] += y
      }
    }
  }
}
