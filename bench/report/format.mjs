/**
 * Three digits that count, with the unit that suits them.
 * @param {number | null | undefined} us microseconds
 */
export function formatTime(us) {
  if (us === null || us === undefined) return '-'
  if (us < 1000) return `${digits(us)} us`
  return us < 1e6 ? `${digits(us / 1000)} ms` : `${digits(us / 1e6)} s`
}

/** @param {number} value */
export function digits(value) {
  if (value >= 99.95) return value.toFixed(0)
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2)
}

/** @param {number | null | undefined} share */
export const formatShare = (share) => (share === null || share === undefined ? '' : `${(share * 100).toFixed(0)} %`)

/** @param {number | undefined} ratio */
export const formatRatio = (ratio) => (ratio === undefined ? '' : `${digits(ratio)}x`)

/**
 * Time of each row / time of this library's fastest row of the same case.
 * @param {readonly import('../measure.mjs').Row[]} rows of one case
 * @param {import('../measure.mjs').Row} row
 * @returns {number | undefined} none where this library was not run
 */
export function ratioOf(rows, row) {
  const ours = rows.filter((other) => other.engine === 'lstm-wasm').map((other) => other.medianUs ?? Infinity)
  const best = Math.min(...ours)
  return Number.isFinite(best) && row.medianUs !== null ? row.medianUs / best : undefined
}

/**
 * Rows by case, in the order in which the cases were run.
 * @param {readonly import('../measure.mjs').Row[]} rows
 * @returns {[string, import('../measure.mjs').Row[]][]}
 */
export function byCase(rows) {
  /** @type {Map<string, import('../measure.mjs').Row[]>} */
  const cases = new Map()
  for (const row of rows) cases.set(row.case, [...cases.get(row.case) ?? [], row])
  return [...cases]
}

/** The name of an engine, with its variant where it has several. @param {{ engine: string, variant: string }} row */
export const engineTitle = ({ engine, variant }) => (engine === 'lstm-wasm' ? `${engine} ${variant}` : engine)

/** @param {{ name: string, version: string, engine: string }} runtime */
export function runtimeText({ name, version, engine }) {
  const title = { node: 'Node', bun: 'Bun', deno: 'Deno' }[name] ?? name
  return [title, version, engine === '' ? '' : `(${engine})`].filter((part) => part !== '').join(' ')
}
