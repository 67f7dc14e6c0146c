import { ready } from '../ready.mjs'
import { tell } from '../tell.mjs'
import { Meters } from './meters.mjs'
import { openModel, SAMPLE_RATE } from './models.mjs'
import { Rig } from './rig.mjs'
import { makeRiff } from './riff.mjs'

const element = (id) => document.getElementById(id)
const LABELS = { riff: 'Play the riff', microphone: 'Use the microphone' }
const SETTINGS = { gain: ' dB', mix: ' %', level: ' dB' }

let context
let rig
let meters
/** What is played: an audio node to connect, and how to stop it. */
let source
let opened = await tell(() => openModel())

for (const id of ['riff', 'microphone']) element(id).disabled = opened === undefined
showModel()
showSettings()

for (const id of Object.keys(SETTINGS)) element(id).addEventListener('input', showSettings)
element('riff').addEventListener('click', () => tell(() => play('riff', startRiff)))
element('microphone').addEventListener('click', () => tell(() => play('microphone', startMicrophone)))
element('file').addEventListener('change', ({ target }) => {
  if (target.files.length > 0) void change(target.files[0])
  target.value = ''
})
element('own').addEventListener('click', () => change())
document.addEventListener('dragover', (event) => event.preventDefault())
document.addEventListener('drop', (event) => {
  event.preventDefault()
  if (event.dataTransfer.files.length > 0) void change(event.dataTransfer.files[0])
})
ready()

/** Starts or stops one of the two buttons' sources. */
async function play(id, start) {
  const wasPlaying = element(id).getAttribute('aria-pressed') === 'true'
  source?.stop()
  source = undefined
  for (const other of ['riff', 'microphone']) showPlaying(other, false)
  if (wasPlaying) return
  await startAudio()
  source = await start()
  source.node.connect(rig.input)
  showPlaying(id, true)
}

function showPlaying(id, isPlaying) {
  element(id).setAttribute('aria-pressed', String(isPlaying))
  element(id).textContent = isPlaying ? 'Stop' : LABELS[id]
}

/** Browsers let audio begin after a click only. */
async function startAudio() {
  if (context === undefined) {
    context = new AudioContext({ sampleRate: SAMPLE_RATE, latencyHint: 'interactive' })
    const made = new Rig(context)
    await made.use(opened.model, showLoad)
    made.output.connect(context.destination)
    meters = new Meters(context, made)
    rig = made
    showSettings()
  }
  element('message').textContent = 'waiting for the sound device ...'
  await context.resume()
  element('message').textContent = ''
  meters.start()
}

async function startRiff() {
  const samples = makeRiff(SAMPLE_RATE)
  const buffer = context.createBuffer(1, samples.length, SAMPLE_RATE)
  buffer.copyToChannel(samples, 0)
  const node = new AudioBufferSourceNode(context, { buffer, loop: true })
  node.start()
  return { node, stop: () => node.disconnect() }
}

async function startMicrophone() {
  const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false }
  const stream = await navigator.mediaDevices.getUserMedia({ audio })
  const node = context.createMediaStreamSource(stream)
  const stop = () => {
    node.disconnect()
    for (const track of stream.getTracks()) track.stop()
  }
  return { node, stop }
}

/** Another model takes over while the music plays; one that cannot be used changes nothing. */
async function change(file) {
  await tell(async () => {
    const next = await openModel(file)
    await rig?.use(next.model, showLoad)
    opened?.model.dispose()
    opened = next
    showModel()
    for (const id of ['riff', 'microphone']) element(id).disabled = false
    return next
  })
}

function showSettings() {
  const values = Object.fromEntries(Object.keys(SETTINGS).map((id) => [id, Number(element(id).value)]))
  for (const [id, unit] of Object.entries(SETTINGS)) element(`${id}-value`).value = `${values[id]}${unit}`
  rig?.set({ ...values, mix: values.mix / 100 })
}

function showLoad(load) {
  element('load').value = load * 100
  element('load-value').textContent = `${(load * 100).toFixed(1)} %`
}

function showModel() {
  if (opened === undefined) return
  const { name, layers, parameters, speed, sampleRate } = opened
  const facts = {
    'Model': name,
    'Layers': layers,
    'Parameters': parameters.toLocaleString('en'),
    'Speed here': `${Math.round(speed)} times faster than real time`,
    ...(sampleRate !== undefined && sampleRate !== SAMPLE_RATE && { 'Sample rate': `made for ${sampleRate} Hz, played at ${SAMPLE_RATE} Hz: it will sound different` }),
  }
  element('about').replaceChildren(...Object.entries(facts).flatMap(([term, fact]) => [make('dt', term), make('dd', fact)]))
}

function make(tag, text) {
  return Object.assign(document.createElement(tag), { textContent: text })
}
