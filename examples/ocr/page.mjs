import { decodeLine, prepareLine } from 'lstm-wasm/tesseract'
import { ready } from '../ready.mjs'
import { tell } from '../tell.mjs'
import { exampleLine } from './examples.mjs'
import { drawFigure } from './heatmap.mjs'
import { listNetworks, nameOf, openNetwork } from './networks.mjs'
import { readingOrder } from './order.mjs'
import { Sheet } from './sheet.mjs'

/** Below it a character is marked as one to look at. */
const SURE = 0.8

const element = (id) => document.getElementById(id)
const figure = Object.fromEntries(['figure', 'labels', 'scroller', 'aligned', 'crop', 'map'].map((id) => [id, element(id)]))

let network
let code = 'eng'
let examples = 0
/** What is asked for last counts: loading a network, or a library to read with, may end later. */
const asked = { network: 0, reading: 0 }
/** What is shown, drawn again when the window gets another width or the colours change. */
let shown
const sheet = new Sheet(element('sheet'), () => tell(read))
sheet.clear()

const networks = await tell(listNetworks) ?? []
element('network').replaceChildren(...networks.map((one) => new Option(nameOf(one), one.file)))
element('network').disabled = networks.length === 0
if (networks.length > 0) await tell(() => use(networks[0].file, networks[0].code))
else element('text').textContent = ''
element('example').disabled = false

element('network').addEventListener('change', ({ target }) => tell(() => use(target.value, networks[target.selectedIndex].code)))
element('network-file').addEventListener('change', ({ target }) => withFile(target, async (file) => {
  await use(file, /^[a-z]{3}(_[a-z]+)?/.exec(file.name)?.[0] ?? 'eng')
  const option = new Option(file.name, '', true, true)
  option.disabled = true
  element('network').append(option)
}))
element('example').addEventListener('click', () => sheet.show(exampleLine(code, examples++)))
element('clear').addEventListener('click', () => sheet.clear())
for (const id of ['picture', 'photograph']) element(id).addEventListener('change', ({ target }) => withFile(target, showPicture))
document.addEventListener('paste', ({ clipboardData }) => takeFile(clipboardData))
document.addEventListener('dragover', (event) => event.preventDefault())
document.addEventListener('drop', (event) => {
  event.preventDefault()
  takeFile(event.dataTransfer)
})
addEventListener('resize', () => redraw())
matchMedia('(prefers-color-scheme: light)').addEventListener('change', () => redraw())
ready()

function redraw() {
  if (shown !== undefined) drawFigure(figure, shown)
}

function withFile(input, work) {
  const [file] = input.files
  input.value = ''
  if (file !== undefined) void tell(() => work(file))
}

/** The first picture or network in what was pasted or dropped. */
function takeFile(transfer) {
  const file = [...transfer?.files ?? []].at(0)
  if (file === undefined) return
  void tell(() => (/\.(traineddata|gz)$/.test(file.name) ? use(file, file.name.slice(0, 3)) : showPicture(file)))
}

async function showPicture(file) {
  const picture = await createImageBitmap(file).catch(() => {
    throw new Error(`${file.name}: the browser knows no picture in this file`)
  })
  sheet.show(picture)
  picture.close()
}

async function use(source, language) {
  element('text').textContent = 'loading the network ...'
  const own = ++asked.network
  const before = code
  // An example that is asked for while the network loads is for it already.
  code = language
  let next
  try {
    next = await openNetwork(source)
  } catch (error) {
    if (own === asked.network) code = before
    throw error
  } finally {
    element('text').textContent = ''
  }
  if (own !== asked.network) return next.model.dispose()
  network?.model.dispose()
  network = next
  await read()
}

/** Reads what the sheet shows. */
async function read() {
  element('hint').textContent = sheet.isPicture ? 'Drag over the line where the picture has more than one; a click takes the whole picture.' : 'Write a line of print letters here.'
  if (network === undefined) return
  element('mark').hidden = true
  const { image, left, top } = sheet.image
  const { model, binary } = network
  const begin = performance.now()
  const line = prepareLine(model, image)
  if (line === undefined) return showNothing()
  const { probs } = model.run({ pixels: line.pixels })
  const { text, direction, confidence, characters } = decodeLine(model, probs, line)
  const milliseconds = performance.now() - begin
  const own = ++asked.reading
  const inOrder = direction === 'rtl' ? await readingOrder(text) : text
  if (own !== asked.reading) return
  sheet.frame({ ...line.box, left: line.box.left + left, top: line.box.top + top })
  element('text').textContent = inOrder
  element('facts').textContent = `${(confidence * 100).toFixed(0)} % sure in the mean; ${probs.shape[1]} steps of ${probs.shape[2]} outputs in ${milliseconds.toFixed(1)} ms, with ${binary}`
    + (direction === 'rtl' ? '; below, characters stand as they are seen, from left to right' : '')
  element('characters').replaceChildren(...characters.map((character) => tile(character, line.box)))
  shown = { pixels: line.pixels, probs, labels: network.labels, nullCode: network.nullCode }
  element('explained').hidden = false
  redraw()
}

function showNothing() {
  shown = undefined
  sheet.frame(undefined)
  for (const id of ['text', 'facts']) element(id).textContent = ''
  element('text').textContent = sheet.isPicture ? 'no ink in this picture' : ''
  element('characters').replaceChildren()
  element('figure').hidden = element('explained').hidden = true
}

/** A character and how sure of it the network is; it shows where on the line that was. */
function tile({ text, confidence, from, to }, box) {
  const item = Object.assign(document.createElement('li'), { tabIndex: 0 })
  const percent = `${Math.round(confidence * 100)}`
  item.setAttribute('aria-label', `${text === ' ' ? 'space' : text}, ${percent} %`)
  item.classList.toggle('unsure', confidence < SURE)
  item.style.setProperty('--sure', `${percent}%`)
  item.append(...[['b', text === ' ' ? '␣' : text], ['small', percent], ['i', '']].map(([name, textContent]) => Object.assign(document.createElement(name), { textContent })))
  const show = () => {
    const at = (column) => `${(column - box.left) / box.width * 100}%`
    Object.assign(element('mark').style, { left: at(from), width: at(box.left + to - from) })
    element('mark').hidden = false
    const { scroller, aligned } = figure
    const middle = (from + to - 2 * box.left) / 2 / box.width * aligned.clientWidth
    if (Math.abs(middle - scroller.scrollLeft - scroller.clientWidth / 2) > scroller.clientWidth / 2) scroller.scrollLeft = middle - scroller.clientWidth / 2
  }
  const hide = () => (element('mark').hidden = true)
  for (const [type, act] of [['pointerenter', show], ['focus', show], ['pointerleave', hide], ['blur', hide]]) item.addEventListener(type, act)
  return item
}
