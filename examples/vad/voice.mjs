// Something to listen to, made by code: a voice of vowels between a bell, rain and silence.

/** Resonances of the vocal tract in hertz, for a man's voice (G. Peterson, H. Barney, 1952). */
const VOWELS = { a: [730, 1090, 2440], i: [270, 2290, 3010], u: [300, 870, 2240], e: [530, 1840, 2480], o: [570, 840, 2410] }
const BANDWIDTHS = [80, 100, 140]

/** [what, seconds]: vowels that glide into each other, or another sound. */
const SCENE = [
  ['silence', 0.8], ['iaeo', 1.3], ['silence', 0.5], ['bell', 1.2], ['silence', 0.3], ['ueai', 1.1], ['silence', 0.2], ['aiou', 1.2], ['rain', 1.5],
  ['oeia', 1.4], ['silence', 0.8],
]

/** The scene as float32 samples, from -1 to 1; the same every time. */
export function makeVoice(sampleRate) {
  const random = noise(7)
  const parts = SCENE.map(([what, seconds]) => {
    const length = Math.round(seconds * sampleRate)
    if (what === 'silence') return new Float32Array(length).map(() => random() * 0.001)
    if (what === 'rain') return new Float32Array(length).map(() => random() * 0.1)
    if (what === 'bell') return bell(length, sampleRate)
    return speak(what, length, sampleRate, random)
  })
  const scene = new Float32Array(parts.reduce((total, part) => total + part.length, 0))
  let position = 0
  for (const part of parts) {
    scene.set(part, position)
    position += part.length
  }
  return scene
}

/** Pulses of the vocal folds, and some breath, through three resonances whose frequencies glide from vowel to vowel. */
function speak(vowels, length, sampleRate, random) {
  const sound = new Float32Array(length)
  const states = BANDWIDTHS.map(() => [0, 0])
  let phase = 0
  let flow = 0
  for (let n = 0; n < length; n++) {
    const position = n / length
    const pitch = 125 - 35 * position + 12 * Math.sin(2 * Math.PI * 2.3 * position) + 2 * random()
    phase += pitch / sampleRate
    const isPulse = phase >= 1
    if (isPulse) phase -= 1
    // The pulse falls off as that of real folds does, 12 dB an octave, of which the lips give back 6.
    flow = 0.9 * flow + (isPulse ? 1 : 0) + 0.01 * random()
    const syllable = Math.abs(Math.sin(Math.PI * vowels.length * position)) ** 0.5
    let value = flow * syllable
    BANDWIDTHS.forEach((bandwidth, formant) => {
      value = resonate(states[formant], value, formantAt(vowels, position, formant), bandwidth, sampleRate)
    })
    sound[n] = value
  }
  const loudest = sound.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  return sound.map((value) => value / loudest * 0.5)
}

function formantAt(vowels, position, formant) {
  const place = position * (vowels.length - 1)
  const from = Math.floor(place)
  const [a, b] = [from, Math.min(from + 1, vowels.length - 1)].map((n) => VOWELS[vowels[n]][formant])
  return a + (b - a) * (place - from)
}

/** y[n] = x[n] (1 - 2 r cos w + r r) + 2 r cos(w) y[n - 1] - r r y[n - 2] */
function resonate(state, input, frequency, bandwidth, sampleRate) {
  const radius = Math.exp(-Math.PI * bandwidth / sampleRate)
  const turn = 2 * radius * Math.cos(2 * Math.PI * frequency / sampleRate)
  const output = input * (1 - turn + radius * radius) + turn * state[0] - radius * radius * state[1]
  state[1] = state[0]
  state[0] = output
  return output
}

function bell(length, sampleRate) {
  const partials = [[1, 1, 3], [2.76, 0.6, 5], [5.4, 0.3, 8]]
  return Float32Array.from({ length }, (_, n) => 0.3 * partials.reduce((sum, [ratio, loudness, fall]) =>
    sum + loudness * Math.exp(-fall * n / sampleRate) * Math.sin(2 * Math.PI * 523 * ratio * n / sampleRate), 0))
}

/** Numbers from -1 to 1 from a linear congruential generator. */
function noise(seed) {
  let state = seed
  return () => (state = (Math.imul(state, 1664525) + 1013904223) | 0) / 2 ** 31
}
