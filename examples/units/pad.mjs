// A pad to draw a digit on with mouse, pen or finger.
import { clearCanvas, colourOf } from '../canvas.mjs'

const SIDE = 28
const INK = 20 // MNIST's digits fill a box of 20 x 20, and their centre of mass is the centre of the image

/** @param onChange is told the image, Float32Array [28, 28] from 0 to 1, or undefined for an empty pad */
export function makePad(canvas, onChange) {
  let strokes = []
  const draw = () => {
    const { picture, width } = clearCanvas(canvas)
    picture.strokeStyle = colourOf('text')
    picture.lineWidth = width / 14
    picture.lineCap = picture.lineJoin = 'round'
    for (const stroke of strokes) {
      picture.beginPath()
      for (const [x, y] of stroke) picture.lineTo(x * width, y * width)
      picture.stroke()
    }
  }
  const place = ({ offsetX, offsetY }) => [offsetX / canvas.clientWidth, offsetY / canvas.clientWidth]
  canvas.addEventListener('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId)
    strokes.push([place(event), place(event)])
    draw()
  })
  canvas.addEventListener('pointermove', (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) return
    strokes.at(-1).push(place(event))
    draw()
    onChange(imageOf(strokes))
  })
  canvas.addEventListener('pointerup', () => onChange(imageOf(strokes)))
  draw()
  return {
    clear() {
      strokes = []
      draw()
      onChange(undefined)
    },
    get image() {
      return imageOf(strokes)
    },
  }
}

/** What was drawn, as MNIST's images are made: scaled into a box, and centred by its mass. */
function imageOf(strokes) {
  const points = strokes.flat()
  if (points.length === 0) return undefined
  const [left, right] = [Math.min(...points.map(([x]) => x)), Math.max(...points.map(([x]) => x))]
  const [top, bottom] = [Math.min(...points.map(([, y]) => y)), Math.max(...points.map(([, y]) => y))]
  const scale = (INK - 3) / Math.max(right - left, bottom - top, 0.1)
  let image = paint(strokes, scale, SIDE / 2 - scale * (left + right) / 2, SIDE / 2 - scale * (top + bottom) / 2)
  let [mass, x, y] = [0, 0, 0]
  image.forEach((value, n) => {
    mass += value
    x += value * (n % SIDE)
    y += value * Math.floor(n / SIDE)
  })
  image = paint(strokes, scale, SIDE - 0.5 - x / mass - scale * (left + right) / 2, SIDE - 0.5 - y / mass - scale * (top + bottom) / 2)
  return image
}

function paint(strokes, scale, left, top) {
  const canvas = new OffscreenCanvas(SIDE, SIDE)
  const picture = canvas.getContext('2d', { willReadFrequently: true })
  picture.lineWidth = 2.6
  picture.lineCap = picture.lineJoin = 'round'
  for (const stroke of strokes) {
    picture.beginPath()
    for (const [x, y] of stroke) picture.lineTo(left + x * scale, top + y * scale)
    picture.stroke()
  }
  const { data } = picture.getImageData(0, 0, SIDE, SIDE)
  return Float32Array.from({ length: SIDE * SIDE }, (_, n) => data[4 * n + 3] / 255)
}
