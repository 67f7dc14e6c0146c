import { clearCanvas, colourOf } from '../canvas.mjs'

const ROWS = 28
const CLASSES = 10

/** What the model says of an image after each of its rows: Float32Array [28, 10]. */
export function afterEachRow(model, image) {
  const probabilities = new Float32Array(ROWS * CLASSES)
  for (let row = 1; row <= ROWS; row++) {
    const { output } = model.run({ dtype: 'float32', shape: [1, row, ROWS], data: image.slice(0, row * ROWS) })
    probabilities.set(output.data, (row - 1) * CLASSES)
  }
  return probabilities
}

/** The image row by row, and beside each row how likely the model holds each digit by then. */
export function drawRows(canvas, image, probabilities) {
  const { picture, width, height } = clearCanvas(canvas)
  const rowHeight = (height - 18) / ROWS
  const side = Math.min(width * 0.4, height - 18)
  const column = (width - side - 24) / CLASSES
  for (let row = 0; row < ROWS; row++) {
    for (let pixel = 0; pixel < ROWS; pixel++) {
      picture.globalAlpha = image[row * ROWS + pixel]
      picture.fillStyle = colourOf('text')
      picture.fillRect(pixel * side / ROWS, row * rowHeight, side / ROWS + 0.5, rowHeight + 0.5)
    }
    for (let digit = 0; digit < CLASSES; digit++) {
      picture.globalAlpha = probabilities[row * CLASSES + digit]
      picture.fillStyle = colourOf('warm')
      picture.fillRect(side + 24 + digit * column, row * rowHeight, column - 2, rowHeight + 0.5)
    }
  }
  picture.globalAlpha = 1
  picture.fillStyle = colourOf('quiet')
  picture.font = '13px system-ui, sans-serif'
  picture.textAlign = 'center'
  for (let digit = 0; digit < CLASSES; digit++) picture.fillText(String(digit), side + 24 + (digit + 0.5) * column, height - 4)
}
