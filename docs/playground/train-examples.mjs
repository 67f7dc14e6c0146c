// Where examples come from: files, a board to draw on, text, the input of the page with a target.
import { bytesText, element, grouped, make, say, wordsOf } from './dom.mjs'
import { drawable } from './sources.mjs'
import { exampleOf, Examples, examplesOfFiles, examplesOfText, formOf, formText } from './train-data.mjs'
import { fitted, WORD_LABELS } from './values.mjs'

/** More classes than that are typed. */
const MOST_BUTTONS = 12
const TIMESTEPS = 64

/** The examples of one model and one kind of target. */
export class ExamplesView {
  #examples = new Examples()
  #form
  #vocabulary
  #classes
  #inputs
  #changed

  /**
   * @param model what is trained
   * @param isSparse whether targets are numbers of classes
   * @param page `vocabulary` of texts, `classes` of the output; `inputs()`: the input of the page as it is; `changed(count)`
   * @throws LstmError `UNSUPPORTED` for models that are not trained here
   */
  constructor(model, isSparse, { vocabulary, classes, inputs, changed }) {
    const { carry } = model.describe()
    this.#form = formOf(model, (name) => Object.hasOwn(carry, name), isSparse)
    this.#vocabulary = vocabulary
    this.#classes = classes
    this.#inputs = inputs
    this.#changed = changed
    const { port, perStep, features } = this.#form
    const sources = ['.csv', '.npy', perStep && port.dtype === 'float32' && features === 1 && 'sounds', port.dtype !== 'float32' && '.txt'].filter(Boolean)
    const files = make('input', { type: 'file', multiple: true, id: 'train-files', onchange: () => {
      const chosen = [...files.files]
      files.value = ''
      if (chosen.length > 0) void this.#add(() => examplesOfFiles(chosen, this.#form, this.#reading()), chosen.map(({ name, size }) => `${name}, ${bytesText(size)}`).join('; '))
    } })
    this.panel = make('div', { class: 'panel-part' },
      make('p', { class: 'quiet' }, `${formText(this.#form)} Two files are inputs and targets: ${sources.join(', ')}.`),
      ...this.#sources(),
      make('div', { class: 'row' }, make('label', { class: 'button' }, 'From files', files), make('button', { type: 'button', onclick: () => this.#clear() }, 'Clear'),
        make('span', { id: 'train-count', role: 'status' })),
      make('p', { class: 'about quiet', id: 'train-about', role: 'status' }))
  }

  get count() {
    return this.#examples.count
  }

  /** All of them: `x` by the name of the input, and `y`. */
  get all() {
    const { x, y } = this.#examples.all
    return { x: { [this.#form.port.name]: x }, y }
  }

  #reading() {
    return { timesteps: Number(document.getElementById('train-timesteps')?.value ?? TIMESTEPS), vocabulary: this.#vocabulary }
  }

  #sources() {
    const { port, perStep, isSparse, isNext, classes } = this.#form
    const sides = port.shape.slice(1)
    const isPicture = port.dtype === 'float32' && !perStep && sides.length === 2 && sides.every((size) => typeof size === 'number' && size >= 8 && size <= 64)
    if (isPicture && isSparse && classes <= MOST_BUTTONS) return this.#board(sides)
    const length = perStep && typeof port.shape[1] !== 'number' && make('div', { class: 'field short' },
      make('label', { for: 'train-timesteps' }, 'Timesteps of an example'), make('input', { type: 'number', id: 'train-timesteps', value: TIMESTEPS, min: 1, max: 100000 }))
    const own = port.dtype !== 'float32' && (isNext || this.#classes === WORD_LABELS) ? this.#text() : this.#target(isSparse ? `class, 0 to ${classes - 1}` : 'target')
    return [length, ...own].filter(Boolean)
  }

  #text() {
    const placeholder = this.#form.isNext ? 'Text to learn from: the target of each character is the next one' : 'Text to learn from, with a space between its words'
    const text = make('textarea', { 'rows': 3, 'spellcheck': false, 'aria-label': 'Text to learn from', placeholder })
    const add = () => void this.#add(() => examplesOfText(text.value, this.#form, this.#reading()), 'the text')
    return [text, make('div', { class: 'row' }, make('button', { type: 'button', onclick: add }, 'Add this text'))]
  }

  #target(placeholder) {
    const target = make('input', { 'type': 'text', 'aria-label': 'Target of the input above', placeholder })
    const add = () => void this.#add(() => exampleOf(this.#inputs()[this.#form.port.name], target.value, this.#form), 'the input above')
    return [make('div', { class: 'row' }, target, make('button', { type: 'button', onclick: add }, 'Add the input above'))]
  }

  /** Draw one, say which it is. */
  #board([height, width]) {
    const { port, classes } = this.#form
    const canvas = make('canvas', { 'class': 'pad', 'role': 'img', 'aria-label': 'A black board: draw an example on it with mouse, pen or finger' })
    const board = drawable(canvas, () => undefined)
    const add = (label) => void this.#add(() => {
      const pixels = board.pixels(height, width)
      if (pixels.every((value) => value === 0)) throw new Error('Draw something on the board first.')
      board.clear()
      return exampleOf(fitted(port, pixels, new Map()), String(label), this.#form)
    }, `a drawn ${label}`)
    const buttons = Array.from({ length: classes }, (_, label) => make('button', { 'type': 'button', 'aria-label': `It is ${label}`, 'onclick': () => add(label) }, String(label)))
    return [canvas, make('p', { class: 'quiet' }, 'Draw one, then say which it is:'), make('div', { 'class': 'row classes', 'role': 'group', 'aria-label': 'Which it is' }, ...buttons)]
  }

  async #add(source, name) {
    try {
      const { about, ...examples } = await source()
      this.#examples.add(examples)
      this.#tell(`Added ${name}: ${grouped(examples.x.shape[0])} of [${examples.x.shape.slice(1).join(', ')}]. ${about}`)
    } catch (error) {
      this.#tell(wordsOf(error), true)
    }
  }

  #clear() {
    this.#examples.clear()
    this.#tell('')
  }

  #tell(text, isBad = false) {
    say('train-about', text, isBad)
    element('train-count').textContent = this.count === 1 ? '1 example' : `${grouped(this.count)} examples`
    this.#changed(this.count)
  }
}
