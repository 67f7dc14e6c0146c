// The playground: what somebody opens, runs, watches, times and takes away.
import { codeFor, inputFiles, trainingFiles } from './code.mjs'
import { codeElements } from './code-view.mjs'
import { bytesText, download, element, grouped, make, pause, say, wordsOf } from './dom.mjs'
import { InputsView } from './inputs-view.mjs'
import { layerElements } from './layers-view.mjs'
import { chooseModel, droppedFiles, linesIn, openFile, runLines } from './opening.mjs'
import { outputElements } from './outputs-view.mjs'
import { quantiseElements } from './quantise-view.mjs'
import { fetchFile, readShelf } from './shelf.mjs'
import { timeLayers, timeModel, timeText } from './timing.mjs'
import { TrainView } from './train-view.mjs'
import { WatchView } from './watch-view.mjs'

const watch = new WatchView()
const train = new TrainView({
  inputs: () => opened.inputs.values(), outputs: () => opened.outputs, take: (bytes) => void openTrained(bytes), changed: () => void showCode(),
})
let opened
/** Ends what is being opened. */
let controller
/** Opens the file once more that was opened last, or was to be. */
let again
/** Ends the run that is going on. */
let running
let drawOutputs = []
/** Options that a model of the shelf brought: they are not for what somebody opens next. */
let broughtOptions

element('files').addEventListener('change', ({ target }) => {
  const files = [...target.files]
  target.value = ''
  if (files.length > 0) void openFiles(files)
})
element('cancel').addEventListener('click', () => controller?.abort())
element('reopen').addEventListener('click', () => void busy((signal, onProgress) => again(signal, onProgress)))
element('run-lines').addEventListener('click', () => void openLines())
element('run').addEventListener('click', () => void run())
element('stop').addEventListener('click', () => running?.abort())
element('time').addEventListener('click', () => void time())
for (const dtype of ['int8', 'float16']) element(dtype).addEventListener('click', () => void quantise(dtype))
addEventListener('resize', () => drawOutputs.forEach((draw) => draw()))
addEventListener('themechange', () => drawOutputs.forEach((draw) => draw()))
for (const name of ['dragenter', 'dragover']) {
  document.addEventListener(name, (event) => {
    event.preventDefault()
    document.body.classList.add('dropping')
  })
}
document.addEventListener('dragleave', ({ relatedTarget }) => relatedTarget === null && document.body.classList.remove('dropping'))
document.addEventListener('drop', (event) => {
  event.preventDefault()
  document.body.classList.remove('dropping')
  if (event.dataTransfer.files.length === 0) return say('message', 'That is no file.', true)
  void droppedFiles(event.dataTransfer).then(openFiles, (error) => say('message', error.message, true))
})

const shelf = await readShelf()
element('shelf').replaceChildren(...shelf.map((entry) => make('button', {
  'type': 'button', 'aria-pressed': 'false', 'onclick': ({ currentTarget }) => void openEntry(entry, currentTarget),
}, make('strong', {}, entry.title), make('small', {}, entry.about))))
const first = shelf.findIndex(({ open }) => open)
if (first >= 0) await openEntry(shelf[first], element('shelf').children[first])

/** One of the models that come with the playground. */
async function openEntry(entry, button) {
  await busy(async (signal, onProgress) => {
    const file = await fetchFile(entry.file, signal, onProgress)
    element('others').replaceChildren()
    broughtOptions = element('options').value = Object.values(entry.options ?? {}).every((value) => value === undefined) ? '' : JSON.stringify(entry.options)
    await openOne(file, [file], { ...entry, first: await entry.inputs?.() }, signal, onProgress)
    for (const other of element('shelf').children) other.setAttribute('aria-pressed', String(other === button))
  })
}

async function openFiles(files) {
  if (element('options').value === broughtOptions) element('options').value = ''
  for (const button of element('shelf').children) button.setAttribute('aria-pressed', 'false')
  const { model, candidates } = chooseModel(files)
  element('others').replaceChildren(...candidates.slice(0, 20).map((file) => make('button', {
    type: 'button', onclick: () => void busy((signal, onProgress) => openOne(file, files, undefined, signal, onProgress)),
  }, `Open ${file.name} instead`)))
  await busy((signal, onProgress) => openOne(model, files, undefined, signal, onProgress))
}

