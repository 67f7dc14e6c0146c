import { clearCanvas, colourOf } from '../canvas.mjs'
import { keepDrawn, makeTraining, takeFiles } from '../learning.mjs'
import { ready } from '../ready.mjs'
import { tell } from '../tell.mjs'
import { drawCurves } from '../chart.mjs'
import { cutSounds, learn, SIZES } from './learn.mjs'
import { Player } from './player.mjs'
import { align, makeSounds, readSounds } from './sounds.mjs'

const MOST_BYTES = 200e6
const SHOWN_SECONDS = 0.03
/** Where files are dropped: names that say which recording it is. */
const AMPLIFIED_NAME = /amp|wet|out|target|effect/i

const element = (id) => document.getElementById(id)
const format = (number) => number.toLocaleString('en')
const PLAYS = ['clean', 'amplified', 'model']

const chosen = {}
const player = new Player()
let sounds
let points = []
let latest // what the last epoch told
let playing
const urls = {}

const training = makeTraining(async ({ signal, live }) => {
  points = []
  const options = Object.fromEntries(['units', 'epochs'].map((name) => [name, Number(element(name).value)]))
  await learn(sounds, { ...options, worker: true, signal, onProgress: live(showProgress), onEpoch: live(showEpoch) })
}, { stopping: 'the last epoch is judged ...' })

takeFiles(['clean', 'amplified'], open)
element('own').addEventListener('click', () => tell(() => use(makeSounds(), 'a guitar and an amplifier made of formulas')))
for (const what of PLAYS) element(`play-${what}`).addEventListener('click', () => tell(() => play(what)))
keepDrawn(draw)
ready()
void tell(() => use(makeSounds(), 'a guitar and an amplifier made of formulas'))

/** One file for an input; or one or two that are dropped, told apart by their names, else by their order. */
async function open(files, id) {
  if (files.length === 0) return
  const dropped = files.length > 1 && AMPLIFIED_NAME.test(files[0].name) && !AMPLIFIED_NAME.test(files[1].name) ? [files[1], files[0]] : files
  const names = id === undefined ? dropped.length > 1 ? ['clean', 'amplified'] : [AMPLIFIED_NAME.test(dropped[0].name) ? 'amplified' : 'clean'] : [id]
  for (const [n, name] of names.entries()) {
    const file = dropped[n]
    if (file.size > MOST_BYTES) throw new Error(`${file.name}: expected up to ${MOST_BYTES / 1e6} MB, got ${Math.round(file.size / 1e6)}`)
    chosen[name] = { name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) }
  }
  const { clean, amplified } = chosen
  if (clean !== undefined && amplified !== undefined) return use(readSounds(clean, amplified), `${clean.name} and ${amplified.name}`)
  element('about').textContent = `${(clean ?? amplified).name}: now the ${clean === undefined ? 'clean' : 'amplified'} recording`
}

/** Recordings to learn from. What is being trained ends: it is of others. */
function use(recordings, origin) {
  const aligned = align(recordings)
  cutSounds(aligned.clean, aligned.amplified, SIZES) // tells what is wrong before anything starts
  training.end()
  stopPlaying()
  latest?.model.dispose()
  sounds = aligned
  points = []
  latest = undefined
  const { clean, sampleRate, latency } = aligned
  element('about').textContent = `${origin}: ${(clean.length / sampleRate).toFixed(1)} s at ${format(sampleRate)} Hz; `
    + `the amplified one is ${format(Math.abs(latency))} samples ${latency < 0 ? 'early' : 'late'}, which is taken out`
  element('ratio').textContent = ''
  element('train').disabled = false
  for (const what of PLAYS) element(`play-${what}`).disabled = what === 'model'
  for (const id of ['save-json', 'save-nam']) element(id).setAttribute('aria-disabled', 'true')
  draw()
}

function showProgress(progress) {
  points.push(progress)
  const { epoch, done, total, loss } = progress
  training.show({ done, total, text: `epoch ${epoch}: loss ${loss.toFixed(4)}` })
  drawCurves(element('losses'), [{ points }], 'loss')
}

async function showEpoch(told) {
  const before = latest
  latest = told
  const { epoch, ratio, model } = told
  element('ratio').textContent = `error-to-signal ratio ${ratio.toFixed(4)} on playing that it was not trained with, after epoch ${epoch}`
  element('play-model').disabled = false
  const { toNam, toRtneural } = await import('../../dist/export.js') // when there is something to save
  offer('save-json', toRtneural(model, { sampleRate: sounds.sampleRate }), 'application/json')
  offer('save-nam', toNam(model, { sampleRate: sounds.sampleRate }), 'application/octet-stream')
  draw()
  await player.use(model)
  before?.model.dispose()
}

function offer(id, bytes, type) {
  if (urls[id] !== undefined) URL.revokeObjectURL(urls[id])
  urls[id] = URL.createObjectURL(new Blob([bytes], { type }))
  element(id).href = urls[id]
  element(id).removeAttribute('aria-disabled')
}

/** Starts or stops one of the three. */
async function play(what) {
  const wasPlaying = playing === what
  stopPlaying()
  if (wasPlaying) return
  await player.play(what === 'amplified' ? sounds.amplified : sounds.clean, sounds.sampleRate, what === 'model')
  playing = what
  element(`play-${what}`).setAttribute('aria-pressed', 'true')
}

function stopPlaying() {
  player.stop()
  if (playing !== undefined) element(`play-${playing}`).setAttribute('aria-pressed', 'false')
  playing = undefined
}

function draw() {
  drawCurves(element('losses'), [{ points }], 'loss')
  const { picture, width, height } = clearCanvas(element('waves'))
  if (sounds === undefined) return
  const { amplified } = latest?.heldOut ?? cutSounds(sounds.clean, sounds.amplified, SIZES).heldOut
  const count = Math.round(SHOWN_SECONDS * sounds.sampleRate)
  const begin = loudest(amplified, count)
  const most = Math.max(1e-6, ...amplified.subarray(begin, begin + count).map(Math.abs))
  for (const [samples, colour] of [[amplified, 'text'], [latest?.output, 'warm']]) {
    if (samples === undefined) continue
    picture.beginPath()
    for (let n = 0; n < count; n++) picture.lineTo(n / count * width, (0.5 - 0.42 * samples[begin + n] / most) * height)
    picture.strokeStyle = colourOf(colour)
    picture.lineWidth = 2
    picture.stroke()
  }
}

/** Where the loudest sample of the second half is: by then the model knows what was played before. */
function loudest(samples, count) {
  let best = Math.floor(samples.length / 2)
  for (let n = best; n + count < samples.length; n++) if (Math.abs(samples[n]) > Math.abs(samples[best])) best = n
  return Math.max(0, Math.min(best - (count >> 2), samples.length - count))
}
