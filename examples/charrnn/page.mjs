import { generate } from './generate.mjs'
import { makeModel } from './model.mjs'

/** Characters a second; the last is as many as there is time for. */
const PACES = [15, 60, 250, 1000, Infinity]
const MOST_CHARACTERS = 20_000
const MILLISECONDS_A_PICTURE = 10

const element = (id) => document.getElementById(id)

let writing
let loaded
try {
  const response = await fetch(new URL('moby-dick.safetensors', import.meta.url))
  if (!response.ok) throw new Error(`the model cannot be fetched: ${response.status} ${response.statusText}`)
  loaded = await makeModel(new Uint8Array(await response.arrayBuffer()))
  element('message').textContent = `${loaded.model.describe().parameters.toLocaleString('en')} parameters are ready`
  element('go').disabled = false
} catch (error) {
  element('message').classList.add('bad')
  element('message').textContent = error.message
}

showSettings()
element('prompt').addEventListener('input', showUnknown)
showUnknown() // what has been typed while the model came
element('temperature').addEventListener('input', showSettings)
element('pace').addEventListener('input', showSettings)
element('form').addEventListener('submit', (event) => {
  event.preventDefault()
  if (loaded === undefined) return
  if (writing === undefined) begin()
  else end()
})

function pace() {
  return PACES[element('pace').value]
}

function showSettings() {
  element('temperature-value').value = Number(element('temperature').value).toFixed(2)
  element('pace-value').value = Number.isFinite(pace()) ? `${pace()} characters a second` : 'as fast as it can'
}

/** Characters of the prompt that the novel does not have are left out, and said to be. */
function showUnknown() {
  const unknown = [...new Set(element('prompt').value)].filter((character) => loaded !== undefined && !loaded.characters.includes(character))
  element('unknown').textContent = unknown.length === 0 ? '' : `The novel has no ${unknown.map((character) => `“${character}”`).join(', ')}: left out.`
}

function begin() {
  element('message').textContent = ''
  const prompt = element('prompt').value
  const beginning = Object.assign(document.createElement('span'), { className: 'prompt', textContent: prompt })
  const text = document.createTextNode('')
  element('text').replaceChildren(beginning, text)
  element('go').textContent = 'Stop'
  writing = {
    writer: generate(loaded, { prompt, temperature: () => Number(element('temperature').value) }),
    text, owed: 0, written: 0, milliseconds: 0, before: performance.now(),
  }
  requestAnimationFrame(write)
}

function end() {
  writing.writer.return()
  writing = undefined
  element('go').textContent = 'Write'
}

/** Between two pictures: as many characters as the pace says, and time allows. */
function write(now) {
  if (writing === undefined) return
  const { writer, text } = writing
  const isFree = !Number.isFinite(pace())
  writing.owed = isFree ? MOST_CHARACTERS : writing.owed + pace() * Math.max(0, now - writing.before) / 1000
  writing.before = now
  const start = performance.now()
  let piece = ''
  while (writing.owed >= 1 && writing.written < MOST_CHARACTERS && performance.now() - start < MILLISECONDS_A_PICTURE) {
    piece += writer.next().value
    writing.owed--
    writing.written++
  }
  writing.milliseconds += performance.now() - start
  if (isFree) writing.owed = 0
  if (piece !== '') show(text, piece)
  if (writing.written < MOST_CHARACTERS) requestAnimationFrame(write)
  else end()
}

/** Scrolls on, unless somebody has scrolled back to read. */
function show(text, piece) {
  const box = element('text')
  const isAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40
  text.appendData(piece.replaceAll('\n', '\n\n'))
  if (isAtEnd) box.scrollTop = box.scrollHeight
  const { written, milliseconds } = writing
  element('speed').textContent = `${written.toLocaleString('en')} characters; it could write ${Math.round(written / milliseconds * 1000).toLocaleString('en')} a second`
}
