import { clearCanvas, colourOf } from '../canvas.mjs'

const SPEECH_OPACITY = 0.2

/** Probabilities of speech as a line, loudness as bars below it, speech as coloured ground; `cursor` is where it plays. */
export function drawPlot(canvas, { probabilities, loudness, speech, secondsAFrame, cursor }) {
  const { picture, width, height } = clearCanvas(canvas)
  const x = (frame) => frame / probabilities.length * width
  const y = (probability) => 8 + (1 - probability) * (height * 0.6 - 8)
  picture.fillStyle = colourOf('warm')
  picture.globalAlpha = SPEECH_OPACITY
  for (const [from, to] of speech) picture.fillRect(x(from), 0, x(to) - x(from), height)
  picture.globalAlpha = 1
  picture.fillStyle = colourOf('edge')
  for (const probability of [0, 0.5, 1]) picture.fillRect(0, y(probability), width, 1)
  picture.fillStyle = colourOf('quiet')
  picture.font = '12px system-ui, sans-serif'
  const seconds = probabilities.length * secondsAFrame
  const tick = [1, 2, 5, 10, 30, 60, 300].find((step) => seconds / step * 45 <= width) ?? 600
  for (let second = 0; second < seconds; second += tick) {
    picture.fillRect(second / seconds * width, height - 16, 1, 16)
    if (width - second / seconds * width > 40) picture.fillText(`${second} s`, second / seconds * width + 4, height - 4)
  }

  picture.fillStyle = colourOf('cool')
  const step = Math.max(1, width / probabilities.length)
  loudness.forEach((value, n) => picture.fillRect(x(n), height - 20 - value * height * 0.26, Math.max(1, step * 0.75), value * height * 0.26))
  picture.strokeStyle = colourOf('warm')
  picture.lineWidth = 2
  picture.beginPath()
  probabilities.forEach((probability, n) => picture.lineTo(x(n + 0.5), y(probability)))
  picture.stroke()
  if (cursor !== undefined) {
    picture.fillStyle = colourOf('text')
    picture.fillRect(x(cursor) - 1, 0, 2, height)
  }
}
