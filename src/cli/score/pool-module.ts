// A pool of the user's own, `--pool FILE`: jobs go to whatever scores them, on other machines perhaps.
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { LstmError } from '../../index.ts'
import { lengthOf, storageOf } from '../conversion.ts'
import type { ScorePlan, Scores } from './batch-scorer.ts'
import type { ScoreJob } from './framing.ts'
import type { ScorePool, WorkerTask } from './pool.ts'

/** What the default export of such a module is. */
type OpenPool = (task: WorkerTask) => ScorePool | Promise<ScorePool>

/**
 * The pool that a module makes.
 * @param file a JavaScript module whose default export is a function of a `WorkerTask`
 * @throws LstmError `ENVIRONMENT` for a module that cannot be loaded or makes no pool; whatever it throws
 */
export async function openPool(file: string, task: WorkerTask): Promise<ScorePool> {
  const { default: open } = await import(pathToFileURL(resolve(file)).href).catch((cause: unknown) => {
    throw new LstmError('ENVIRONMENT', `--pool: cannot load '${file}': ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }) as { readonly default?: OpenPool }
  if (typeof open !== 'function') throw new LstmError('ENVIRONMENT', `--pool: expected a default export in '${file}' that is a function, got ${typeof open}`)
  const pool = await open(task)
  if (!isPool(pool)) throw new LstmError('ENVIRONMENT', `--pool: expected '${file}' to make { depth, score, end }, with a whole number from 1 on and two functions`)
  return new CheckedPool(file, pool, task.plan)
}

function isPool(pool: Partial<ScorePool> | null | undefined): boolean {
  return Number.isSafeInteger(pool?.depth) && (pool?.depth ?? 0) >= 1 && typeof pool?.score === 'function' && typeof pool.end === 'function'
}

/** Looks at what a pool gives: what does not fit would become wrong columns. */
class CheckedPool implements ScorePool {
  readonly depth: number
  readonly #file: string
  readonly #pool: ScorePool
  readonly #plan: ScorePlan

  constructor(file: string, pool: ScorePool, plan: ScorePlan) {
    this.depth = pool.depth
    this.#file = file
    this.#pool = pool
    this.#plan = plan
  }

  async score(job: ScoreJob): Promise<Scores> {
    const windows = job.ends.length // the pool may hand the job over to a thread
    const scores = await this.#pool.score(job)
    for (const [n, { name, dtype, shape }] of this.#plan.outputs.entries()) {
      const [got, length] = [scores[n], windows * lengthOf(shape)]
      if (got?.constructor === storageOf(dtype, 0).constructor && got.length === length) continue
      throw new LstmError('ENVIRONMENT', `--pool: '${this.#file}': expected ${length} numbers (${dtype}) for the output '${name}', got ${got === undefined ? 'none' : `${got.length} in ${got.constructor.name}`}`)
    }
    return scores
  }

  async end(): Promise<void> {
    await this.#pool.end()
  }
}
