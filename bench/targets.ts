// The figures that the library has set itself: `bench --check` compares with them. Ratios are time of the peer / our time, in one
// run on one thread; shares are of the peak measured in the same run.
import { isTimed, type Row, type TimedRow } from './measure.ts'

export interface Target {
  readonly case: string
  /** Whose figures they are. Default: `lstm-wasm`. */
  readonly engine?: string
  readonly variant: 'relaxed-simd' | 'simd'
  /** At least, by engine. */
  readonly ratios?: Readonly<Record<string, number>>
  /** At least. */
  readonly peakShare?: number
  /** At least. */
  readonly l3Share?: number
}

const steps = [
  { case: 'B1 T1 F1 H32', ratios: { 'onnxruntime-web': 25, 'tfjs-wasm': 120, 'onnxruntime-node': 25 } },
  { case: 'B1 T1 F64 H64', ratios: { 'onnxruntime-web': 12, 'tfjs-wasm': 50, 'onnxruntime-node': 12 } },
  { case: 'B1 T1 F64 H128', ratios: { 'onnxruntime-web': 5, 'tfjs-wasm': 20, 'onnxruntime-node': 4.5 } },
  { case: 'B1 T1 F256 H256', ratios: { 'onnxruntime-web': 1.9, 'tfjs-wasm': 5, 'onnxruntime-node': 1.9 }, peakShare: 0.80 },
  { case: 'B1 T1 F512 H512', ratios: { 'onnxruntime-web': 1.2, 'tfjs-wasm': 2.2, 'onnxruntime-node': 1.0 }, l3Share: 0.85 },
]
const sequences = [
  { case: 'B1 T100 F64 H64', ratios: { 'onnxruntime-web': 1.6, 'tfjs-wasm': 35, 'onnxruntime-node': 0.55 }, peakShare: 0.82 },
  { case: 'B1 T100 F128 H128', ratios: { 'onnxruntime-web': 1.6, 'tfjs-wasm': 14, 'onnxruntime-node': 0.55 }, peakShare: 0.82 },
  { case: 'B1 T100 F256 H256', ratios: { 'onnxruntime-web': 1.6, 'tfjs-wasm': 5, 'onnxruntime-node': 0.55 }, peakShare: 0.82 },
  { case: 'B1 T100 F512 H512', ratios: { 'onnxruntime-web': 1.35, 'tfjs-wasm': 2.5, 'onnxruntime-node': 0.55 }, peakShare: 0.72, l3Share: 0.85 },
  // Its recurrence alone: with 512 features, the share is a lower bound (see `bandwidthOf`).
  { case: 'B1 T100 F1 H512', l3Share: 0.85 },
]
const batches = [
  { case: 'B32 T50 F64 H128', ratios: { 'onnxruntime-web': 1.8, 'tfjs-wasm': 3.5, 'onnxruntime-node': 0.3 }, peakShare: 0.90 },
  { case: 'B32 T50 F256 H256', ratios: { 'onnxruntime-web': 1.8, 'tfjs-wasm': 2.6, 'onnxruntime-node': 0.3 }, peakShare: 0.90 },
  { case: 'B32 T20 F512 H512', ratios: { 'onnxruntime-web': 1.8, 'tfjs-wasm': 1.8, 'onnxruntime-node': 0.3 }, peakShare: 0.90 },
]

const grus = [
  { case: 'GRU B1 T1 F64 H64', ratios: { 'onnxruntime-web': 8 } },
  { case: 'GRU B1 T100 F128 H128', ratios: { 'onnxruntime-web': 1.5 }, peakShare: 0.75 },
  { case: 'GRU B32 T50 F256 H256', ratios: { 'onnxruntime-web': 1.5 } },
]

/** Sequences of 64 to 256 units, and batches, for the figures that name only these. */
const shortSequences = sequences.slice(0, 3).map((row) => row.case)
const batchNames = batches.map((row) => row.case)

const relaxed = 'relaxed-simd' as const
const simd = 'simd' as const

/** On Node 24 and later. */
const MODERN: Target[] = [
  ...[...steps, ...sequences, ...batches, ...grus].map((row) => ({ ...row, variant: relaxed })),
  ...shortSequences.map((name) => ({ case: name, variant: simd, ratios: { 'onnxruntime-web': 1.5 }, peakShare: 0.75 })),
  ...batchNames.map((name) => ({ case: name, variant: simd, ratios: { 'onnxruntime-web': 1.7 }, peakShare: 0.85 })),
]

const OTHER = [...shortSequences, ...batchNames]

