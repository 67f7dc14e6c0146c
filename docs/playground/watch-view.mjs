// Heat maps of the states and gates of a recurrent layer: units downwards, timesteps to the right; one unit and one timestep are looked at.
import { SIGNALS } from './cells.mjs'
import { clearCanvas, colourOf, cssColour, element, make, onTheme, pause, say, short } from './dom.mjs'
import { recurrentNodes, watchNode } from './probe.mjs'

const COLOURS = { i: 'gate-i', r: 'gate-i', f: 'gate-f', z: 'gate-f', g: 'gate-g', n: 'gate-g', o: 'gate-o', c: 'text', h: 'text' }

/** Shows what the recurrent layers of a model did in a run. */
export class WatchView {
  #graph
  #nodes
  #inputs
  #watched
  /** What is looked at: which node, row of the batch, cell of the node, unit, timestep. */
  #at = { node: 0, row: 0, cell: 0, unit: 0, t: 0 }
  #maps = []
  #playing

  constructor() {
    onTheme(() => this.#draw())
    addEventListener('resize', () => this.#draw())
  }

  /** For another model. */
  open(graph) {
    this.#stop()
    this.#graph = graph
    this.#nodes = recurrentNodes(graph)
    this.#at = { node: Math.max(0, this.#nodes.findIndex(({ why }) => why === undefined)), row: 0, cell: 0, unit: 0, t: -1 }
    this.#watched = undefined
    element('watched').replaceChildren()
    say('watch-message', this.#nodes.length === 0 ? 'None of its layers is recurrent: there are no gates to watch.' : 'Run the model to see what its layers do.')
  }

  /** After a run with these inputs. */
  async show(inputs) {
    this.#inputs = inputs
    if (this.#nodes.length > 0) await this.#watch()
  }

  async #watch() {
    const { node, why } = this.#nodes[this.#at.node]
    try {
      if (why !== undefined) throw new Error(why)
      const watched = await watchNode(this.#graph, node, this.#inputs, this.#at.row)
      this.#watched = { ...watched, node }
      this.#at.cell = Math.min(this.#at.cell, watched.cells.length - 1)
      this.#at.t = this.#at.t < 0 ? watched.timesteps >> 1 : Math.min(this.#at.t, watched.timesteps - 1)
      say('watch-message', this.#checkText())
      this.#build()
    } catch (error) {
      this.#watched = undefined
      element('watched').replaceChildren(this.#choices())
      say('watch-message', `${node.name} cannot be watched: ${error.message}.`)
    }
  }

  #checkText() {
    const { timesteps, all, difference } = this.#watched
    const part = timesteps < all ? ` The first ${timesteps} of ${all} timesteps are shown.` : ''
    return `Computed once more in plain JavaScript, from the layer's own weights and input${difference === undefined ? '' : `; its output differs from the model's by at most ${short(difference, 2)}`}.${part}`
  }

  /** Which layer, and which row of the batch. */
  #choices() {
    const pick = (label, key, names, selected) => names.length > 1 && make('label', { class: 'quiet' }, `${label} `, make('select', {
      onchange: ({ target }) => {
        this.#at[key] = target.selectedIndex
        if (key === 'cell') this.#build()
        else void this.#watch()
      },
    }, ...names.map((name, n) => make('option', { selected: n === selected }, name))))
    const batch = this.#watched?.batch ?? 1
    const cells = (this.#watched?.cells ?? []).map(({ layer, direction }) => `layer ${layer + 1}, ${direction}`)
    return make('div', { class: 'row' },
      pick('Layer', 'node', this.#nodes.map(({ node }) => node.name), this.#at.node),
      pick('Part', 'cell', cells, this.#at.cell),
      pick('Row of the batch', 'row', Array.from({ length: Math.min(batch, 100) }, (_, n) => String(n)), this.#at.row))
  }

  #build() {
    const cell = this.#watched.cells[this.#at.cell]
    const { op } = this.#watched.node
    this.#at.unit = Math.min(this.#at.unit, cell.units - 1)
    this.#maps = SIGNALS[op].map((signal) => {
      const value = make('span', { class: 'number' })
      const canvas = make('canvas', { 'role': 'img', 'aria-label': `${signal.title} of ${cell.units} units over ${this.#watched.timesteps} timesteps` })
      canvas.addEventListener('pointerdown', (event) => this.#point(event, canvas))
      canvas.addEventListener('pointermove', (event) => event.buttons > 0 && this.#point(event, canvas))
      const figure = make('figure', { class: `map gate-${signal.name}` },
        make('figcaption', {}, make('b', {}, signal.name), `${signal.title}: ${signal.about}`, value), canvas)
      return { ...signal, value, canvas, figure, values: cell.signals[signal.name], width: signal.name === 'h' ? cell.size : cell.units }
    })
    const slider = (label, key, count) => {
      const id = `watch-${key}`
      const output = make('span', { class: 'number' })
      const range = make('input', { type: 'range', id, min: 0, max: count - 1, value: this.#at[key], oninput: () => {
        this.#at[key] = Number(range.value)
        this.#draw()
      } })
      return { key, range, output, field: make('div', { class: 'field' }, make('label', { for: id }, `${label} `, output), range) }
    }
    this.sliders = [slider('Timestep', 't', this.#watched.timesteps), slider('Unit', 'unit', cell.units)]
    const play = make('button', { type: 'button', onclick: () => (this.#playing === undefined ? void this.#play() : this.#stop()) }, 'Play')
    this.play = play
    this.curve = make('canvas', { class: 'chart', role: 'img' })
    this.equation = make('p', { class: 'equation number', role: 'status' })
    element('watched').replaceChildren(
      this.#choices(),
      make('div', { class: 'controls' }, ...this.sliders.map(({ field }) => field)),
      make('div', { class: 'row' }, play, this.#scale()),
      make('div', { class: 'maps' }, ...this.#maps.map(({ figure }) => figure)),
      make('h3', {}, 'This unit over time'),
      this.curve,
      make('ul', { class: 'legend' }, ...this.#maps.map(({ name, title }) => {
        const item = make('li', {}, `${name} ${title}`)
        item.style.setProperty('--colour', `var(--${COLOURS[name]})`)
        return item
      })),
      this.equation,
    )
    this.#draw()
  }

  /** What the colours of the maps mean. */
  #scale() {
    this.ramp = make('canvas', { 'width': 101, 'height': 1, 'role': 'img', 'aria-label': 'Colours from the least value to the greatest' })
    return make('span', { class: 'scale' }, '-1', this.ramp, '1; gates from 0 to 1; c as far as it goes')
  }

  #point(event, canvas) {
    const { left, top, width, height } = canvas.getBoundingClientRect()
    const { timesteps, cells } = this.#watched
    const within = (share, count) => Math.max(0, Math.min(count - 1, Math.floor(share * count)))
    this.#at.t = within((event.clientX - left) / width, timesteps)
    this.#at.unit = within((event.clientY - top) / height, cells[this.#at.cell].units)
    this.#draw()
  }

  async #play() {
    const playing = this.#playing = {}
    this.play.textContent = 'Stop'
    if (this.#at.t >= this.#watched.timesteps - 1) this.#at.t = -1
    const wait = Math.max(16, Math.min(200, 4000 / this.#watched.timesteps))
    while (this.#playing === playing && this.#at.t < this.#watched.timesteps - 1) {
      this.#at.t++
      this.#draw()
      await new Promise((resolve) => setTimeout(resolve, wait))
      await pause()
    }
    if (this.#playing === playing) this.#stop()
  }

  #stop() {
    this.#playing = undefined
    if (this.play !== undefined) this.play.textContent = 'Play'
  }

  #draw() {
    if (this.#watched === undefined || this.#maps.length === 0) return
    const { timesteps } = this.#watched
    const { t, unit } = this.#at
    drawRamp(this.ramp)
    for (const map of this.#maps) {
      const { canvas, values, width, value, name } = map
      const most = name === 'c' || name === 'h' ? values.reduce((largest, each) => Math.max(largest, Math.abs(each)), 1e-6) : 1
      drawMap(canvas, values, timesteps, width, name === 'h' ? Math.max(most, 1e-6) : most, { t, unit: Math.min(unit, width - 1) })
      value.textContent = unit < width ? short(values[t * width + unit], 3) : ''
    }
    for (const { key, range, output } of this.sliders) {
      range.value = this.#at[key]
      output.textContent = String(this.#at[key])
    }
    this.curve.setAttribute('aria-label', `States and gates of unit ${unit} over time`)
    drawCurve(this.curve, this.#maps, timesteps, { t, unit })
    this.equation.textContent = equationOf(this.#watched.node.op, this.#maps, { t, unit }, this.#direction())
  }

  #direction() {
    return this.#watched.cells[this.#at.cell].direction
  }
}

/** Colour of a value from -1 to 1: cool, the ground, warm. */
function tint(share, ground, cool, warm) {
  const to = share < 0 ? cool : warm
  const amount = Math.min(1, Math.abs(share))
  return ground.map((part, n) => part + (to[n] - part) * amount)
}

function drawRamp(canvas) {
  const picture = canvas.getContext('2d')
  const image = picture.createImageData(101, 1)
  const colours = ['ground', 'cool', 'warm'].map(colourOf)
  for (let n = 0; n <= 100; n++) image.data.set([...tint(n / 50 - 1, ...colours), 255], 4 * n)
  picture.putImageData(image, 0, 0)
}

/** One pixel a value, enlarged without smoothing; what is looked at is crossed by two lines. */
function drawMap(canvas, values, timesteps, width, most, { t, unit }) {
  const image = new ImageData(timesteps, width)
  const colours = ['ground', 'cool', 'warm'].map(colourOf)
  for (let at = 0; at < timesteps; at++) {
    for (let n = 0; n < width; n++) {
      const [red, green, blue] = tint(values[at * width + n] / most, ...colours)
      const pixel = 4 * (n * timesteps + at)
      image.data[pixel] = red
      image.data[pixel + 1] = green
      image.data[pixel + 2] = blue
      image.data[pixel + 3] = 255
    }
  }
  const small = new OffscreenCanvas(timesteps, width)
  small.getContext('2d').putImageData(image, 0, 0)
  const { picture, width: across, height } = clearCanvas(canvas)
  picture.imageSmoothingEnabled = false
  picture.drawImage(small, 0, 0, across, height)
  picture.strokeStyle = cssColour('text')
  picture.lineWidth = 1
  picture.strokeRect(t / timesteps * across, 0, Math.max(1, across / timesteps), height)
  picture.strokeRect(0, unit / width * height, across, Math.max(1, height / width))
}

function drawCurve(canvas, maps, timesteps, { t, unit }) {
  const { picture, width, height } = clearCanvas(canvas)
  const most = maps.reduce((largest, { values, width: size }) => {
    for (let at = 0; at < timesteps && unit < size; at++) largest = Math.max(largest, Math.abs(values[at * size + unit]))
    return largest
  }, 1)
  const x = (at) => (at + 0.5) / timesteps * width
  const y = (value) => height / 2 - value / most * (height / 2 - 8)
  picture.fillStyle = cssColour('edge')
  for (const line of [-1, 0, 1]) picture.fillRect(0, y(line), width, 1)
  picture.fillStyle = cssColour('quiet')
  picture.font = '12px system-ui, sans-serif'
  for (const line of [-1, 1]) picture.fillText(String(line), 4, y(line) + (line < 0 ? -4 : 12))
  for (const { name, values, width: size } of maps) {
    if (unit >= size) continue
    picture.strokeStyle = cssColour(COLOURS[name])
    picture.lineWidth = name === 'h' ? 2.5 : 1.5
    picture.setLineDash(name === 'c' ? [6, 4] : [])
    picture.beginPath()
    for (let at = 0; at < timesteps; at++) picture.lineTo(x(at), y(values[at * size + unit]))
    picture.stroke()
  }
  picture.setLineDash([])
  picture.fillStyle = cssColour('text')
  picture.fillRect(x(t) - 0.5, 0, 1, height)
}

/** The update of one unit with its numbers. */
function equationOf(op, maps, { t, unit }, direction) {
  const at = (name, step = t) => {
    const { values, width } = maps.find((map) => map.name === name)
    return unit < width ? short(values[step * width + unit], 3) : '-'
  }
  const before = direction === 'reverse' ? t + 1 : t - 1
  const { values, width } = maps[0]
  const isFirst = before < 0 || before >= values.length / width
  const old = (name) => (isFirst ? 'the initial state' : at(name, before))
  if (op === 'lstm') return `c = f · c before + i · g = ${at('f')} · ${old('c')} + ${at('i')} · ${at('g')} = ${at('c')};   h = ${at('h')}`
  if (op === 'gru') return `h = (1 - z) · n + z · h before = (1 - ${at('z')}) · ${at('n')} + ${at('z')} · ${old('h')} = ${at('h')}`
  return `h = ${at('h')}`
}
