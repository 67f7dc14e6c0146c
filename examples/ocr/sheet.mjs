// A sheet of paper: it is written on with the pointer, or shows a picture, of which the pointer chooses a piece.

const PAPER = '#ffffff'
const INK = '#101418'
const CHOICE = '#0a66d8'
const READ = '#d97a00'
/** In units of the page. */
const EMPTY_HEIGHT = 150
const PEN = 3.5
/** Pictures are no larger than this on a side: a line has no need of more. */
const MOST_PIXELS = 4096
/** What is shorter is a click. */
const SHORTEST_CHOICE = 6

/** @param onChange called when there is something else to read */
export class Sheet {
  #canvas
  #onChange
  #picture = new OffscreenCanvas(1, 1)
  #isPicture = false
  /** Pixels of the picture in a unit of the page. */
  #scale = 1
  /** The piece of a picture that is read: { left, top, width, height } in pixels, the whole of it where there is none. */
  #choice
  #from
  /** Where the line was found. */
  #box

  constructor(canvas, onChange) {
    this.#canvas = canvas
    this.#onChange = onChange
    canvas.addEventListener('pointerdown', (event) => this.#begin(event))
    canvas.addEventListener('pointermove', (event) => this.#move(event))
    for (const type of ['pointerup', 'pointercancel']) canvas.addEventListener(type, (event) => this.#end(event))
  }

  /** Empty, as wide as the page. */
  clear() {
    const width = this.#canvas.parentElement.clientWidth
    const scale = Math.max(1, devicePixelRatio)
    const style = getComputedStyle(this.#canvas.parentElement)
    const inner = width - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight)
    this.#use(Math.round(inner * scale), Math.round(EMPTY_HEIGHT * scale), false)
  }

  /** A picture: of a file, or what another canvas shows. */
  show(picture) {
    const shrink = Math.min(1, MOST_PIXELS / Math.max(picture.width, picture.height))
    const [width, height] = [picture.width, picture.height].map((size) => Math.max(1, Math.round(size * shrink)))
    this.#use(width, height, true, picture)
  }

  /** What is to be read, and where it lies. */
  get image() {
    const { left, top, width, height } = this.#choice ?? { left: 0, top: 0, width: this.#picture.width, height: this.#picture.height }
    return { image: this.#picture.getContext('2d').getImageData(left, top, width, height), left, top }
  }

  get isPicture() {
    return this.#isPicture
  }

  /** Frames the line that was found; undefined for none. */
  frame(box) {
    this.#box = box
    this.#draw()
  }

  #use(width, height, isPicture, picture) {
    this.#picture = new OffscreenCanvas(width, height)
    const context = this.#picture.getContext('2d', { willReadFrequently: true })
    context.fillStyle = PAPER
    context.fillRect(0, 0, width, height)
    if (picture !== undefined) context.drawImage(picture, 0, 0, width, height)
    Object.assign(this.#canvas, { width, height })
    // As large as the page lets it be, and not higher than half the window.
    this.#canvas.style.aspectRatio = `${width} / ${height}`
    this.#canvas.style.width = isPicture ? `min(100%, ${Math.round(50 * width / height)}vh, ${Math.max(2 * width, 200)}px)` : '100%'
    this.#isPicture = isPicture
    this.#choice = this.#box = this.#from = undefined
    this.#draw()
    this.#onChange()
  }

  #draw() {
    const context = this.#canvas.getContext('2d')
    context.drawImage(this.#picture, 0, 0)
    this.#scale = this.#canvas.width / Math.max(1, this.#canvas.clientWidth)
    this.#outline(context, this.#choice, CHOICE)
    if (this.#isPicture) this.#outline(context, this.#box, READ)
  }

  #outline(context, box, colour) {
    if (box === undefined) return
    context.strokeStyle = colour
    context.lineWidth = 1.5 * this.#scale
    context.strokeRect(box.left, box.top, box.width, box.height)
  }

  #at({ offsetX, offsetY }) {
    const within = (value, most) => Math.max(0, Math.min(most, value * this.#scale))
    return { x: within(offsetX, this.#canvas.width), y: within(offsetY, this.#canvas.height) }
  }

  #begin(event) {
    if (event.button !== 0) return
    event.preventDefault()
    // Pointers that a program makes cannot be captured.
    try {
      this.#canvas.setPointerCapture(event.pointerId)
    } catch {
      // Then it is drawn while the pointer is over the sheet.
    }
    this.#scale = this.#canvas.width / Math.max(1, this.#canvas.clientWidth)
    this.#from = this.#at(event)
    if (!this.#isPicture) this.#stroke(this.#from)
  }

  #move(event) {
    if (this.#from === undefined) return
    const to = this.#at(event)
    if (this.#isPicture) this.#choice = between(this.#from, to)
    else this.#stroke(to)
    this.#draw()
  }

  #end() {
    if (this.#from === undefined) return
    this.#from = undefined
    if (this.#choice !== undefined && Math.min(this.#choice.width, this.#choice.height) < SHORTEST_CHOICE) this.#choice = undefined
    this.#box = undefined
    this.#draw()
    this.#onChange()
  }

  #stroke(to) {
    const context = this.#picture.getContext('2d')
    Object.assign(context, { strokeStyle: INK, lineWidth: PEN * this.#scale, lineCap: 'round', lineJoin: 'round' })
    context.beginPath()
    context.moveTo(this.#from.x, this.#from.y)
    context.lineTo(to.x, to.y)
    context.stroke()
    this.#from = to
    this.#draw()
  }
}

function between(a, b) {
  const [left, top] = [Math.floor(Math.min(a.x, b.x)), Math.floor(Math.min(a.y, b.y))]
  return { left, top, width: Math.max(1, Math.ceil(Math.max(a.x, b.x)) - left), height: Math.max(1, Math.ceil(Math.max(a.y, b.y)) - top) }
}
