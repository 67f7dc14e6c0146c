import type { Machine } from '../machine.ts'
import type { Row } from '../measure.ts'

/** What `--json` writes. */
export interface Results {
  readonly machine: Machine
  readonly runtime: { name: string, version: string, engine: string }
  readonly versions: Record<string, string>
  /** ISO 8601. */
  readonly date: string
  readonly command: string
  /** Largest distance from the float64 reference that was allowed. */
  readonly tolerance: number
  /** False where the run was stopped. */
  readonly complete: boolean
  /** By variant; GB/s. */
  readonly roofline: Record<string, { gflops: number, bandwidth: Record<string, number> }>
  readonly rows: Row[]
  readonly skipped: { engine: string, variant: string, reason: string }[]
  readonly warnings: string[]
}

export const toJson = (results: Results) => `${JSON.stringify(results, null, 2)}\n`
