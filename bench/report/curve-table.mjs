import { AXES } from '../curves/axes.mjs'
import { formatBytes } from './cold-table.mjs'
import { formatTime } from './format.mjs'
import { markdownTable, textTable } from './table.mjs'

/**
 * A row a size, a column an engine: the time, and the memory where it was measured.
 * @param {import('../curves/measure-curves.mjs').Curves} curves
 * @param {string} axisName
 * @param {'text' | 'markdown'} kind
 */
export function formatCurves({ times, memory }, axisName, kind) {
  const axis = /** @type {import('../curves/axes.mjs').Axis} */ (AXES.find(({ name }) => name === axisName))
  const engines = [...new Set(times.map(({ engine }) => engine))]
  /** @typedef {{ axis: string, engine: string, value: number }} Point */
  const find = (/** @type {readonly Point[]} */ points, /** @type {string} */ engine, /** @type {number} */ value) => (
    points.find((point) => point.axis === axisName && point.engine === engine && point.value === value)
  )
  const rows = axis.values.map((value) => [value.toLocaleString('en'), ...engines.map((engine) => {
    const time = /** @type {import('../curves/measure-curves.mjs').TimePoint | undefined} */ (find(times, engine, value))
    const used = /** @type {import('../curves/measure-curves.mjs').MemoryPoint | undefined} */ (find(memory, engine, value))
    return [formatTime(time?.medianUs), ...used === undefined ? [] : [formatBytes(used.bytes)]].join(', ')
  })])
  const table = (kind === 'markdown' ? markdownTable : textTable)([axis.title, ...engines], rows, 0)
  return `${axis.about}\n\n${table}`
}
