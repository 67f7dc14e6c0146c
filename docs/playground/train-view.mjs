// Training in the page: settings, the loss while it learns, what has changed, and the trained model as a file.
import { element, make, pause, say, short, wordsOf } from './dom.mjs'
import { drawCurves, legendElement } from './outputs-view.mjs'
import { timeText } from './timing.mjs'
import { ExamplesView } from './train-examples.mjs'
import { usualLoss } from './train-data.mjs'
import { trainedElements } from './trained-view.mjs'

/** Losses, what people call them, and what is told besides them. */
const LOSSES = {
  meanSquaredError: { label: 'mean squared error', metric: 'meanAbsoluteError' },
  meanAbsoluteError: { label: 'mean absolute error', metric: 'meanSquaredError' },
  sparseCategoricalCrossentropy: { label: 'cross-entropy of classes', metric: 'accuracy' },
  binaryCrossentropy: { label: 'cross-entropy of yes and no', metric: 'accuracy' },
}
const FIELDS = [
  { id: 'train-rate', label: 'Learning rate', value: 0.005, min: 0, step: 'any' },
  { id: 'train-epochs', label: 'Epochs', value: 40, min: 1, max: 10000 },
  { id: 'train-batch', label: 'Examples of a step', value: 8, min: 1, max: 4096 },
  { id: 'train-kept', label: 'Kept back to check, %', value: 0, min: 0, max: 90 },
]
const SEED = 1
const MILLISECONDS_OF_A_PICTURE = 30

/** The panel. */
export class TrainView {
  #page
  #opened
  #examples
  #controller
  #trained
  #draw = () => undefined

