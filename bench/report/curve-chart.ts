import { AXES, type Axis } from '../curves/axes.ts'
import { COLOURS, apart, toFile, write } from './drawing.ts'
import { formatBytes } from './cold-table.ts'
import { formatTime } from './format.ts'
import type { Curves } from '../curves/measure-curves.ts'

const WIDTH = 720
const HEIGHT = 420
const MARGINS = { marginTop: 62, marginRight: 140, marginBottom: 46, marginLeft: 64 }
const LINE_HEIGHT = 16

/** A curve an engine on logarithmic axes, named at its end. */
export function drawCurves({ Plot, document }: { Plot: any, document: any }, axisName: string, kind: 'time' | 'memory', { times, memory }: Curves) {
  const axis = AXES.find(({ name }) => name === axisName) as Axis
  const points = kind === 'time'
    ? times.filter((point) => point.axis === axisName).map(({ engine, value, medianUs }) => ({ engine, value, y: medianUs }))
    : memory.filter((point) => point.axis === axisName).map(({ engine, value, bytes }) => ({ engine, value, y: Math.max(bytes, 1e5) }))
  // Ours last: it is drawn over the others.
  const engines = [...new Set(points.map(({ engine }) => engine))].sort((a, b) => Number(a === 'lstm-wasm') - Number(b === 'lstm-wasm'))
  const format = (value: number) => (kind === 'time' ? formatTime(value) : formatBytes(value)).replace(/\.0+ /, ' ')
  const decadeTicks = decades(points.map(({ y }) => y))
  const ticks = axis.values.length > 8 && axisName === 'timesteps' ? [1, 10, 100, 1000, 10000] : axis.values
  const svg = Plot.plot({
    document, width: WIDTH, height: HEIGHT, ...MARGINS,
    x: { type: 'log', label: null, axis: null, domain: [axis.values[0], axis.values.at(-1)] },
    y: { type: 'log', label: null, axis: null, domain: [decadeTicks[0], decadeTicks.at(-1)] },
    // Axes as marks of their own, with texts: those of a scale leave some ticks of a logarithm unnamed.
    marks: [
      Plot.gridY(decadeTicks, { strokeOpacity: 0.15 }),
      Plot.axisX(ticks, { text: (value: number) => value.toLocaleString('en'), fontSize: 12, label: null }),
      Plot.axisY(decadeTicks, { text: format, fontSize: 12, tickSize: 0, label: null }),
    ].concat(engines.flatMap((engine) => {
      const own = points.filter((point) => point.engine === engine)
      const stroke = COLOURS[engine]
      const strokeWidth = engine === 'lstm-wasm' ? 3.5 : 2
      return [
        Plot.line(own, { x: 'value', y: 'y', stroke, strokeWidth }),
        Plot.dot(own, { x: 'value', y: 'y', fill: stroke, r: engine === 'lstm-wasm' ? 4 : 3 }),
      ]
    })),
  })
  const ends = engines.map((engine) => (points.filter((point) => point.engine === engine).at(-1) as typeof points[number]))
  const [xScale, yScale] = ['x', 'y'].map((name) => svg.scale(name))
  for (const value of new Set(ends.map((end) => end.value))) {
    const here = ends.filter((end) => end.value === value)
    const heights = apart(here.map(({ y }) => yScale.apply(y)), LINE_HEIGHT, HEIGHT - MARGINS.marginBottom)
    here.forEach(({ engine }, n) => write(svg, {
      x: Number(xScale.apply(value)) + 9, y: heights[n] + 4, text: engine, fill: COLOURS[engine], weight: engine === 'lstm-wasm' ? 700 : 500,
    }))
  }
  const title = kind === 'time' ? `Time of one call by ${axis.title}` : `Resident memory of the process by ${axis.title}`
  const description = kind === 'time' ? axis.about : `${axis.about}; beyond the runtime, weights and inputs`
  write(svg, { x: 12, y: 22, text: title, size: 16, weight: 700 })
  write(svg, { x: 12, y: 41, text: description, size: 12.5 })
  write(svg, { x: (WIDTH - MARGINS.marginRight + MARGINS.marginLeft) / 2, y: HEIGHT - 10, text: axis.title, anchor: 'middle' })
  return toFile(svg, { title, description })
}

/** Powers of ten that the values span. */
function decades(values: readonly number[]) {
  const [low, high] = [Math.floor(Math.log10(Math.min(...values))), Math.ceil(Math.log10(Math.max(...values)))]
  return Array.from({ length: high - low + 1 }, (_, n) => 10 ** (low + n))
}