/** What was trained here takes the place of the model that it was made of. */
async function openTrained(bytes) {
  const { name, entry } = opened
  element('options').value = ''
  const file = new File([bytes], `${name.replace(/(-trained)?\.\w+$/, '')}-trained.safetensors`)
  await busy((signal, onProgress) => openOne(file, [file], { ...entry, isMadeHere: true }, signal, onProgress))
}

/** Does something that may take a while, and can be cancelled. */
async function busy(work) {
  controller?.abort()
  const mine = controller = new AbortController()
  element('working').style.visibility = 'visible'
  element('progress').removeAttribute('value')
  say('message', '')
  element('lines-panel').hidden = true
  try {
    await work(mine.signal, (share) => {
      if (Number.isFinite(share)) element('progress').value = share
    })
  } catch (error) {
    if (controller !== mine) return
    const words = mine.signal.aborted ? 'Cancelled.' : wordsOf(error)
    if (/\boptions?\b/.test(words)) element('options').closest('details').open = true
    say('message', opened === undefined ? words : `${words}\n${opened.name} is still open below.`, true)
  } finally {
    if (controller === mine) element('working').style.visibility = 'hidden'
  }
}

/** Opens a file as a model; where it holds weights only, shows the lines that would load it. */
async function openOne(file, files, entry, signal, onProgress) {
  again = (...how) => openOne(file, files, entry, ...how)
  element('reopen').hidden = false
  const text = element('options').value.trim()
  let options
  try {
    options = text === '' ? {} : JSON.parse(text)
  } catch (error) {
    throw new Error(`Options of load: expected JSON, got text that is none: ${error.message}`)
  }
  let bytes
  try {
    say('message', `opening ${file.name} ...`)
    await pause()
    const begin = performance.now()
    const result = await openFile(file, files, options, { signal, onProgress, onBytes: (read) => (bytes = read), beside: besideOf(entry) })
    if (signal.aborted) return result.model.dispose()
    show(result.model, { name: file.name, bytes: file.size, options, entry, milliseconds: performance.now() - begin })
  } catch (error) {
    const lines = error.message === undefined ? undefined : linesIn(error.message)
    if (signal.aborted || lines === undefined || bytes === undefined) throw error
    element('lines').value = entry?.lines ?? lines
    element('lines-panel').hidden = false
    say('message', `${file.name}: ${error.message.split('\n')[0].replace(/\s+Its [^.]*:$/, '')}`)
    element('run-lines').dataset.name = file.name
    pending = { name: file.name, bytes, entry }
    if (entry?.lines !== undefined) await openLines()
  }
}

/** Files beside a model of the shelf: the library asks for those that the model names. */
function besideOf(entry) {
  return Object.fromEntries((entry?.beside ?? []).map((name) => [name, new URL(encodeURIComponent(name), new URL(entry.file, location.href)).href]))
}

let pending

async function openLines() {
  const { name, bytes, entry } = pending
  const lines = element('lines').value
  const begin = performance.now()
  try {
    const model = await runLines(lines, bytes)
    show(model, { name, bytes: bytes.length, lines, entry, milliseconds: performance.now() - begin })
  } catch (error) {
    say('message', wordsOf(error), true)
  }
}

/** A model has been opened: the one before is gone. */
function show(model, about) {
  opened?.model.dispose()
  opened = { ...about, model, graph: model.toGraph() }
  const summary = model.describe()
  say('message', `${about.name} is open: ${bytesText(about.bytes)}, read and compiled in ${timeText(about.milliseconds)}.`)
  element('opened').hidden = false
  element('model-title').textContent = `Model: ${about.name}`
  element('facts').replaceChildren(
    `${grouped(summary.parameters)} parameters, ${bytesText(summary.bytes)}; ${grouped(summary.multiplyAdds)} multiply-adds for each timestep of one row. `
    + `It runs as ${model.runtime.variant} here.`)
  element('layers').replaceChildren(...layerElements(summary, opened.graph))
  element('notes').replaceChildren(...summary.notes.map((note) => make('p', { class: 'quiet' }, note)))
  for (const id of ['outputs', 'times', 'quantised', 'code', 'tabs', 'downloads']) element(id).replaceChildren()
  for (const id of ['time-message', 'quantise-message', 'run-message', 'took']) say(id, '')
  watch.open(opened.graph)
  train.open(opened)
  opened.inputs = new InputsView(model, about.entry, () => void run())
  void run()
}

