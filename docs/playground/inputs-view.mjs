// The inputs of a model: sizes, and for each input where its numbers come from.
import { bytesText, element, grouped, make, shapeText } from './dom.mjs'
import { arrayOfFile, drawable, record } from './sources.mjs'
import { arrayText, fitted, lengthOf, mostOf, namedSizes, randomArray, sized, textNumbers, typedArray, zeroArray } from './values.mjs'

/** Longer arrays are not shown as text. */
const MOST_SHOWN = 5000
const SECONDS = 3

/** The panel of all inputs. `onChange` after each change that is whole: a drawn stroke, a file. */
export class InputsView {
  #sizes
  #inputs
  #onChange

  /** @param shelf what is known of a model that comes with the playground: `vocabulary`, `first` (arrays by name), `sizes` */
  constructor(model, shelf, onChange) {
    this.#onChange = onChange
    const { carry } = model.describe()
    const isState = (name) => Object.hasOwn(carry, name)
    this.#sizes = namedSizes(model.inputs, isState, shelf?.sizes)
    this.#inputs = model.inputs.map((given, n) => {
      const port = { ...given, isState: isState(given.name) }
      return new InputView(port, n, this.#sizes, shelf, mostOf(given, model), () => this.#changed())
    })
    element('sizes').replaceChildren(...[...this.#sizes].map(([name, size]) => this.#sizeField(name, size)))
    element('inputs').replaceChildren(...this.#inputs.map(({ panel }) => panel))
  }

  /** Arrays by name. @throws LstmError for text that is no numbers */
  values() {
    for (const input of this.#inputs) input.read()
    this.#sync()
    return Object.fromEntries(this.#inputs.flatMap((input) => {
      const value = input.value()
      return value === undefined ? [] : [[input.name, value]]
    }))
  }

  #sizeField(name, size) {
    const id = `size-${name}`
    const field = make('input', { type: 'number', id, min: 1, max: 100000, value: size, onchange: () => {
      this.#sizes.set(name, Math.max(1, Math.min(100000, Math.round(Number(field.value)) || 1)))
      field.value = this.#sizes.get(name)
      for (const input of this.#inputs) input.resize()
    } })
    return make('div', { class: 'field' }, make('label', { for: id }, name), field)
  }

  #changed() {
    this.#sync()
    this.#onChange()
  }

  /** Shows the sizes that files or typed numbers have brought; the other inputs follow. */
  #sync() {
    for (const input of this.#inputs) {
      input.shape?.forEach((size, axis) => {
        const name = input.port.shape[axis]
        if (typeof name === 'string' && this.#sizes.has(name)) {
          this.#sizes.set(name, size)
          element(`size-${name}`).value = size
        }
      })
    }
    for (const input of this.#inputs) if (input.followsSizes) input.resize()
  }
}

class InputView {
  #sizes
  #shelf
  #changed
  #most
  #array
  #seed = 1
  #isTyped = false

