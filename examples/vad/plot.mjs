import { clearCanvas } from '../canvas.mjs'

const PROBABILITY = '#ffb454'
const SPEECH = '#ffb45433'
const LOUDNESS = '#6cb6ff'
const LINES = '#343b48'
const WORDS = '#a3a9b5'

/** Probabilities of speech as a line, loudness as bars below it, speech as coloured ground; `cursor` is where it plays. */
export function drawPlot(canvas, { probabilities, loudness, speech, secondsAFrame, cursor }) {
  const { picture, width, height } = clearCanvas(canvas)
  const x = (frame) => frame / probabilities.length * width
  const y = (probability) => 8 + (1 - probability) * (height * 0.6 - 8)
  picture.fillStyle = SPEECH
  for (const [from, to] of speech) picture.fillRect(x(from), 0, x(to) - x(from), height)
  picture.fillStyle = LINES
  for (const probability of [0, 0.5, 1]) picture.fillRect(0, y(probability), width, 1)
  picture.fillStyle = WORDS
  picture.font = '12px system-ui, sans-serif'
  const seconds = probabilities.length * secondsAFrame
  const tick = [1, 2, 5, 10, 30, 60, 300].find((step) => seconds / step * 45 <= width) ?? 600
  for (let second = 0; second < seconds; second += tick) {
    picture.fillRect(second / seconds * width, height - 16, 1, 16)
    if (width - second / seconds * width > 40) picture.fillText(`${second} s`, second / seconds * width + 4, height - 4)
  }

  picture.fillStyle = LOUDNESS
  const step = Math.max(1, width / probabilities.length)
  loudness.forEach((value, n) => picture.fillRect(x(n), height - 20 - value * height * 0.26, Math.max(1, step * 0.75), value * height * 0.26))
  picture.strokeStyle = PROBABILITY
  picture.lineWidth = 2
  picture.beginPath()
  probabilities.forEach((probability, n) => picture.lineTo(x(n + 0.5), y(probability)))
  picture.stroke()
  if (cursor !== undefined) {
    picture.fillStyle = '#e8e6e1'
    picture.fillRect(x(cursor) - 1, 0, 2, height)
  }
}
