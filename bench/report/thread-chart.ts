import { isTimed, type Row } from '../measure.ts'
import { apart, COLOURS, toFile, write } from './drawing.ts'
import { byCase, fastestOf } from './format.ts'

const WIDTH = 840
/** Cases beside each other. */
const COLUMNS = 3
const PANEL = { width: WIDTH / COLUMNS, height: 190 }
const MARGINS = { marginTop: 34, marginRight: 116, marginBottom: 26, marginLeft: 40 }
const HEAD = 80
const LINE_HEIGHT = 14

/** Speed of an engine with a number of threads, as a multiple of this library's with one. */
export interface ThreadPoint { case: string, engine: string, threads: number, speed: number }

/** Points of the rows of `npm run bench:threads`: of our binaries, and of none other, the faster one counts. */
export function threadPoints(rows: readonly Row[]): ThreadPoint[] {
  return byCase(rows).flatMap(([name, group]) => {
    const unit = fastestOf(group, 'lstm-wasm')
    if (!Number.isFinite(unit)) return []
    const threads = new Map(group.filter(isTimed).map((row) => [row.engine, row.threads]))
    return [...threads].map(([engine, count]) => (
      { case: name, engine: engine.replace(` ${count} threads`, ''), threads: count, speed: unit / fastestOf(group, engine) }
    ))
  })
}

/** A panel a case: a line an engine, its speed over the number of threads. */
export function drawThreads({ Plot, document }: { Plot: any, document: any }, points: readonly ThreadPoint[], where: string) {
  const cases = [...new Set(points.map((point) => point.case))]
  const height = HEAD + Math.ceil(cases.length / COLUMNS) * PANEL.height
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  for (const [name, value] of Object.entries({ width: WIDTH, height, viewBox: `0 0 ${WIDTH} ${height}` })) svg.setAttribute(name, String(value))
  cases.forEach((name, n) => {
    const panel = drawPanel({ Plot, document }, name, points.filter((point) => point.case === name))
    panel.setAttribute('x', String(n % COLUMNS * PANEL.width))
    panel.setAttribute('y', String(HEAD + Math.floor(n / COLUMNS) * PANEL.height))
    for (const style of panel.querySelectorAll('style')) style.remove()
    svg.append(panel)
  })
  const title = 'Speed over the number of threads'
  const description = 'lstm-wasm with one thread is 1; higher is faster. Float32, medians, every output checked'
  write(svg, { x: 12, y: 24, text: title, size: 17, weight: 700 })
  write(svg, { x: 12, y: 43, text: description, size: 12.5 })
  write(svg, { x: 12, y: 60, text: where, size: 12.5 })
  return toFile(svg, { title, description })
}

function drawPanel({ Plot, document }: { Plot: any, document: any }, name: string, points: readonly ThreadPoint[]) {
  const threads = [...new Set(points.map((point) => point.threads))].sort((a, b) => a - b)
  // Ours last: it is drawn over the others.
  const engines = [...new Set(points.map(({ engine }) => engine))].sort((a, b) => Number(a === 'lstm-wasm') - Number(b === 'lstm-wasm'))
  const widthOf = (engine: string) => (engine === 'lstm-wasm' ? 3.5 : 2)
  const svg = Plot.plot({
    document, width: PANEL.width, height: PANEL.height, ...MARGINS,
    x: { axis: null, domain: [threads[0], Math.max(threads[0] + 1, threads.at(-1) ?? 2)] }, y: { axis: null, zero: true, nice: true },
    marks: [
      Plot.gridY({ strokeOpacity: 0.15, ticks: 4 }), Plot.axisY({ ticks: 4, fontSize: 11, tickSize: 0, label: null }),
      Plot.axisX(threads, { text: String, fontSize: 11, label: null }),
    ].concat(engines.flatMap((engine) => {
      const own = points.filter((point) => point.engine === engine).sort((a, b) => a.threads - b.threads)
      return [
        Plot.line(own, { x: 'threads', y: 'speed', stroke: COLOURS[engine], strokeWidth: widthOf(engine) }),
        Plot.dot(own, { x: 'threads', y: 'speed', fill: COLOURS[engine], r: widthOf(engine) }),
      ]
    })),
  })
  const ends = engines.map((engine) => points.filter((point) => point.engine === engine).reduce((last, point) => (point.threads > last.threads ? point : last)))
  const [xScale, yScale] = ['x', 'y'].map((scale) => svg.scale(scale))
  const heights = apart(ends.map(({ speed }) => yScale.apply(speed)), LINE_HEIGHT, PANEL.height - MARGINS.marginBottom)
  ends.forEach(({ engine, threads: last }, n) => write(svg, {
    x: Number(xScale.apply(last)) + 7, y: heights[n] + 4, text: engine, size: 11, fill: COLOURS[engine], weight: widthOf(engine) > 2 ? 700 : 500,
  }))
  write(svg, { x: 12, y: 20, text: name, size: 12.5, weight: 700 })
  return svg
}
