import { digits } from './format.ts'
import { markdownTable, textTable } from './table.ts'
import type { ColdRow, Cold } from '../cold/measure-cold.ts'

const HEADER = ['engine', 'first result', 'fastest .. slowest', 'memory', 'JS gzip', 'wasm gzip', 'download gzip', 'brotli']

export function formatBytes(bytes: number) {
  if (bytes < 1000) return `${bytes.toFixed(0)} B`
  if (bytes < 1e6) return `${digits(bytes / 1000)} kB`
  return bytes < 1e9 ? `${digits(bytes / 1e6)} MB` : `${digits(bytes / 1e9)} GB`
}

function cellsOf({ engine, firstResultMs, fastestMs, slowestMs, memoryBytes, download }: ColdRow) {
  return [
    engine, `${digits(firstResultMs)} ms`, `${digits(fastestMs)} .. ${digits(slowestMs)}`, formatBytes(Math.max(0, memoryBytes)),
    ...download === null
      ? ['-', '-', '-', '-']
      : [
          formatBytes(download.js.gzip), download.wasm.bytes === 0 ? '' : formatBytes(download.wasm.gzip),
          formatBytes(download.js.gzip + download.wasm.gzip), formatBytes(download.js.brotli + download.wasm.brotli),
        ],
  ]
}

export function formatCold({ bareBytes, rows, skipped }: Cold, kind: 'text' | 'markdown') {
  const table = (kind === 'markdown' ? markdownTable : textTable)(HEADER, rows.map(cellsOf), 1)
  const note = `Memory is beyond the ${formatBytes(bareBytes)} of the runtime alone.`
  return [table, '', note, ...skipped.map(({ engine, reason }) => `not run: ${engine}: ${reason}`)].join('\n')
}
