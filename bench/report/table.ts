// Results as text and as Markdown.
import { byCase, digits, engineTitle, formatRatio, formatShare, formatTime, ratioOf, runtimeText } from './format.ts'
import type { Row } from '../measure.ts'
import type { Results } from './results.ts'
import type { Verdict } from '../targets.ts'

const HEADER = ['case', 'engine', 'median', 'p95', 'spread', 'GF/s', 'of peak', 'of L3', 'time / ours']
const LEFT = 2

function cellsOf(rows: readonly Row[]): string[][] {
  return byCase(rows).flatMap(([name, group]) => group.map((row, n) => [
    n === 0 ? name : '',
    engineTitle(row),
    ...row.checked
      ? [
          formatTime(row.medianUs), formatTime(row.p95Us), `${(row.spread * 100).toFixed(0)} %`, digits(row.gflops),
          formatShare(row.peakShare), formatShare(row.l3Share), formatRatio(ratioOf(group, row)),
        ]
      : ['WRONG', '-', '', '', '', '', ''],
  ]))
}

/** @param left columns aligned to the left, from the first on */
export function textTable(header: readonly string[], rows: readonly (readonly string[])[], left: number) {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) => row.map((cell, column) => (
    column < left ? cell.padEnd((widths[column])) : cell.padStart((widths[column]))
  )).join('  ').trimEnd()
  return [line(header), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n')
}

export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[], left: number) {
  const line = (row: readonly string[]) => `| ${row.join(' | ')} |`
  return [line(header), line(header.map((_, column) => (column < left ? '---' : '---:'))), ...rows.map(line)].join('\n')
}

export function formatResults(results: Results) {
  return [describe(results, conditionsOf(results.rows)), '', textTable(HEADER, cellsOf(results.rows), LEFT), ...notes(results)].join('\n')
}

export function markdownResults(results: Results) {
  return [describe(results, conditionsOf(results.rows)), '', markdownTable(HEADER, cellsOf(results.rows), LEFT), ...notes(results)].join('\n')
}

/** What all rows have in common. */
function conditionsOf(rows: readonly Row[]) {
  const dtypes = [...new Set(rows.map(({ dtype }) => dtype))].join(' and ')
  return rows.every(({ threads }) => threads === 1) ? `one thread, ${dtypes}` : dtypes
}

/** @param conditions under which all was measured */
export function describe({ machine, runtime, versions, date }: Pick<Results, 'machine' | 'runtime' | 'versions' | 'date'>, conditions: string) {
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', ')
  return `${machine.cpu}, ${machine.os} ${machine.arch}; ${runtimeText(runtime)}; ${conditions}; ${date.slice(0, 10)}\n${packages}`
}

/** What the table does not say: peaks, engines that were not run, wrong outputs, a clock too coarse. */
function notes({ rows, roofline, skipped, warnings }: Results) {
  const lines = Object.entries(roofline).map(([variant, { gflops, bandwidth }]) => {
    const rates = Object.entries(bandwidth).map(([level, rate]) => `${level} ${digits(rate)} GB/s`).join(', ')
    return `peak of ${variant}: ${digits(gflops)} GF/s; loads from ${rates}`
  })
  lines.push(
    ...skipped.map(({ engine, variant, reason }) => `not run: ${engineTitle({ engine, variant })}: ${reason}`),
    ...rows.filter((row) => !row.checked).map((row) => `NOT TIMED: ${row.case}, ${engineTitle(row)}: ${row.error}`),
    ...warnings,
  )
  return lines.length === 0 ? [] : ['', ...lines]
}

export function verdictCells(verdicts: readonly Verdict[]) {
  return verdicts.map(({ case: name, variant, what, target, measured, pass }) => {
    const format = (value: number) => (what.startsWith('of') ? `${(value * 100).toFixed(1)} %` : formatRatio(value))
    return [name, variant, what, format(target), measured === undefined ? 'not run' : format(measured), pass === undefined ? '' : pass ? 'pass' : 'MISS']
  })
}

export const VERDICT_HEADER = ['case', 'binary', 'figure', 'at least', 'measured', 'reached']

export function formatVerdicts(verdicts: readonly Verdict[]) {
  const missed = verdicts.filter(({ pass }) => pass === false).length
  const unknown = verdicts.filter(({ pass }) => pass === undefined).length
  const total = `${verdicts.length - missed - unknown} pass, ${missed} missed${unknown > 0 ? `, ${unknown} not run` : ''}`
  return `${textTable(VERDICT_HEADER, verdictCells(verdicts), 3)}\n\n${total}`
}
