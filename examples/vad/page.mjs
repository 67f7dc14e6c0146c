import { ready } from '../ready.mjs'
import { tell } from '../tell.mjs'
import { createDetector, detectAll, findSpeech, FRAME, SAMPLE_RATE } from './detector.mjs'
import { loudnessOf } from './loudness.mjs'
import { listen } from './microphone.mjs'
import { drawPlot } from './plot.mjs'
import { makeVoice } from './voice.mjs'

const SECONDS_A_FRAME = FRAME / SAMPLE_RATE
const LIVE_FRAMES = Math.round(12 / SECONDS_A_FRAME)

const STOP = 'Stop'

const element = (id) => document.getElementById(id)

/** Ends what is going on: sound that plays, or a microphone. */
let stop = () => undefined
const detector = await tell(() => createDetector())
element('verdict').textContent = detector === undefined ? 'no model' : 'ready'
for (const id of ['example', 'microphone', 'file']) element(id).disabled = detector === undefined

element('example').addEventListener('click', () => tell(async () => {
  if (isPlayingExample()) stop()
  else await playAndDetect(makeVoice(SAMPLE_RATE), element('example'))
}))
element('file').addEventListener('change', ({ target }) => {
  const [file] = target.files
  target.value = ''
  if (file !== undefined) void tell(async () => playAndDetect(await decode(file)))
})
element('microphone').addEventListener('click', () => tell(toggleMicrophone))
ready()

/** The browser decodes what it knows, mixes the channels, and resamples. */
async function decode(file) {
  const context = new OfflineAudioContext(1, 1, SAMPLE_RATE)
  const buffer = await context.decodeAudioData(await file.arrayBuffer()).catch(() => {
    throw new Error(`${file.name}: the browser knows no sound in this file`)
  })
  const mono = new Float32Array(buffer.length)
  for (let channel = 0; channel < buffer.numberOfChannels; channel++) {
    buffer.getChannelData(channel).forEach((sample, n) => (mono[n] += sample / buffer.numberOfChannels))
  }
  return mono
}

const isPlayingExample = () => element('example').textContent === STOP

/** @param button what started it, if it is to stop it, too */
async function playAndDetect(samples, button) {
  stop()
  const begin = performance.now()
  const probabilities = detectAll(detector, samples)
  const milliseconds = performance.now() - begin
  const loudness = probabilities.map((_, n) => loudnessOf(samples.subarray(n * FRAME, (n + 1) * FRAME)))
  const speech = findSpeech(probabilities)
  showFacts(samples.length / SAMPLE_RATE, milliseconds, speech)

  const context = new AudioContext()
  const buffer = context.createBuffer(1, samples.length, SAMPLE_RATE)
  buffer.copyToChannel(samples, 0)
  const node = new AudioBufferSourceNode(context, { buffer })
  node.connect(context.destination)
  node.start()
  const begun = context.currentTime
  let isPlaying = true
  const label = button?.textContent
  if (button !== undefined) button.textContent = STOP
  stop = () => {
    isPlaying = false
    if (button !== undefined) button.textContent = label
    void context.close()
    stop = () => undefined
  }
  const draw = () => {
    const frame = Math.floor((context.currentTime - begun) / SECONDS_A_FRAME)
    const cursor = isPlaying && frame < probabilities.length ? frame : undefined
    drawPlot(element('plot'), { probabilities, loudness, speech, secondsAFrame: SECONDS_A_FRAME, cursor })
    if (cursor !== undefined) {
      showVerdict(probabilities[cursor], speech.some(([from, to]) => cursor >= from && cursor < to))
      requestAnimationFrame(draw)
    } else if (isPlaying) {
      stop()
      element('verdict').textContent = 'played to the end'
      element('probability').textContent = ''
    }
  }
  draw()
}

async function toggleMicrophone() {
  const wasOn = element('microphone').getAttribute('aria-pressed') === 'true'
  stop()
  if (wasOn) return
  detector.reset()
  const probabilities = new Float32Array(LIVE_FRAMES)
  const loudness = new Float32Array(LIVE_FRAMES)
  element('speech').replaceChildren()
  element('facts').textContent = `the last ${Math.round(LIVE_FRAMES * SECONDS_A_FRAME)} seconds; nothing leaves this computer`
  const end = await listen((frame) => {
    for (const [history, value] of [[probabilities, detector.detect(frame)], [loudness, loudnessOf(frame)]]) {
      history.copyWithin(0, 1)
      history[LIVE_FRAMES - 1] = value
    }
    const speech = findSpeech(probabilities)
    showVerdict(probabilities[LIVE_FRAMES - 1], speech.at(-1)?.[1] >= LIVE_FRAMES - 8)
    drawPlot(element('plot'), { probabilities, loudness, speech, secondsAFrame: SECONDS_A_FRAME })
  })
  element('microphone').setAttribute('aria-pressed', 'true')
  stop = () => {
    end()
    element('microphone').setAttribute('aria-pressed', 'false')
    stop = () => undefined
  }
}

function showVerdict(probability, isSpeech) {
  const verdict = isSpeech ? 'speech' : 'no speech'
  // Written when it changes only: screen readers read it out.
  if (element('verdict').textContent !== verdict) element('verdict').textContent = verdict
  element('probability').textContent = `${(probability * 100).toFixed(0)} %`
}

function showFacts(seconds, milliseconds, speech) {
  element('facts').textContent
    = `${seconds.toFixed(1)} s of sound in ${milliseconds.toFixed(0)} ms: ${Math.round(seconds * 1000 / milliseconds)} times faster than real time`
  element('speech').replaceChildren(...speech.map(([from, to]) => Object.assign(document.createElement('li'), {
    textContent: `speech from ${(from * SECONDS_A_FRAME).toFixed(2)} s to ${(to * SECONDS_A_FRAME).toFixed(2)} s`,
  })))
}
