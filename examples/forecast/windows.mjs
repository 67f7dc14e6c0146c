// A series cut into windows: so many hours to look at, and those that came next.

/** The last share of the series is kept from training: that is what the forecast is judged on. */
const HELD_OUT = 0.2
const MOST_WINDOWS = 4000

/**
 * @param values the series
 * @param past how many rows a forecast looks back
 * @param ahead how many rows it says
 * @returns { train: { x, y }, test: { x, begins }, mean, deviation, begin }: x float32 [windows, past, 1] and y [windows, ahead], both normalised by what
 *   is trained with alone; `begins`: the row of the series at which each forecast begins; `begin`: the first row that is kept from training
 */
export function cutWindows(values, { past, ahead }) {
  const begin = Math.floor(values.length * (1 - HELD_OUT))
  const room = begin - past - ahead + 1
  const forecasts = Math.floor((values.length - begin) / ahead)
  if (room < 32 || forecasts < 1) {
    throw new Error(`${values.length} rows are too few: with ${past} to look at and ${ahead} to forecast, expected ${leastRows(past, ahead)} or more`)
  }
  const { mean, deviation } = statisticsOf(values.subarray(0, begin))
  if (deviation === 0) throw new Error('the column has one and the same number everywhere: there is nothing to learn')
  const normal = Float32Array.from(values, (value) => (value - mean) / deviation)
  const stride = Math.ceil(room / MOST_WINDOWS)
  const starts = Array.from({ length: Math.ceil(room / stride) }, (_, n) => past + n * stride)
  const begins = Array.from({ length: forecasts }, (_, n) => begin + n * ahead)
  return {
    train: { x: windowsBefore(normal, starts, past), y: array(starts.map((start) => normal.subarray(start, start + ahead)), [starts.length, ahead]) },
    test: { x: windowsBefore(normal, begins, past), begins },
    mean, deviation, begin,
  }
}

/** Root of the mean squared error of forecasts of the rows from `begin` on. */
export function rootMeanSquare(forecast, values, begin) {
  return Math.sqrt(forecast.reduce((sum, value, n) => sum + (value - values[begin + n]) ** 2, 0) / forecast.length)
}

/** Forecasts that need no model: what was `lag` rows before, or, with a lag of 0, the last value that is known where a forecast begins. */
export function naiveForecast(values, begins, ahead, lag) {
  return Float64Array.from({ length: begins.length * ahead }, (_, n) => (lag === 0 ? values[begins[Math.floor(n / ahead)] - 1] : values[begins[0] + n - lag]))
}

/** 32 windows to train with, in the first part; the last part is then longer than one forecast, or `ahead` asks for more. */
function leastRows(past, ahead) {
  return Math.max(Math.ceil((past + ahead + 31) / (1 - HELD_OUT)), Math.ceil(ahead / HELD_OUT)) + 1
}

function windowsBefore(normal, starts, past) {
  return array(starts.map((start) => normal.subarray(start - past, start)), [starts.length, past, 1])
}

function array(parts, shape) {
  const data = new Float32Array(shape.reduce((a, b) => a * b))
  parts.forEach((part, n) => data.set(part, n * part.length))
  return { dtype: 'float32', shape, data }
}

function statisticsOf(values) {
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  return { mean, deviation: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) }
}