/** Runs on the inputs as they are, and shows what came out and what happened inside. */
async function run() {
  const { model, graph, entry } = opened
  say('run-message', '')
  let inputs
  try {
    inputs = opened.inputs.values()
    element('run').disabled = true
    element('stop').hidden = false
    running = new AbortController()
    const begin = performance.now()
    const outputs = await model.runAsync(inputs, { signal: running.signal, onProgress: ({ done, total }) => say('took', `${done} of ${total}`) })
    if (opened.model !== model) return
    say('took', `ran in ${timeText(performance.now() - begin)}`)
    const elements = outputElements(outputs, entry, inputs)
    element('outputs').replaceChildren(...elements.map(({ panel }) => panel))
    drawOutputs = elements.map(({ draw }) => draw)
    for (const draw of drawOutputs) draw()
    Object.assign(opened, { last: inputs, outputs })
    await showCode()
  } catch (error) {
    if (opened.model === model) say('run-message', wordsOf(error), true)
    return
  } finally {
    element('run').disabled = false
    element('stop').hidden = true
  }
  await pause()
  if (opened.model === model) await watch.show(inputs, graph)
}

async function showCode() {
  const { name, last, outputs, lines, options, graph, model, entry } = opened
  if (last === undefined) return
  const training = train.last
  const tabs = await codeFor({ name, inputs: last, outputs, lines, options, model, graph, training })
  if (opened.last !== last || train.last !== training) return
  const onnx = tabs.flatMap(({ blocks }) => blocks).find(({ bytes }) => bytes !== undefined)
  const files = [
    ...inputFiles(last), ...(training === undefined ? [] : trainingFiles(training)), ...(entry?.isMadeHere ? [{ file: name, bytes: () => model.save() }] : []),
    ...(onnx === undefined ? [] : [{ file: 'model.onnx', bytes: () => onnx.bytes }]), { file: 'described.safetensors', bytes: () => model.save() },
  ]
  element('downloads').replaceChildren(...files.map(({ file, bytes }) => make('button', { type: 'button', onclick: () => download(file, bytes()) }, `Download ${file}`)))
  codeElements(tabs)
}

async function time() {
  const { model, graph, last } = opened
  if (last === undefined) return say('time-message', 'Run the model first.')
  element('time').disabled = true
  say('time-message', 'measuring ...')
  await pause()
  try {
    const whole = await timeModel(model, last)
    const layers = await timeLayers(graph, last)
    const rows = layers.map(({ name, here, plain, timesteps }) => make('tr', {}, make('td', {}, `${name}, ${timesteps} timesteps`),
      make('td', { class: 'number' }, timeText(here)), make('td', { class: 'number' }, timeText(plain)), make('td', { class: 'number' }, `${(plain / here).toPrecision(2)} times`)))
    element('times').replaceChildren(make('p', {}, 'One run of the whole model: ', make('strong', {}, timeText(whole)), '.'), rows.length > 0 && make('table', { class: 'report' },
      make('thead', {}, make('tr', {}, ...['one layer alone, one row', 'lstm-wasm', 'plain JavaScript', 'faster'].map((title) => make('th', {}, title)))), make('tbody', {}, ...rows)))
    say('time-message', `medians, ${model.runtime.variant}`)
  } catch (error) {
    say('time-message', wordsOf(error))
  } finally {
    element('time').disabled = false
  }
}

async function quantise(dtype) {
  const { model, last, name } = opened
  for (const id of ['int8', 'float16']) element(id).disabled = true
  say('quantise-message', 'working ...')
  await pause()
  try {
    element('quantised').replaceChildren(...await quantiseElements(model, last, dtype, name, ({ done, total, layer }) => say('quantise-message', `${done} of ${total}: ${layer}`)))
    say('quantise-message', '')
  } catch (error) {
    element('quantised').replaceChildren()
    say('quantise-message', wordsOf(error))
  } finally {
    for (const id of ['int8', 'float16']) element(id).disabled = false
  }
}
