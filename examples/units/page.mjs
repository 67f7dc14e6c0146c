import { load } from 'lstm-wasm'
import { tell } from '../tell.mjs'
import { curveColour, drawCurves } from './chart.mjs'
import { makePad } from './pad.mjs'
import { afterEachRow, drawRows } from './recognition.mjs'

const element = (id) => document.getElementById(id)
const format = (number) => number.toLocaleString('en')

let worker
let curves = []
const models = new Map()
const pad = makePad(element('pad'), (image) => recognise(image))

element('train').addEventListener('click', () => (worker === undefined ? tell(train) : stop()))
element('clear').addEventListener('click', () => pad.clear())
element('which').addEventListener('change', () => recognise(pad.image))
for (const name of ['resize', 'themechange']) addEventListener(name, draw)
draw()

/** Everything that is ticked, one after the other, on a thread of its own. */
async function train() {
  const units = [...document.querySelectorAll('#units input:checked')].map(({ value }) => Number(value))
  if (units.length === 0) throw new Error('Tick at least one number of units.')
  curves = []
  element('results').replaceChildren()
  element('train').textContent = 'Stop'
  worker = new Worker(new URL('worker.mjs', import.meta.url), { type: 'module' })
  worker.addEventListener('message', ({ data }) => tell(() => hear(data)))
  worker.addEventListener('error', ({ message }) => tell(() => {
    stop()
    throw new Error(message)
  }))
  worker.postMessage({ units, epochs: Number(element('epochs').value), count: Number(element('count').value) })
}

function stop() {
  worker?.terminate()
  worker = undefined
  element('train').textContent = 'Train'
  element('state').textContent = ''
  element('progress').value = 0
}

async function hear({ reading, units, progress, result, done, error }) {
  if (error !== undefined) {
    stop()
    throw new Error(error)
  }
  if (reading) element('state').textContent = 'reading 60,000 images ...'
  if (done) stop()
  if (progress !== undefined) {
    const curve = curves.find((known) => known.units === units) ?? add(units)
    curve.points.push(progress)
    element('progress').value = progress.done / progress.total
    element('state').textContent = `${units} units: loss ${progress.loss.toFixed(3)}, accuracy ${(progress.accuracy * 100).toFixed(1)} %`
    draw()
  }
  if (result === undefined) return
  const { parameters, seconds, accuracy, file } = result
  const row = element('results').insertRow()
  for (const text of [units, format(parameters), `${seconds.toFixed(1)} s`, `${(accuracy * 100).toFixed(2)} %`]) row.insertCell().textContent = text
  models.get(units)?.dispose()
  models.set(units, await load(new Uint8Array(file)))
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
