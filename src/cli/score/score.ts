// `lstm-wasm score`: a model, a table, and what becomes of them.
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { createRuntime, LstmError, saveGraph, type Graph, type Variant } from '../../index.ts'
import { parseArguments, UsageError } from '../arguments.ts'
import { lengthOf } from '../conversion.ts'
import { isSameFile } from '../conversion-target.ts'
import { interruptible } from '../interrupt.ts'
import { readModel } from '../reading.ts'
import { clearStatus, grouped, printable, showBar, showStatus } from '../terminal.ts'
import type { ScorePlan } from './batch-scorer.ts'
import { columnsListed, columnsNamed, keptNamed, otherColumns } from './columns.ts'
import { Framing } from './framing.ts'
import { openTable, outputFor } from './open-table.ts'
import { PartialOutput, refuseFinished, type Identity } from './partial-output.ts'
import { scoreHere, shared, WorkerPool, type ScorePool, type WorkerTask } from './pool.ts'
import { openPool } from './pool-module.ts'
import { SCORE_OPTIONS, settingsOf, type Settings } from './score-settings.ts'
import { scoreTable } from './score-table.ts'
import { fitModel } from './scored-model.ts'
import type { OutputColumn, Table } from './table.ts'
import { outputColumns } from './windows.ts'

/** `lstm-wasm score`. */
export async function score(args: readonly string[]): Promise<number> {
  const parsed = parseArguments(args, SCORE_OPTIONS)
  const settings = settingsOf(parsed)
  if (await isSameFile(settings.data, settings.out)) throw new UsageError(`'${settings.out}' is the table to read: write to another file`)
  await refuseFinished(settings.out, settings.isForced)
  const line = await interruptible(async (signal) => {
    const graph = await readModel(settings.model, parsed, signal)
    showStatus(`reading ${settings.data} ...`)
    return inFile(settings.data, async () => {
      const table = await openTable(settings.data)
      try {
        return await scoreOpened(graph, table, settings, signal)
      } finally {
        await table.close()
      }
    })
  })
  clearStatus()
  process.stdout.write(`${printable(line)}\n`)
  return 0
}

/** Scores a table; the line that says what was written. */
async function scoreOpened(graph: Graph, table: Table, settings: Settings, signal: AbortSignal): Promise<string> {
  const runtime = await createRuntime({ variant: settings.variant })
  const variant = runtime.variant as Variant // no module of another is given
  const { plan, inputs } = await fitModel(graph, table, runtime, settings)
  const features = [...new Set(inputs.flatMap(({ columns }) => columns))]
  const others = otherColumns(table, new Set(features))
  const kept = settings.keep === undefined ? others.kept : keptNamed(table, settings.keep)
  const by = settings.by === undefined ? undefined : columnsNamed(table, [settings.by], '--by')[0]
  const isByRead = by !== undefined && !kept.includes(by)
  const columns = [...kept.map((n) => table.columns[n] as OutputColumn), ...plan.outputs.flatMap(outputColumns)]
  refuseTwice(columns)
  const groupRows = settings.groupRows ?? rowsThatFit(plan, kept.length)
  const model = saveGraph(graph)
  const identity: Identity = {
    model: createHash('sha256').update(model).digest('hex'), data: await fingerprint(settings.data), variant,
    options: optionsOf(settings, groupRows, plan.batch),
  }
  const output = await PartialOutput.open(settings.out, identity, settings.isForced)
  let pool: ScorePool | undefined
  try {
    pool = settings.pool === undefined && settings.workers === 1 ? await scoreHere(graph, plan, variant) : await poolFor(settings, { model, plan, variant })
    const rows = await scoreTable({
      table, numbers: features, kept: isByRead ? [...kept, by] : kept, keptWritten: kept.length, groupRows, pool, output, signal,
      outputs: plan.outputs, format: await outputFor(settings.out, columns), onProgress: progressOf(table),
      framing: new Framing({
        inputs: inputs.map(({ windows, columns: own }) => ({ windows, columns: own.map((column) => features.indexOf(column)) })),
        names: features.map((n) => table.columns[n]?.name ?? ''), stride: settings.stride, skipsNulls: settings.skipsNulls,
        by: by === undefined ? undefined : isByRead ? kept.length : kept.indexOf(by),
      }),
    })
    const leftOut = settings.keep === undefined && others.nested.length > 0 ? `; left out, since they hold lists or structs: ${columnsListed(others.nested)}` : ''
    return `${settings.out}: ${grouped(output.written)} windows of ${grouped(rows)} rows, ${columns.length} columns${leftOut}`
  } catch (error) {
    await output.leave().catch(() => undefined) // the first error is told
    if (error instanceof LstmError && error.code === 'ABORTED') {
      clearStatus()
      process.stderr.write(printable(`${grouped(output.written)} rows are written; the same command goes on from there\n`))
    }
    throw error
  } finally {
    await pool?.end()
  }
}

