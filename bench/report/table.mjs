// Results as text and as Markdown.
import { byCase, digits, engineTitle, formatRatio, formatShare, formatTime, ratioOf, runtimeText } from './format.mjs'

const HEADER = ['case', 'engine', 'median', 'p95', 'spread', 'GF/s', 'of peak', 'of L3', 'time / ours']
const LEFT = 2

/**
 * @param {readonly import('../measure.mjs').Row[]} rows
 * @returns {string[][]}
 */
function cellsOf(rows) {
  return byCase(rows).flatMap(([name, group]) => group.map((row, n) => [
    n === 0 ? name : '',
    engineTitle(row),
    row.checked ? formatTime(row.medianUs) : 'WRONG',
    formatTime(row.p95Us),
    row.spread === null ? '' : `${(row.spread * 100).toFixed(0)} %`,
    row.gflops === null ? '' : digits(row.gflops),
    formatShare(row.peakShare),
    formatShare(row.l3Share),
    formatRatio(ratioOf(group, row)),
  ]))
}

/**
 * @param {readonly string[]} header
 * @param {readonly (readonly string[])[]} rows
 * @param {number} left columns aligned to the left, from the first on
 */
export function textTable(header, rows, left) {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (/** @type {readonly string[]} */ row) => row.map((cell, column) => (
    column < left ? cell.padEnd(/** @type {number} */ (widths[column])) : cell.padStart(/** @type {number} */ (widths[column]))
  )).join('  ').trimEnd()
  return [line(header), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n')
}

/**
 * @param {readonly string[]} header
 * @param {readonly (readonly string[])[]} rows
 * @param {number} left
 */
export function markdownTable(header, rows, left) {
  const line = (/** @type {readonly string[]} */ row) => `| ${row.join(' | ')} |`
  return [line(header), line(header.map((_, column) => (column < left ? '---' : '---:'))), ...rows.map(line)].join('\n')
}

/** @param {import('./results.mjs').Results} results */
export function formatResults(results) {
  return [describe(results), '', textTable(HEADER, cellsOf(results.rows), LEFT), ...notes(results)].join('\n')
}

/** @param {import('./results.mjs').Results} results */
export function markdownResults(results) {
  return [describe(results), '', markdownTable(HEADER, cellsOf(results.rows), LEFT), ...notes(results)].join('\n')
}

/** @param {Pick<import('./results.mjs').Results, 'machine' | 'runtime' | 'versions' | 'date'>} results */
export function describe({ machine, runtime, versions, date }) {
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', ')
  return `${machine.cpu}, ${machine.os} ${machine.arch}; ${runtimeText(runtime)}; one thread, float32; ${date.slice(0, 10)}\n${packages}`
}

/** What the table does not say: peaks, engines that were not run, wrong outputs, a clock too coarse. @param {import('./results.mjs').Results} results */
function notes({ rows, roofline, skipped, warnings }) {
  const lines = Object.entries(roofline).map(([variant, { gflops, bandwidth }]) => {
    const rates = Object.entries(bandwidth).map(([level, rate]) => `${level} ${digits(rate)} GB/s`).join(', ')
    return `peak of ${variant}: ${digits(gflops)} GF/s; loads from ${rates}`
  })
  lines.push(
    ...skipped.map(({ engine, variant, reason }) => `not run: ${engineTitle({ engine, variant })}: ${reason}`),
    ...rows.filter(({ error }) => error !== undefined).map((row) => `NOT TIMED: ${row.case}, ${engineTitle(row)}: ${row.error}`),
    ...warnings,
  )
  return lines.length === 0 ? [] : ['', ...lines]
}

/**
 * @param {readonly import('../targets.mjs').Verdict[]} verdicts
 */
export function verdictCells(verdicts) {
  return verdicts.map(({ case: name, variant, what, target, measured, pass }) => {
    const format = (/** @type {number} */ value) => (what.startsWith('of') ? `${(value * 100).toFixed(1)} %` : formatRatio(value))
    return [name, variant, what, format(target), measured === undefined ? 'not run' : format(measured), pass === undefined ? '' : pass ? 'pass' : 'MISS']
  })
}

export const VERDICT_HEADER = ['case', 'binary', 'figure', 'at least', 'measured', 'reached']

/** @param {readonly import('../targets.mjs').Verdict[]} verdicts */
export function formatVerdicts(verdicts) {
  const missed = verdicts.filter(({ pass }) => pass === false).length
  const unknown = verdicts.filter(({ pass }) => pass === undefined).length
  const total = `${verdicts.length - missed - unknown} pass, ${missed} missed${unknown > 0 ? `, ${unknown} not run` : ''}`
  return `${textTable(VERDICT_HEADER, verdictCells(verdicts), 3)}\n\n${total}`
}
