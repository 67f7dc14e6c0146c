import { keepDrawn, makeTraining, takeFiles } from '../learning.mjs'
import { ready } from '../ready.mjs'
import { tell } from '../tell.mjs'
import { drawCurves } from '../chart.mjs'
import { readCsv } from './csv.mjs'
import { learn } from './learn.mjs'
import { drawForecast } from './plot.mjs'
import { makeLoad } from './series.mjs'
import { naiveForecast, rootMeanSquare } from './windows.mjs'

/** Enough for two years of hours; of longer series the last ones are taken. */
const MOST_ROWS = 20_000
const MOST_BYTES = 64e6
const ROWS_A_PICTURE = 168

const element = (id) => document.getElementById(id)
const format = (number) => number.toLocaleString('en')

let columns
/** What has been learnt when it is stopped still forecasts. */
const training = makeTraining(train)
let points = []
let latest // the last forecast, and the values that it is for

takeFiles(['file'], open)
element('own').addEventListener('click', () => tell(() => use([makeLoad()], 'made of formulas')))
element('column').addEventListener('change', choose)
element('past').addEventListener('change', choose)
element('ahead').addEventListener('change', choose)
element('from').addEventListener('input', draw)
use([makeLoad()], 'made of formulas')
keepDrawn(draw)
ready()

async function open([file]) {
  if (file === undefined) return
  if (file.size > MOST_BYTES) throw new Error(`${file.name}: expected up to ${format(MOST_BYTES / 1e6)} MB, got ${format(Math.round(file.size / 1e6))}`)
  const text = await file.text()
  try {
    use(readCsv(text), file.name)
  } catch (error) {
    throw new Error(`${file.name}: ${error.message}`, { cause: error })
  }
}

/** Columns to choose from. What is being trained ends: it is of other numbers. */
function use(given, origin) {
  columns = given.map(({ name, values }) => ({ name, rows: values.length, values: values.slice(-MOST_ROWS), origin }))
  element('column').replaceChildren(...columns.map(({ name }, n) => new Option(name, n)))
  element('column').value = columns.length - 1
  choose()
}

function choose() {
  training.end()
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

async function train({ signal, live }) {
  const { values } = column()
  points = []
  await learn(values, {
    ...options(), worker: true, signal,
    onProgress: live((progress) => {
      points.push(progress)
      const { epoch, done, total, loss, seconds } = progress
      training.show({ done, total, text: `epoch ${epoch}: loss ${loss.toFixed(4)} after ${seconds.toFixed(1)} s` })
      drawCurves(element('losses'), [{ points }], 'loss')
    }),
    onForecast: live((forecast) => {
      latest = forecast
      showErrors(values)
      draw()
    }),
  })
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
