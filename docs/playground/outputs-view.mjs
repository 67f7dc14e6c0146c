// What came out: bars for classes, curves for sequences, numbers for all.
import { writeNpy } from 'lstm-wasm/npy'
import { clearCanvas, cssColour, download, grouped, make, shapeText, short } from './dom.mjs'
import { dividedText, WORD_LABELS } from './values.mjs'

const MOST_BARS = 10
const MOST_CURVES = 6
const MOST_NUMBERS = 400
const COLOURS = ['gate-i', 'gate-f', 'gate-g', 'gate-o', 'text', 'bad']

/**
 * @param entry of the shelf: its `vocabulary`, and the `classes` of its output, where those are not characters, too
 * @param inputs of the run
 * @returns an element for every output; `draw` draws its curves once it is in the page
 */
export function outputElements(outputs, entry, inputs) {
  return Object.entries(outputs).map(([name, array]) => outputElement(name, array, entry, inputs))
}

function outputElement(name, { dtype, shape, data }, entry, inputs) {
  const width = shape.at(-1) ?? 1
  const rows = data.length / Math.max(1, width)
  const last = data.subarray(data.length - width)
  const isClasses = width > 1 && width <= 4096 && [...last].every(Number.isFinite)
  const canvas = rows > 1 ? make('canvas', { 'class': 'chart', 'role': 'img', 'aria-label': `${name} over ${rows} rows` }) : undefined
  const columns = Math.min(width, MOST_CURVES)
  const characters = entry?.classes ?? entry?.vocabulary
  const labels = characters !== undefined && [...characters].length === width ? [...characters] : undefined
  const wrong = data.reduce((count, value) => count + Number(!Number.isFinite(value)), 0)
  const panel = make('div', {},
    make('h3', {}, name, ' ', make('code', { class: 'quiet' }, `${dtype} ${shapeText(shape)}`)),
    wrong > 0 && make('p', { class: 'message bad' }, `${grouped(wrong)} of ${grouped(data.length)} are not finite: the input or the weights are out of range.`),
    canvas,
    canvas && legendElement(Array.from({ length: columns }, (_, column) => (width === 1 ? name : `${name} ${labels === undefined ? column : JSON.stringify(labels[column])}`)),
      columns < width && make('li', {}, `${width - columns} more are in the numbers`)),
    isClasses && rows > 1 && make('p', { class: 'quiet' }, 'The last row:'),
    isClasses && barsElement(last, labels),
    entry?.classes === WORD_LABELS && dividedElement(Object.values(inputs)[0].data, data, entry.vocabulary),
    make('details', {}, make('summary', {}, rows === 1 && width <= 8 ? [...data].map((value) => short(value, 6)).join('  ') : `${grouped(data.length)} numbers`),
      make('pre', { class: 'scroll', tabIndex: 0 }, numbersText(data, width)),
      make('button', { type: 'button', onclick: () => download(`${name.replace(/\W+/g, '-')}.npy`, writeNpy({ dtype, shape, data })) }, 'Download as .npy')),
  )
  return { panel, draw: () => canvas && drawCurves(canvas, data, rows, width, columns, `${grouped(rows)} rows`) }
}

/** What the curves of `drawCurves` are called, in their colours; then other items. */
export function legendElement(names, ...others) {
  return make('ul', { class: 'legend' }, ...names.map((name, n) => {
    const item = make('li', {}, name)
    item.style.setProperty('--colour', `var(--${COLOURS[n]})`)
    return item
  }), ...others)
}

/** The text that went in, with a line between its words. */
function dividedElement(numbers, scores, vocabulary) {
  const words = dividedText(numbers, scores, vocabulary)
  return make('p', { 'class': 'divided', 'lang': 'th', 'aria-label': `${words.length} words` }, ...words.flatMap((word, n) => (n === 0 ? [word] : [make('wbr'), make('span', { 'aria-hidden': 'true' }), word])))
}

/** The likeliest, or largest, of a row. */
function barsElement(row, labels) {
  const sorted = [...row].map((value, n) => ({ value, n })).sort((a, b) => b.value - a.value).slice(0, MOST_BARS)
  const [low, high] = [Math.min(0, ...row), Math.max(...row, 0)]
  return make('ul', { class: 'bars' }, ...sorted.map(({ value, n }) => {
    const bar = make('span', { class: 'bar' })
    bar.style.width = `${(value - low) / Math.max(high - low, 1e-30) * 100}%`
    const label = labels === undefined ? String(n) : JSON.stringify(labels[n])
    return make('li', {}, make('code', {}, label), make('span', { class: 'track' }, bar), make('span', { class: 'number' }, short(value)))
  }))
}

function numbersText(data, width) {
  const shown = data.subarray(0, Math.max(width, Math.floor(MOST_NUMBERS / width) * width)).subarray(0, 4 * MOST_NUMBERS)
  const lines = []
  for (let at = 0; at < shown.length; at += width) lines.push([...shown.subarray(at, at + width)].map((value) => short(value, 6)).join(' '))
  return lines.join('\n') + (shown.length < data.length ? `\n... ${grouped(data.length - shown.length)} more: download them` : '')
}

/** The first columns of a matrix as curves over its rows; `about` is what stands below their right end. */
export function drawCurves(canvas, data, rows, width, columns, about) {
  const { picture, width: across, height } = clearCanvas(canvas)
  let [low, high] = [Infinity, -Infinity]
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = data[row * width + column]
      if (!Number.isFinite(value)) continue
      low = Math.min(low, value)
      high = Math.max(high, value)
    }
  }
  if (low === high) [low, high] = [low - 1, high + 1]
  const y = (value) => height - 18 - (value - low) / (high - low) * (height - 30)
  for (let column = columns - 1; column >= 0; column--) {
    picture.strokeStyle = cssColour(COLOURS[column])
    picture.lineWidth = 1.75
    picture.beginPath()
    for (let row = 0; row < rows; row++) picture.lineTo(6 + row / Math.max(1, rows - 1) * (across - 12), y(data[row * width + column]))
    picture.stroke()
  }
  picture.fillStyle = cssColour('quiet')
  picture.font = '12px system-ui, sans-serif'
  picture.fillText(short(high, 3), 6, 12)
  picture.fillText(short(low, 3), 6, height - 4)
  picture.textAlign = 'right'
  picture.fillText(about, across - 6, height - 4)
}
