// Sessions of this library in a pool, and of onnxruntime-node each with a session of its own, as servers have them: each in a new process.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ROOT } from '../places.ts'

export interface EngineSessions {
  readonly engine: string
  readonly sessions: number
  readonly openMs: number
  /** Of resident memory, with what the first frame of each takes. */
  readonly bytesASession: number
  /** Where each has a frame. */
  readonly framesASecond: number
  /** Of a round of all sessions. */
  readonly p99OverMedian: number
}

const CHILD = fileURLToPath(new URL('build/bench/sessions/child.js', ROOT))
const ENGINES = ['lstm-wasm', 'onnxruntime-node']

/**
 * @param onProgress is told which engine is next; a promise of `false` stops
 * @returns those that are installed; why others are not
 */
export async function measureEngineSessions(
  sessions: number, rounds: number, onProgress: (engine: string) => Promise<boolean>,
): Promise<{ rows: EngineSessions[], skipped: { engine: string, reason: string }[] }> {
  const [rows, skipped] = [[] as EngineSessions[], [] as { engine: string, reason: string }[]]
  for (const engine of ENGINES) {
    if (!await onProgress(engine)) break
    await promisify(execFile)(process.execPath, [CHILD, engine, String(sessions), String(rounds)]).then(
      ({ stdout }) => rows.push(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')),
      (error: unknown) => {
        const { stderr, message } = error as Error & { stderr: string }
        skipped.push({ engine, reason: /^\w*Error: (.*)$/m.exec(stderr)?.[1] ?? message })
      },
    )
  }
  return { rows, skipped }
}
