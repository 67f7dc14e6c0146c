import type { LossCurve } from '../training/curve.ts'
import { COLOURS, apart, toFile, write } from './drawing.ts'

const WIDTH = 720
const HEIGHT = 420
const MARGINS = { marginTop: 62, marginRight: 186, marginBottom: 46, marginLeft: 52 }
const LINE_HEIGHT = 16

/** Losses over seconds, on a logarithmic axis: a curve an engine, named at its end. */
export function drawLosses({ Plot, document }: { Plot: any, document: any }, caseName: string, curves: readonly LossCurve[]) {
  const points = curves.flatMap(({ engine, points: own }) => own.map((point) => ({ engine, ...point })))
  const [first, last] = [Math.min(...points.map(({ seconds }) => seconds)), Math.max(...points.map(({ seconds }) => seconds))]
  const colourOf = (engine: string) => COLOURS[engine.replace(/ .*/, '')] ?? COLOURS['plain-js']
  const isOurs = (engine: string) => engine.startsWith('lstm-wasm')
  // Ours last: it is drawn over the others.
  const ordered = [...curves].sort((a, b) => Number(isOurs(a.engine)) - Number(isOurs(b.engine)))
  const ticks = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300].filter((value) => value >= first && value <= last)
  const svg = Plot.plot({
    document, width: WIDTH, height: HEIGHT, ...MARGINS,
    x: { type: 'log', label: null, axis: null, domain: [first, last] }, y: { label: null, axis: null, domain: [0, Math.max(...points.map(({ loss }) => loss))] },
    marks: [
      Plot.gridY({ strokeOpacity: 0.15 }), Plot.axisY({ fontSize: 12, tickSize: 0, label: null }),
      Plot.axisX(ticks, { text: (value: number) => `${value} s`, fontSize: 12, label: null }),
    ].concat(ordered.flatMap(({ engine, points: own }) => [
      Plot.line(own, { x: 'seconds', y: 'loss', stroke: colourOf(engine), strokeWidth: isOurs(engine) ? 3.5 : 2 }),
      // Of an engine that has taken one step, a line shows nothing.
      Plot.dot(own.slice(-1), { x: 'seconds', y: 'loss', fill: colourOf(engine), r: 3 }),
    ])),
  })
  const [xScale, yScale] = ['x', 'y'].map((name) => svg.scale(name))
  const ends = ordered.map(({ points: own }) => own.at(-1) as LossCurve['points'][number])
  const heights = apart(ends.map(({ loss }) => yScale.apply(loss)), LINE_HEIGHT, HEIGHT - MARGINS.marginBottom)
  ordered.forEach(({ engine }, n) => write(svg, {
    x: Number(xScale.apply(ends[n].seconds)) + 9, y: heights[n] + 4, text: engine, fill: colourOf(engine), weight: isOurs(engine) ? 700 : 500,
  }))
  const title = 'Loss over seconds of training'
  const description = `${caseName.replace(/^train /, '')}: one batch, the same first weights, Adam at 0.001; one thread`
  write(svg, { x: 12, y: 22, text: title, size: 16, weight: 700 })
  write(svg, { x: 12, y: 41, text: description, size: 12.5 })
  return toFile(svg, { title, description })
}
