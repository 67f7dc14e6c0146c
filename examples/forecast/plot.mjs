import { clearCanvas, colourOf } from '../canvas.mjs'

const MARGIN = 44

/**
 * A stretch of the series, and the forecast of it where there is one.
 * @param values the series
 * @param forecast { begins, forecast } of learn.mjs, or undefined
 * @param from the first row that is drawn, of `count`
 */
export function drawForecast(canvas, values, forecast, from, count) {
  const { picture, width, height } = clearCanvas(canvas)
  const shown = values.subarray(from, from + count)
  const first = forecast?.begins[0] ?? 0
  const guessed = forecast === undefined ? [] : forecast.forecast.subarray(Math.max(0, from - first), Math.max(0, from + count - first))
  const all = [...shown, ...guessed]
  const [low, high] = [Math.min(...all), Math.max(...all)]
  const x = (n) => MARGIN + n / Math.max(1, count - 1) * (width - MARGIN - 8)
  const y = (value) => height - 22 - (value - low) / (high - low || 1) * (height - 34)
  picture.font = '12px system-ui, sans-serif'
  picture.fillStyle = colourOf('quiet')
  picture.strokeStyle = colourOf('edge')
  const isSparse = forecast !== undefined && forecast.forecast.length / forecast.begins.length >= 6 // else the lines would fill the picture
  for (const begin of isSparse ? forecast.begins : []) {
    if (begin >= from && begin < from + count) line([[x(begin - from), 12], [x(begin - from), height - 22]])
  }
  for (let n = 0; n <= 4; n++) {
    const value = low + (high - low) * n / 4
    picture.fillText(Number(value.toPrecision(3)), 2, y(value) + 4)
  }
  picture.fillText(`row ${from}`, MARGIN, height - 5)
  picture.lineWidth = 2
  for (const [series, begin, colour] of [[shown, from, 'text'], [guessed, Math.max(from, first), 'warm']]) {
    picture.strokeStyle = colourOf(colour)
    line(Array.from(series, (value, n) => [x(begin - from + n), y(value)]))
  }

  function line(points) {
    picture.beginPath()
    for (const point of points) picture.lineTo(...point)
    picture.stroke()
  }
}
