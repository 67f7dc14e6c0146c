import { checkKind, having, type Kind } from '../options.ts'

/** What became of one layer. */
export interface LayerReport {
  /** Name of its node. */
  readonly name: string
  /** Its operator. */
  readonly op: string
  /** What its weights are now: `'int8'`, `'int8 widened'` (stored so, multiplied as float32), `'float16'` or `'float32'`. */
  readonly dtype: string
  /** Why they are as they were; undefined where they changed. */
  readonly kept: string | undefined
  /** The largest |weight|. */
  readonly range: number
  /**
   * With data: how far the outputs of the model move when this layer alone changes, as `change` says. Without: how far the weights
   * move, root of the mean squares relative to that of the weights. NaN where nothing changed.
   */
  readonly error: number
  /** Bytes of its weights before. */
  readonly bytesBefore: number
  /** Bytes of its weights now. */
  readonly bytesAfter: number
  /** Microseconds of this layer alone on this machine, at the sizes of the data (or for one step), before. */
  readonly microsecondsBefore: number
  /** The same now. */
  readonly microsecondsAfter: number
}

/** How far an output of the model moved on the data. */
export interface OutputChange {
  /** The largest difference. */
  readonly most: number
  /** Root of the mean square of the differences. */
  readonly rms: number
  /** `rms`, relative to that of the output. */
  readonly relative: number
}

/** What quantising did. */
export interface QuantizationReport {
  /** What weights became. */
  readonly dtype: 'int8' | 'float16'
  /** All layers with weights, in order. */
  readonly layers: readonly LayerReport[]
  /** Bytes of all trained numbers before. */
  readonly bytesBefore: number
  /** Bytes of all trained numbers now. */
  readonly bytesAfter: number
  /** By name of the output; undefined where no data were given. */
  readonly change: Readonly<Record<string, OutputChange>> | undefined
}

const percent = (value: number): string => (Number.isNaN(value) ? '' : `${(100 * value).toPrecision(2)} %`)
const short = (value: number): string => String(Number(value.toPrecision(3)))
const kilobytes = (bytes: number): string => (bytes < 1e6 ? `${short(bytes / 1e3)} kB` : `${short(bytes / 1e6)} MB`)

const REPORT: Kind = having('the report of quantize()', 'layers', 'bytesBefore')

/** The table people read. @throws LstmError `VALUE` for anything but a report */
export function formatReport(report: QuantizationReport): string {
  checkKind(report, REPORT, 'formatReport')
  const { dtype, layers, bytesBefore, bytesAfter, change } = report
  const header = ['layer', 'weights', 'range', change === undefined ? 'weight error' : 'output error', 'bytes', 'time here']
  const rows = layers.map((layer) => [
    layer.name, layer.dtype, short(layer.range), percent(layer.error),
    layer.kept === undefined ? `${kilobytes(layer.bytesBefore)} -> ${kilobytes(layer.bytesAfter)}` : kilobytes(layer.bytesBefore),
    layer.dtype === 'int8' && !Number.isNaN(layer.microsecondsAfter)
      ? `${short(layer.microsecondsBefore)} -> ${short(layer.microsecondsAfter)} us (${short(layer.microsecondsBefore / layer.microsecondsAfter)}x)`
      : '',
  ])
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => (row[column] as string).length)))
  const line = (row: readonly string[]): string => row.map((cell, column) => cell.padEnd(widths[column] as number)).join('  ').trimEnd()
  const kept = layers.filter((layer) => layer.kept !== undefined)
  return [
    line(header), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line), '',
    `${dtype}: ${kilobytes(bytesBefore)} -> ${kilobytes(bytesAfter)} (${Math.round(100 * bytesAfter / Math.max(1, bytesBefore))} %)`,
    ...Object.entries(change ?? {}).map(([name, { most, rms, relative }]) => (
      `output ${name}: moved by ${short(most)} at most, ${short(rms)} root mean square, ${percent(relative)} of its own`
    )),
    ...kept.map(({ name, kept: why }) => `${name} stays float32: ${why}`),
  ].join('\n')
}
