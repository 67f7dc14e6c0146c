import { isTimed, type Row } from '../measure.ts'

/**
 * Three digits that count, with the unit that suits them.
 * @param us microseconds
 */
export function formatTime(us: number | null | undefined) {
  if (us === null || us === undefined) return '-'
  if (us < 1000) return `${digits(us)} us`
  return us < 1e6 ? `${digits(us / 1000)} ms` : `${digits(us / 1e6)} s`
}

export function digits(value: number) {
  if (value >= 99.95) return value.toFixed(0)
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2)
}

export const formatShare = (share: number | null | undefined) => (share === null || share === undefined ? '' : `${(share * 100).toFixed(0)} %`)

export const formatRatio = (ratio: number | undefined) => (ratio === undefined ? '' : `${digits(ratio)}x`)

/** Microseconds of an engine's fastest variant; Infinity where none was timed. */
export function fastestOf(rows: readonly Row[], engine: string): number {
  return Math.min(...rows.filter(isTimed).filter((row) => row.engine === engine).map(({ medianUs }) => medianUs))
}

/**
 * Time of each row / time of this library's fastest row of the same case.
 * @param rows of one case
 * @returns none where this library was not run
 */
export function ratioOf(rows: readonly Row[], row: Row): number | undefined {
  const best = fastestOf(rows, 'lstm-wasm')
  return row.checked && Number.isFinite(best) ? row.medianUs / best : undefined
}

/** Rows by case, in the order in which the cases were run. */
export function byCase(rows: readonly Row[]): [string, Row[]][] {
  const cases: Map<string, Row[]> = new Map()
  for (const row of rows) cases.set(row.case, [...cases.get(row.case) ?? [], row])
  return [...cases]
}

/** The name of an engine, with its variant where it has several. */
export const engineTitle = ({ engine, variant }: { engine: string, variant: string }) => (engine.startsWith('lstm-wasm') ? `${engine} ${variant}` : engine)

export function runtimeText({ name, version, engine }: { name: string, version: string, engine: string }) {
  const title = { node: 'Node', bun: 'Bun', deno: 'Deno' }[name] ?? name
  return [title, version, engine === '' ? '' : `(${engine})`].filter((part) => part !== '').join(' ')
}
