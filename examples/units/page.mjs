import { load } from 'lstm-wasm'
import { keepDrawn, makeTraining } from '../learning.mjs'
import { ready } from '../ready.mjs'
import { curveColour, drawCurves } from '../chart.mjs'
import { readImages } from './images.mjs'
import { learn } from './learn.mjs'
import { makePad } from './pad.mjs'
import { afterEachRow, drawRows } from './recognition.mjs'

const element = (id) => document.getElementById(id)
const format = (number) => number.toLocaleString('en')

let images // those that were read last
let curves = []
const models = new Map()
const training = makeTraining(train)
const pad = makePad(element('pad'), (image) => recognise(image))

element('clear').addEventListener('click', () => pad.clear())
element('which').addEventListener('change', () => recognise(pad.image))
keepDrawn(draw)
ready()

/** Everything that is ticked, one after the other, on a thread of its own. */
async function train({ signal, live }) {
  const units = [...document.querySelectorAll('#units input:checked')].map(({ value }) => Number(value))
  if (units.length === 0) throw new Error('Tick at least one number of units.')
  const [count, epochs] = ['count', 'epochs'].map((id) => Number(element(id).value))
  curves = []
  element('results').replaceChildren()
  if (images?.labels.length !== count) {
    element('state').textContent = 'reading 60,000 images ...'
    images = { ...await readImages('train', count), test: await readImages('t10k', 10_000) }
  }
  for (const each of units) {
    const learnt = await learn(each, images, { epochs, worker: true, signal, onProgress: live((progress) => showProgress(each, progress)) })
    await showResult(each, learnt)
  }
}

function showProgress(units, progress) {
  const curve = curves.find((known) => known.units === units) ?? add(units)
  curve.points.push(progress)
  const { done, total, loss, accuracy } = progress
  training.show({ done, total, text: `${units} units: loss ${loss.toFixed(3)}, accuracy ${(accuracy * 100).toFixed(1)} %` })
  draw()
}

async function showResult(units, { parameters, seconds, accuracy, file }) {
  const row = element('results').insertRow()
  for (const text of [units, format(parameters), `${seconds.toFixed(1)} s`, `${(accuracy * 100).toFixed(2)} %`]) row.insertCell().textContent = text
  models.get(units)?.dispose()
  models.set(units, await load(file))
  element('which').replaceChildren(...[...models.keys()].sort((a, b) => b - a).map((each) => new Option(`${each} units`, each)))
  element('which').value = units
  element('hint').textContent = 'Draw a digit: beside each of its rows is what the model holds it for by then.'
  recognise(pad.image)
}

function add(units) {
  const curve = { units, name: `${units} units`, points: [] }
  curves.push(curve)
  element('legend').replaceChildren(...curves.map(({ name }, n) => {
    const item = document.createElement('li')
    item.textContent = name
    item.style.setProperty('--colour', `var(--${curveColour(n)})`)
    return item
  }))
  return curve
}

function draw() {
  drawCurves(element('losses'), curves, 'loss')
  drawCurves(element('accuracies'), curves, 'accuracy')
}

function recognise(image) {
  const model = models.get(Number(element('which').value))
  if (image === undefined || model === undefined) return
  const probabilities = afterEachRow(model, image)
  drawRows(element('rows'), image, probabilities)
  const last = [...probabilities.subarray(-10)]
  const best = last.indexOf(Math.max(...last))
  element('answer').textContent = `${best} (${(last[best] * 100).toFixed(1)} %)`
}