  constructor(port, n, sizes, shelf, most, changed) {
    Object.assign(this, { port, name: port.name, followsSizes: true })
    this.#sizes = sizes
    this.#shelf = shelf
    this.#most = most
    this.#changed = changed
    this.about = make('p', { class: 'about quiet', role: 'status' })
    this.text = make('textarea', {
      'class': 'values', 'rows': 4, 'spellcheck': false, 'aria-label': `Numbers of ${port.name}`,
      'oninput': () => {
        this.#isTyped = true
        this.followsSizes = false
        this.#look()
      },
    })
    this.more = make('div')
    const file = make('input', { type: 'file', onchange: () => {
      const [chosen] = file.files
      file.value = ''
      if (chosen !== undefined) void this.#try(() => arrayOfFile(port, chosen, sizes), `${chosen.name}, ${bytesText(chosen.size)}`)
    } })
    const fixed = port.shape.filter((size) => typeof size === 'number')
    const isPicture = port.dtype === 'float32' && fixed.length >= 2 && fixed.at(-1) === fixed.at(-2) && fixed.at(-1) >= 8 && fixed.at(-1) <= 64
    const hears = port.dtype === 'float32' && !isPicture && lengthOf(fixed) <= 1
    this.panel = make('div', { class: 'input' },
      make('h3', {}, port.name, ' ', make('code', { class: 'quiet' }, `${port.dtype} ${shapeText(port.shape)}`), port.isState ? ' a state, carried by streams' : port.optional ? ' optional' : ''),
      make('div', { class: 'row' },
        make('button', { type: 'button', onclick: () => this.#fill(() => randomArray(port.dtype, this.#shape(), this.#seed++, most)) }, 'Random'),
        make('button', { type: 'button', onclick: () => this.#fill(() => zeroArray(port.dtype, this.#shape())) }, 'Zeros'),
        make('label', { class: 'button' }, 'From a file', file),
        isPicture && make('button', { type: 'button', onclick: () => this.#draw() }, 'Draw'),
        hears && make('button', { type: 'button', onclick: (event) => this.#hear(event.currentTarget) }, `Record ${SECONDS} s`),
        port.dtype !== 'float32' && make('button', { type: 'button', onclick: () => this.#write() }, 'Text')),
      this.about, this.more, this.text)
    const first = shelf?.first?.[port.name]
    if (first !== undefined) this.#show(first, false)
    else this.#show(port.optional || port.isState ? zeroArray(port.dtype, this.#shape()) : randomArray(port.dtype, this.#shape(), n, most), true)
    if (shelf?.text !== undefined && port.dtype !== 'float32') this.#write(shelf.text)
  }

  get shape() {
    return this.#array?.shape
  }

  value() {
    return this.#array
  }

  /** What has been typed becomes the input. @throws LstmError */
  read() {
    if (this.#isTyped) this.#array = typedArray(this.port, this.text.value, this.#sizes)
  }

  /** Tells while somebody types what it is so far. */
  #look() {
    try {
      this.about.textContent = shapeText(typedArray(this.port, this.text.value, this.#sizes).shape)
      this.about.style.color = ''
    } catch (error) {
      this.#tell(error)
    }
  }

  #tell({ message }) {
    this.about.textContent = message
    this.about.style.color = 'var(--bad)'
  }

  /** New sizes: numbers that were made here are made anew. */
  resize() {
    if (!this.followsSizes || shapeText(this.#shape()) === shapeText(this.#array.shape)) return
    const { dtype } = this.port
    const isZeros = this.#array.data.every((value) => value === 0)
    this.#show(isZeros ? zeroArray(dtype, this.#shape()) : randomArray(dtype, this.#shape(), this.#seed, this.#most), true)
  }

  #shape() {
    return sized(this.port.shape, this.#sizes)
  }

  #fill(makeArray) {
    this.#show(makeArray(), true)
    this.#changed()
  }

  #show(array, followsSizes) {
    this.#array = array
    this.followsSizes = followsSizes
    this.#isTyped = false
    const isLong = array.data.length > MOST_SHOWN
    this.text.value = isLong ? '' : arrayText(array)
    this.text.placeholder = isLong ? `${grouped(array.data.length)} numbers, too many to show` : ''
    this.about.textContent = shapeText(array.shape)
  }

  /** Takes what a source gives; says what is wrong with it. */
  async #try(source, name) {
    try {
      this.#show(await source(), false)
      if (name !== undefined) this.about.textContent = `${name}: ${shapeText(this.#array.shape)}`
      this.about.style.color = ''
      this.#changed()
    } catch (error) {
      this.#tell(error)
    }
  }

  #draw() {
    const { shape } = this.port
    const [height, width] = shape.filter((size) => typeof size === 'number').slice(-2)
    const canvas = make('canvas', { 'class': 'pad', 'role': 'img', 'aria-label': 'A black board: draw on it with mouse, pen or finger' })
    const board = drawable(canvas, () => void this.#try(() => fitted(this.port, board.pixels(height, width), this.#sizes), 'the drawing'))
    this.more.replaceChildren(canvas, make('button', { type: 'button', onclick: () => board.clear() }, 'Clean the board'))
  }

  async #hear(button) {
    button.disabled = true
    const label = button.textContent
    await this.#try(async () => fitted(this.port, await record(SECONDS, (left) => (button.textContent = `recording: ${left} s`)), this.#sizes), 'the recording')
    button.textContent = label
    button.disabled = false
  }

  #write(first = '') {
    const { port } = this
    const field = make('input', { 'type': 'text', 'value': first, 'aria-label': `Text for ${port.name}`, 'oninput': () => read() })
    const hint = make('span', { class: 'quiet', role: 'status' })
    const read = () => {
      const { numbers, unknown } = textNumbers(field.value, this.#shelf?.vocabulary, port.dtype)
      hint.textContent = unknown.length === 0
        ? this.#shelf?.vocabulary === undefined ? port.dtype === 'uint8' ? 'as bytes of UTF-8' : 'as code points: the file has no list of its characters' : ''
        : `The model does not know ${unknown.map((character) => `“${character}”`).join(', ')}: left out.`
      if (numbers.length > 0) void this.#try(() => fitted(port, numbers, this.#sizes))
    }
    this.more.replaceChildren(make('div', { class: 'row' }, field, hint))
    if (first !== '') read()
    else field.focus()
  }
}