/** The baseline on Node 20, where there is no other binary. */
const NODE_20: Target[] = OTHER.map((name) => ({ case: name, variant: simd, ratios: { 'onnxruntime-web': 1.4 }, peakShare: 0.70 }))

/** Both binaries on JavaScriptCore. */
const BUN: Target[] = OTHER.flatMap((name) => [relaxed, simd].map((variant) => ({ case: name, variant, ratios: { 'onnxruntime-web': 1.4 }, peakShare: 0.70 })))

/** @returns the figures that hold there */
export function targetsFor({ name, version }: { name: string, version: string }): readonly Target[] {
  if (name === 'bun') return BUN
  if (name === 'node' && Number.parseInt(version, 10) < 22) return NODE_20
  return [...MODERN, ...INT8, ...INT8_OTHERS]
}

/** What weights of 8 bits reach: time of the peer / time of `lstm-wasm int8`, the relaxed binary, on Node 24 and later. */
const INT8: Target[] = [
  { case: 'B1 T1 F512 H512', ratios: { 'lstm-wasm': 3.7, 'onnxruntime-web': 5.5, 'onnxruntime-node': 4.2, 'onnxruntime-web int8': 6 } },
  { case: 'B1 T1 F1024 H1024', ratios: { 'lstm-wasm': 5, 'onnxruntime-web': 8, 'onnxruntime-node': 7, 'onnxruntime-web int8': 6 } },
  { case: 'B1 T100 F128 H128', ratios: { 'lstm-wasm': 2.7, 'onnxruntime-web': 4.5, 'onnxruntime-node': 1.7, 'onnxruntime-web int8': 6 } },
  { case: 'B1 T100 F256 H256', ratios: { 'lstm-wasm': 3.2, 'onnxruntime-web': 5, 'onnxruntime-node': 2.0, 'onnxruntime-web int8': 6 } },
  { case: 'B1 T100 F512 H512', ratios: { 'lstm-wasm': 3.6, 'onnxruntime-web': 5, 'onnxruntime-node': 2.5, 'onnxruntime-web int8': 6 } },
  { case: 'B32 T50 F256 H256', ratios: { 'lstm-wasm': 3.0, 'onnxruntime-web': 5.5, 'onnxruntime-node': 1.05, 'onnxruntime-web int8': 2.5 } },
].map((row) => ({ ...row, engine: 'lstm-wasm int8', variant: relaxed }))

/** The same beside float32 of the same binary: the one without fused operations, and both where the processor has no AVX-VNNI. */
const INT8_OTHERS: Target[] = INT8.flatMap(({ case: name }) => [
  { case: name, engine: 'lstm-wasm int8', variant: simd, ratios: { 'lstm-wasm': 1.3 } },
  { case: name, engine: 'lstm-wasm int8 without VNNI', variant: relaxed, ratios: { 'lstm-wasm without VNNI': name.startsWith('B1 T100') ? 1.3 : 1.5 } },
])

/** Cases of these targets, and whole models. */
export const INT8_CASES: readonly string[] = [...INT8.map((row) => row.case), 'digits', 'char-RNN', 'Silero VAD']

/** Measured and pass are undefined where the run has no such figure. */
export interface Verdict { case: string, variant: string, what: string, target: number, measured: number | undefined, pass: boolean | undefined }

/** @returns one for each figure of the targets whose case was run */
export function judge(targets: readonly Target[], rows: readonly Row[]): Verdict[] {
  const find = (name: string, engine: string, variant: string): TimedRow | undefined => (
    rows.filter(isTimed).find((row) => row.case === name && row.engine === engine && (variant === '' || row.variant === variant))
  )
  return targets.filter((target) => rows.some((row) => row.case === target.case && row.engine === (target.engine ?? 'lstm-wasm'))).flatMap((target) => {
    const { case: name, engine: own = 'lstm-wasm', variant, ratios = {}, ...shares } = target
    const ours = find(name, own, variant)
    const verdict = (what: string, target: number, value: number | null | undefined) => {
      const measured = value ?? undefined
      return { case: name, variant, what, target, measured, pass: measured === undefined ? undefined : measured >= target }
    }
    return [
      ...Object.entries(ratios).map(([engine, ratio]) => {
        const peer = find(name, engine, engine === 'lstm-wasm' ? variant : '')
        return verdict(`${own.replace(/^lstm-wasm ?/, '')} vs ${engine}`.trim(), ratio, peer === undefined || ours === undefined ? undefined : peer.medianUs / ours.medianUs)
      }),
      ...Object.entries(shares).map(([share, value]) => (
        verdict(share === 'peakShare' ? 'of the peak' : 'of the bandwidth', value, ours?.[share as 'peakShare' | 'l3Share'])
      )),
    ]
  })
}
