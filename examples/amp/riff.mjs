// A guitar made by code: Karplus-Strong strings, muted by hand, playing a riff of two bars.
const SECONDS_A_BEAT = 0.4 // 150 beats a minute

/** [beat, beats long, frets on the strings E A D of a chord, or one string's fret, how strongly, muted] */
const RIFF = [
  [0, 1, [0, 2, 2], 1], [1, 0.5, [0], 0.8, true], [1.5, 0.5, [0], 0.7, true], [2, 1, [3, 5, 5], 1], [3, 0.5, [0], 0.8, true], [3.5, 0.5, [0], 0.7, true],
  [4, 1, [5, 7, 7], 1], [5, 0.5, [0], 0.8, true], [5.5, 1, [3, 5, 5], 0.9], [6.5, 1.4, [0, 2, 2], 1],
  [8, 0.5, [0], 0.9, true], [8.5, 0.5, [, , 5], 0.6], [9, 0.5, [, , 7], 0.6], [9.5, 0.5, [, , 5], 0.6], [10, 0.75, [, , 2], 0.7], [10.75, 0.75, [, 5], 0.7],
  [11.5, 0.5, [, 2], 0.7], [12, 3.9, [0, 2, 2], 1],
]
const BEATS = 16
const OPEN_STRINGS = [82.41, 110, 146.83] // E A D in hertz

/** The riff as float32 samples, the loudest of them 0.9; the same numbers every time. */
export function makeRiff(sampleRate) {
  const riff = new Float32Array(Math.round(BEATS * SECONDS_A_BEAT * sampleRate))
  const random = noise(1)
  for (const [beat, beats, frets, strength, muted = false] of RIFF) {
    frets.forEach((fret, string) => {
      const frequency = OPEN_STRINGS[string] * 2 ** (fret / 12)
      // A plectrum takes about 8 ms from string to string.
      const begin = Math.round((beat * SECONDS_A_BEAT + string * 0.008) * sampleRate)
      const length = Math.min(Math.round(beats * SECONDS_A_BEAT * sampleRate), riff.length - begin)
      pluck({ frequency, length, strength, loss: muted ? 0.96 : 0.9985, sampleRate, random }).forEach((sample, n) => {
        riff[begin + n] += sample
      })
    })
  }
  const loudest = riff.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
  return riff.map((sample) => sample / loudest * 0.9)
}

/** A burst of noise runs round a delay line of one period, losing its treble on the way (K. Karplus, A. Strong, 1983). */
function pluck({ frequency, length, strength, loss, sampleRate, random }) {
  const period = sampleRate / frequency - 0.5 // the average of two neighbours takes half a sample
  const whole = Math.floor(period)
  const line = Float32Array.from({ length: whole + 1 }, random)
  for (let pass = 0; pass < 3; pass++) line.forEach((value, n) => (line[n] = (value + line[(n + 1) % line.length]) / 2))
  const string = new Float32Array(length)
  const fade = Math.min(length, Math.round(0.008 * sampleRate))
  for (let n = 0, previous = 0; n < length; n++) {
    const at = n % line.length
    const next = line[(at + 1) % line.length]
    // Between two samples, for a period that is no whole number of them.
    const value = line[at] * (period - whole) + next * (1 - period + whole)
    line[at] = loss * (value + previous) / 2
    previous = value
    string[n] = value * strength * Math.min(1, (length - n) / fade)
  }
  return string
}

/** Numbers from -1 to 1 from a linear congruential generator. */
function noise(seed) {
  let state = seed
  return () => (state = (Math.imul(state, 1664525) + 1013904223) | 0) / 2 ** 31
}