/** Other threads, or whoever a module of the user's knows. */
async function poolFor({ pool, workers }: Settings, task: WorkerTask): Promise<ScorePool> {
  if (pool !== undefined) return openPool(pool, task)
  return new WorkerPool(workers, { ...task, model: shared(task.model) }, new URL('./score-worker.js', import.meta.url))
}

/**
 * Bytes of the rows of a group, as numbers of 4 bytes, that go in and out; and most rows of one. With eight times as many, ten million windows
 * took 408 MB on two workers where these take 230, in the same time.
 */
const GROUP_BYTES = 2 ** 19
const MOST_GROUP_ROWS = 2 ** 13

function rowsThatFit({ inputs, outputs }: ScorePlan, kept: number): number {
  const numbers = kept + inputs.reduce((sum, { features }) => sum + features, 0) + outputs.reduce((sum, { shape }) => sum + lengthOf(shape), 0)
  return Math.max(256, Math.min(MOST_GROUP_ROWS, 2 ** Math.floor(Math.log2(GROUP_BYTES / (4 * numbers)))))
}

/** @throws LstmError `VALUE` for two columns of one name */
function refuseTwice(columns: readonly OutputColumn[]): void {
  const names = columns.map(({ name }) => name)
  const twice = names.find((name, n) => names.indexOf(name) !== n)
  if (twice !== undefined) throw new LstmError('VALUE', `two columns of the result would be called '${twice}': --keep says which columns of the table are kept`)
}

/** Bytes at either end of a file that are looked at. */
const END_BYTES = 2 ** 20

/** Tells a file from another: its size, when it was written, and its two ends. */
async function fingerprint(path: string): Promise<string> {
  const file = await open(path)
  try {
    const { size, mtimeMs } = await file.stat()
    const hash = createHash('sha256').update(`${size} ${mtimeMs}`)
    const bytes = new Uint8Array(END_BYTES)
    for (const position of [0, Math.max(0, size - END_BYTES)]) {
      const { bytesRead } = await file.read(bytes, 0, END_BYTES, position)
      hash.update(bytes.subarray(0, bytesRead))
    }
    return hash.digest('hex')
  } finally {
    await file.close()
  }
}

/** Shows how far it is, and what time is left at the pace so far. */
function progressOf(table: Table): () => void {
  let start: { readonly time: number, readonly done: number } | undefined
  return () => {
    const { done, total } = table.progress()
    start ??= { time: performance.now(), done } // rows of a run before take no time
    const pace = (done - start.done) / (performance.now() - start.time)
    showBar('scoring', done, total, pace > 0 ? (total - done) / pace / 1000 : undefined)
  }
}

/** Puts the file in front of the message of an error of its reader. */
async function inFile<T>(file: string, work: () => Promise<T>): Promise<T> {
  return work().catch((cause: unknown) => {
    if (!(cause instanceof LstmError) || !['FORMAT', 'VALUE', 'SHAPE'].includes(cause.code)) throw cause
    throw new LstmError(cause.code, `${file}: ${cause.message}`, { cause })
  })
}

/** Options that the result depends on. */
function optionsOf({ columns, only, isLast, by, timesteps, isWide, stride, keep, skipsNulls }: Settings, groupRows: number, batch: number): Identity {
  return { columns: [...columns], only, isLast, by, timesteps, isWide, stride, keep, skipsNulls, groupRows, batch }
}
