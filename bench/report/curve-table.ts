import { AXES, type Axis } from '../curves/axes.ts'
import { formatBytes } from './cold-table.ts'
import { formatTime } from './format.ts'
import { markdownTable, textTable } from './table.ts'
import type { Curves, TimePoint, MemoryPoint } from '../curves/measure-curves.ts'

/** A row a size, a column an engine: the time, and the memory where it was measured. */
export function formatCurves({ times, memory }: Curves, axisName: string, kind: 'text' | 'markdown') {
  const axis = AXES.find(({ name }) => name === axisName) as Axis
  const engines = [...new Set(times.map(({ engine }) => engine))]
  const find = <Point extends TimePoint | MemoryPoint>(points: readonly Point[], engine: string, value: number): Point | undefined => (
    points.find((point) => point.axis === axisName && point.engine === engine && point.value === value)
  )
  const rows = axis.values.map((value) => [value.toLocaleString('en'), ...engines.map((engine) => {
    const time = find(times, engine, value)
    const used = find(memory, engine, value)
    return [formatTime(time?.medianUs), ...used === undefined ? [] : [formatBytes(used.bytes)]].join(', ')
  })])
  const table = (kind === 'markdown' ? markdownTable : textTable)([axis.title, ...engines], rows, 0)
  return `${axis.about}\n\n${table}`
}
