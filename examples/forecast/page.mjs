import { tell } from '../tell.mjs'
import { drawCurves } from '../units/chart.mjs'
import { readCsv } from './csv.mjs'
import { drawForecast } from './plot.mjs'
import { makeLoad } from './series.mjs'
import { cutWindows, naiveForecast, rootMeanSquare } from './windows.mjs'

/** Enough for two years of hours; of longer series the last ones are taken. */
const MOST_ROWS = 20_000
const MOST_BYTES = 64e6
const ROWS_A_PICTURE = 168

const element = (id) => document.getElementById(id)
const format = (number) => number.toLocaleString('en')

let columns
let training
let points = []
let latest // the last forecast, and the values that it is for

element('file').addEventListener('change', ({ target }) => open(target.files[0]).finally(() => (target.value = '')))
element('own').addEventListener('click', () => tell(() => use([makeLoad()], 'made of formulas')))
element('column').addEventListener('change', choose)
element('past').addEventListener('change', choose)
element('ahead').addEventListener('change', choose)
element('train').addEventListener('click', () => tell(training === undefined ? train : stop))
element('from').addEventListener('input', draw)
addEventListener('dragover', (event) => {
  event.preventDefault()
  document.body.classList.add('dropping')
})
addEventListener('dragleave', () => document.body.classList.remove('dropping'))
addEventListener('drop', (event) => {
  event.preventDefault()
  document.body.classList.remove('dropping')
  open(event.dataTransfer.files[0])
})
for (const name of ['resize', 'themechange']) addEventListener(name, draw)
use([makeLoad()], 'made of formulas')

function open(file) {
  return tell(async () => {
    if (file === undefined) return
    if (file.size > MOST_BYTES) throw new Error(`${file.name}: expected up to ${format(MOST_BYTES / 1e6)} MB, got ${format(Math.round(file.size / 1e6))}`)
    const text = await file.text()
    try {
      use(readCsv(text), file.name)
    } catch (error) {
      throw new Error(`${file.name}: ${error.message}`, { cause: error })
    }
  })
}

/** Columns to choose from. What is being trained ends: it is of other numbers. */
function use(given, origin) {
  columns = given.map(({ name, values }) => ({ name, rows: values.length, values: values.slice(-MOST_ROWS), origin }))
  element('column').replaceChildren(...columns.map(({ name }, n) => new Option(name, n)))
  element('column').value = columns.length - 1
  choose()
}

function choose() {
  end()
  points = []
  latest = undefined
  element('errors').replaceChildren()
  const { name, rows, values, origin } = column()
  element('about').textContent = `${name}: ${format(rows)} rows, ${origin}${rows > values.length ? `; the last ${format(values.length)} are taken` : ''}`
  const begin = Math.floor(values.length * 0.8)
  element('from').min = 0
  element('from').max = Math.max(0, values.length - ROWS_A_PICTURE)
  element('from').value = Math.min(begin, Number(element('from').max))
  draw()
}

function column() {
  return columns[element('column').value]
}

function options() {
  return Object.fromEntries(['past', 'ahead', 'units', 'epochs'].map((name) => [name, Number(element(name).value)]))
}

function train() {
  const { values } = column()
  cutWindows(values, options()) // tells what is wrong before anything starts
  points = []
  element('train').textContent = 'Stop'
  element('state').textContent = 'cutting windows ...'
  training = new Worker(new URL('worker.mjs', import.meta.url), { type: 'module' })
  training.addEventListener('message', ({ data }) => tell(() => hear(data, values)))
  training.addEventListener('error', ({ message }) => tell(() => {
    end()
    throw new Error(message)
  }))
  training.postMessage({ values, options: options() })
}

/** What has been learnt by now still forecasts: the worker answers once more. */
function stop() {
  training.postMessage({ stop: true })
}

function end() {
  training?.terminate()
  training = undefined
  element('train').textContent = 'Train'
  element('progress').value = 0
  element('state').textContent = ''
}

function hear({ progress, forecast, done, error }, values) {
  if (error !== undefined) {
    end()
    throw new Error(error)
  }
  if (progress !== undefined) {
    points.push(progress)
    element('progress').value = progress.done / progress.total
    element('state').textContent = `epoch ${progress.epoch}: loss ${progress.loss.toFixed(4)} after ${progress.seconds.toFixed(1)} s`
  }
  if (forecast !== undefined) {
    latest = forecast
    showErrors(values)
  }
  draw()
  if (!done) return
  end()
  element('state').textContent = `trained: ${points.at(-1)?.seconds.toFixed(1) ?? 0} s`
}

/** The LSTM beside what needs none: the last value that is known, and the same row a day and a week before, where rows are hours. */
function showErrors(values) {
  const { begins, forecast } = latest
  const ahead = forecast.length / begins.length
  const error = rootMeanSquare(forecast, values, begins[0])
  const naive = [[0, 'the last value known'], [24, '24 rows before'], [168, '168 rows before']].filter(([lag]) => lag <= begins[0])
  const rows = naive.map(([lag, name]) => [name, rootMeanSquare(naiveForecast(values, begins, ahead, lag), values, begins[0])])
  element('errors').replaceChildren()
  for (const [name, value] of [['LSTM', error], ...rows]) {
    const row = element('errors').insertRow()
    row.className = name === 'LSTM' ? 'first' : ''
    for (const text of [name, value.toPrecision(3), `${(value / error).toFixed(2)} x`]) row.insertCell().textContent = text
  }
}

function draw() {
  const { values } = column()
  const from = Number(element('from').value)
  const count = Math.min(ROWS_A_PICTURE, values.length)
  element('from-value').value = format(from)
  element('span').textContent = `${format(from)} to ${format(from + count - 1)}`
  drawForecast(element('plot'), values, latest, from, count)
  drawCurves(element('losses'), [{ points }], 'loss')
}