  /**
   * @param page `inputs()`: the input of the page as it is; `outputs()` of the last run; `take(model)`: opens the trained one in its place;
   *   `changed()`: is told after a training
   */
  constructor(page) {
    this.#page = page
    element('train-begin').addEventListener('click', () => void this.#begin())
    for (const name of ['resize', 'themechange']) addEventListener(name, () => this.#draw())
  }

  /** For another model. @param opened `model`, `graph`, `name`, `entry` of the shelf */
  open(opened) {
    this.#forget()
    this.#opened = opened
    for (const id of ['training', 'trained']) element(id).replaceChildren()
    element('train-begin').hidden = false
    say('train-message', '')
  }

  /** What was trained last: `{ x, y, settings, before, after, stoppedIn }`; undefined where nothing was. */
  get last() {
    return this.#trained?.about
  }

  #forget() {
    this.#controller?.abort()
    this.#trained?.model.dispose()
    this.#trained = undefined
    this.#draw = () => undefined
  }

  /** Looks whether the model can be trained at all, and shows what is asked for. */
  async #begin() {
    const { model, graph } = this.#opened
    const button = element('train-begin')
    button.disabled = true
    say('train-message', 'looking at the model ...')
    try {
      const loss = usualLoss(graph)
      const { createTrainer } = await import('lstm-wasm/training')
      const trainer = await createTrainer(model, { loss })
      trainer.dispose()
      if (this.#opened.model !== model) return
      this.#show(loss)
      button.hidden = true
      say('train-message', '')
    } catch (error) {
      if (this.#opened.model === model) say('train-message', wordsOf(error), true)
    } finally {
      button.disabled = false
    }
  }

  #show(loss) {
    const field = ({ id, label, ...properties }) => make('div', { class: 'field' }, make('label', { for: id }, label), make('input', { type: 'number', id, ...properties }))
    const options = Object.entries(LOSSES).map(([value, { label }]) => make('option', { value, selected: value === loss }, label))
    const examples = make('div')
    const choose = () => {
      this.#examples = new ExamplesView(this.#opened.model, element('train-loss').value === 'sparseCategoricalCrossentropy', {
        vocabulary: this.#opened.entry?.vocabulary, classes: this.#opened.entry?.classes, inputs: this.#page.inputs, changed: (count) => (element('train').disabled = count === 0),
      })
      examples.replaceChildren(this.#examples.panel)
      element('train').disabled = true
    }
    element('training').replaceChildren(
      make('div', { class: 'controls' },
        make('div', { class: 'field' }, make('label', { for: 'train-loss' }, 'Loss'), make('select', { id: 'train-loss', onchange: choose }, ...options)), ...FIELDS.map(field)),
      make('h3', {}, 'Examples'),
      examples,
      make('div', { class: 'row' },
        make('button', { type: 'button', id: 'train', class: 'first', onclick: () => void this.#train() }, 'Train'),
        make('button', { type: 'button', id: 'train-stop', hidden: true, onclick: () => this.#controller.abort() }, 'Stop'),
        make('span', { class: 'quiet', id: 'train-state', role: 'status' })),
      make('p', { class: 'message', id: 'train-error', role: 'status' }),
      make('div', { id: 'train-chart' }))
    choose()
  }

  #settings() {
    const loss = element('train-loss').value
    const [learningRate, epochs, batchSize, kept] = FIELDS.map(({ id }) => Number(element(id).value))
    return { loss, metric: LOSSES[loss].metric, seed: SEED, learningRate, fit: { epochs, batchSize, ...(kept > 0 && { validationSplit: kept / 100 }) } }
  }

  async #train() {
    const { model } = this.#opened
    const isCurrent = () => this.#opened.model === model
    this.#forget()
    const { signal } = this.#controller = new AbortController()
    element('trained').replaceChildren()
    for (const id of ['train', 'train-stop']) element(id).hidden = id === 'train'
    say('train-error', '')
    let trainer
    try {
      const { x, y } = this.#examples.all
      const settings = this.#settings()
      const { adam, createTrainer } = await import('lstm-wasm/training')
      const { loss, metric, seed, learningRate } = settings
      trainer = await createTrainer(model, { loss, optimizer: adam({ learningRate }), metrics: [metric], seed })
      const before = await trainer.evaluate(x, y, { signal })
      const begin = performance.now()
      const { epochs, isStopped } = await this.#fit(trainer, x, y, { ...settings.fit, signal })
      const took = timeText(performance.now() - begin)
      if (!isCurrent()) return
      const about = { x, y, settings, before, after: await trainer.evaluate(x, y), stoppedIn: isStopped ? epochs + 1 : undefined }
      this.#trained = { model: await trainer.model(), about }
      say('train-state', `${isStopped ? `stopped in epoch ${epochs + 1}` : `${epochs} epochs`}, ${took}`)
      element('trained').replaceChildren(...trainedElements(this.#trained, this.#opened, { take: this.#page.take, outputs: this.#page.outputs() }))
      this.#page.changed()
    } catch (error) {
      if (isCurrent()) say('train-error', wordsOf(error), true)
    } finally {
      trainer?.dispose()
      if (isCurrent()) for (const id of ['train', 'train-stop']) element(id).hidden = id !== 'train'
    }
  }

  /** @returns how many epochs are done, and whether it was stopped: what has been learned by then stays */
  async #fit(trainer, x, y, options) {
    const names = ['loss', ...(options.validationSplit === undefined ? [] : ['loss of those kept back'])]
    const canvas = make('canvas', { 'class': 'chart', 'role': 'img', 'aria-label': 'Loss over epochs' })
    element('train-chart').replaceChildren(canvas, legendElement(names))
    const history = []
    this.#draw = () => drawCurves(canvas, Float32Array.from(history.flat()), history.length, names.length, names.length, `epoch ${history.length}`)
    let drawn = 0
    const onEpochEnd = (_epoch, { loss, valLoss = [] }) => {
      history.push([loss, valLoss].flat())
      if (performance.now() - drawn < MILLISECONDS_OF_A_PICTURE) return undefined
      drawn = performance.now()
      this.#draw()
      return pause()
    }
    const onProgress = ({ epoch, epochs, loss, secondsLeft }) => {
      say('train-state', `epoch ${epoch} of ${epochs}, loss ${short(loss)}${secondsLeft > 2 ? `, ${Math.ceil(secondsLeft)} s left` : ''}`)
    }
    try {
      await trainer.fit(x, y, { ...options, callbacks: [{ onEpochEnd }], onProgress })
      return { epochs: history.length, isStopped: false }
    } catch (error) {
      if (error.code !== 'ABORTED') throw error
      return { epochs: history.length, isStopped: true }
    } finally {
      if (history.length > 0) this.#draw()
    }
  }
}
