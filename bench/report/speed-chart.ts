import { byCase, digits, fastestOf } from './format.ts'
import { COLOURS, toFile, write } from './drawing.ts'
import { isTimed, type Row } from '../measure.ts'

const WIDTH = 840
const ROW_HEIGHT = 24
const MARGINS = { marginTop: 92, marginRight: 28, marginBottom: 44, marginLeft: 164 }

/**
 * A row a case, a dot an engine: how many times as long as this library's fastest binary it takes.
 * @param where machine and runtime
 */
export function drawSpeed({ Plot, document }: { Plot: any, document: any }, rows: readonly Row[], where: string) {
  const points = byCase(rows).flatMap(([name, group]) => {
    const ours = fastestOf(group, 'lstm-wasm')
    if (!Number.isFinite(ours)) return []
    const best = new Map([['lstm-wasm', 1]])
    for (const { engine, medianUs } of group.filter(isTimed)) {
      if (engine !== 'lstm-wasm') best.set(engine, Math.min(medianUs / ours, best.get(engine) ?? Infinity))
    }
    return [...best].map(([engine, ratio]) => ({ name, engine, ratio }))
  })
  const names = [...new Set(points.map(({ name }) => name))]
  const engines = Object.keys(COLOURS).filter((engine) => points.some((point) => point.engine === engine))
  const ratios = points.map(({ ratio }) => ratio)
  const domain = [Math.min(0.5, ...ratios) / 1.25, Math.max(2, ...ratios) * 1.35]
  const ticks = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000].filter((tick) => tick > domain[0] && tick < domain[1])
  const height = MARGINS.marginTop + MARGINS.marginBottom + names.length * ROW_HEIGHT
  const svg = Plot.plot({
    document, width: WIDTH, height, ...MARGINS,
    x: { type: 'log', domain, axis: null },
    y: { type: 'band', domain: names, axis: null },
    marks: [
      Plot.gridX(ticks, { strokeOpacity: 0.12 }),
      Plot.axisX(ticks, { text: (ratio: number) => `${ratio}x`, fontSize: 12, label: null }),
      Plot.axisY(names, { tickSize: 0, fontSize: 12.5, label: null }),
      Plot.rect([0], { x1: domain[0], x2: 1, fill: 'currentColor', fillOpacity: 0.06 }),
      Plot.ruleX([1], { stroke: COLOURS['lstm-wasm'], strokeWidth: 2 }),
      Plot.ruleY(names, { x1: domain[0], x2: domain[1], y: (name: string) => name, stroke: 'currentColor', strokeOpacity: 0.08 }),
      Plot.dot(points, {
        x: 'ratio', y: 'name', r: ({ engine }: { engine: string }) => (engine === 'lstm-wasm' ? 5.5 : 5),
        fill: ({ engine }: { engine: string }) => COLOURS[engine], fillOpacity: 0.95,
      }),
    ],
    r: { type: 'identity' },
    color: { type: 'identity' },
  })
  const title = 'Time of each engine, relative to lstm-wasm'
  write(svg, { x: 12, y: 24, text: title, size: 17, weight: 700 })
  write(svg, { x: 12, y: 43, text: `One thread, float32, medians; every output checked. ${where}`, size: 12.5 })
  let x = 12
  for (const engine of engines) {
    write(svg, { x, y: 66, text: '\u25cf', fill: COLOURS[engine], size: 15 })
    write(svg, { x: x + 15, y: 66, text: engine, weight: engine === 'lstm-wasm' ? 700 : 400 })
    x += 15 + engine.length * (engine === 'lstm-wasm' ? 8.2 : 7.3) + 18
  }
  const at: number = svg.scale('x').apply(1)
  write(svg, { x: at - 8, y: 86, text: '\u2190 faster', anchor: 'end', size: 12 })
  write(svg, { x: at + 8, y: 86, text: 'slower than lstm-wasm \u2192', size: 12 })
  const longest = digits(Math.max(...ratios))
  return toFile(svg, { title, description: `${names.length} cases; the other engines take between ${digits(Math.min(...ratios))} and ${longest} times as long` })
}
