// The rows of the matrix as text.

const COLUMNS = {
  'runtime': (row) => row.runtime,
  'version': (row) => row.version ?? '',
  'variant': (row) => row.variant,
  // Messages may be long: they stand below the table.
  'result': (row) => (row.ok === false ? 'FAILED' : row.result),
  'cases': (row) => row.passed ?? '',
  'largest distance': (row) => row.largest?.toExponential(2) ?? '',
  '8 bits': (row) => row.int8?.products ?? '',
  'threads': (row) => row.threads?.count.toString() ?? '',
  'hash': (row) => row.hash?.slice(0, 16) ?? '',
  'seconds': (row) => row.seconds?.toFixed(1) ?? '',
}

export function formatTable(rows) {
  const lines = [Object.keys(COLUMNS), ...rows.map((row) => Object.values(COLUMNS).map((cell) => cell(row)))]
  const widths = Object.keys(COLUMNS).map((_, column) => Math.max(...lines.map((line) => line[column].length)))
  return lines.map((line) => line.map((text, column) => text.padEnd(widths[column])).join('  ').trimEnd()).join('\n')
}

export function formatFailures(rows) {
  return rows.filter(({ ok }) => ok === false)
    .map(({ runtime, variant, result }) => `${runtime} ${variant}:\n${result.replace(/^/gm, '  ')}`).join('\n')
}
