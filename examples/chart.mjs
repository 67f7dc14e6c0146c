import { clearCanvas, colourOf } from './canvas.mjs'

const COLOURS = ['gate-i', 'gate-f', 'gate-g', 'gate-o', 'cool', 'warm']
const MARGIN = 34

/** The colour of the curve of the n-th number of units. */
export const curveColour = (n) => COLOURS[n % COLOURS.length]

/**
 * Loss and accuracy over seconds.
 * @param curves [{ name, points: [{ seconds, loss, accuracy }] }]
 * @param value 'loss' or 'accuracy'
 */
export function drawCurves(canvas, curves, value) {
  const { picture, width, height } = clearCanvas(canvas)
  const all = curves.flatMap(({ points }) => points)
  const longest = Math.max(1, ...all.map(({ seconds }) => seconds))
  const highest = value === 'accuracy' ? 1 : Math.max(1, ...all.map((point) => point[value]))
  const x = (seconds) => MARGIN + seconds / longest * (width - MARGIN - 8)
  const y = (number) => height - 22 - number / highest * (height - 34)
  picture.font = '12px system-ui, sans-serif'
  picture.fillStyle = colourOf('quiet')
  picture.strokeStyle = colourOf('edge')
  for (let n = 0; n <= 4; n++) {
    const number = highest * n / 4
    picture.beginPath()
    picture.moveTo(MARGIN, y(number))
    picture.lineTo(width - 8, y(number))
    picture.stroke()
    picture.fillText(value === 'accuracy' ? `${Math.round(number * 100)}%` : number.toFixed(2), 2, y(number) + 4)
  }
  picture.fillText(`${longest.toFixed(0)} s`, width - 34, height - 5)
  picture.lineWidth = 2
  curves.forEach(({ points }, n) => {
    picture.strokeStyle = colourOf(curveColour(n))
    picture.beginPath()
    for (const point of points) picture.lineTo(x(point.seconds), y(point[value]))
    picture.stroke()
  })
}
