// From rows to scores on the disk: reads ahead of the workers, writes in order.
import { LstmError } from '../../index.ts'
import { lengthOf } from '../conversion.ts'
import type { Scores } from './batch-scorer.ts'
import type { Framed, Framing } from './framing.ts'
import type { PartialOutput } from './partial-output.ts'
import type { ScorePool } from './pool.ts'
import type { Table, TableOutput, Values } from './table.ts'
import type { OutputWindows } from './windows.ts'

export interface ScoreTable {
  readonly table: Table
  /** Indices of the columns that are read as numbers, and as they are. */
  readonly numbers: readonly number[]
  readonly kept: readonly number[]
  /** How many of `kept`, the first ones, are written. */
  readonly keptWritten: number
  /** Rows that are read, scored and written together. */
  readonly groupRows: number
  readonly framing: Framing
  readonly pool: ScorePool
  readonly outputs: readonly OutputWindows[]
  readonly format: TableOutput
  readonly output: PartialOutput
  readonly signal: AbortSignal
  /** Called when rows have been written. */
  onProgress(): void
}

/** Rows that are being scored. */
interface Pending {
  readonly scores: Promise<Scores>
  readonly framed: Framed
  readonly kept: readonly Values[]
  /** Rows of the table up to their end. */
  readonly read: number
}

/**
 * Scores all rows that a run before has not.
 * @returns rows of the table
 * @throws LstmError `ABORTED`, and whatever reading, scoring and writing throw; what is written remains
 */
export async function scoreTable(task: ScoreTable): Promise<number> {
  const { table, numbers, kept, groupRows, framing, pool, format, output, signal } = task
  const { pieces } = output
  if (pieces.length > 0) format.resume(pieces.flatMap(({ group }) => (group === undefined ? [] : [group])), output.bytes)
  const pending: Pending[] = []
  let [groups, read] = [0, 0]
  let head = pieces.length === 0 ? format.begin() : new Uint8Array(0)
  const writeNext = async (): Promise<void> => {
    const { scores, framed, kept: values, read: upTo } = pending.shift() as Pending
    const done = await unlessAborted(scores, signal)
    const written = framed.rows.length === 0 ? { bytes: new Uint8Array(0) } : format.rows(columnsOf(task, framed, values, done), framed.rows.length)
    await output.write(Buffer.concat([head, written.bytes]), framed.rows.length, upTo, 'group' in written ? written.group : undefined)
    head = new Uint8Array(0)
    task.onProgress()
  }
  for await (const group of table.read(numbers, kept, groupRows)) {
    stopWhen(signal)
    read += group.count
    const framed = framing.next(group)
    const before = pieces[groups++]
    if (before !== undefined) {
      if (before.read !== read) throw new LstmError('ENVIRONMENT', `the notes of the run before have ${before.read} rows where the table has ${read}: --force begins anew`)
      continue
    }
    const scores = pool.score(framed.job)
    scores.catch(() => undefined) // whoever awaits it is told
    pending.push({ scores, framed, kept: group.kept, read })
    if (pending.length > pool.depth) await writeNext()
  }
  while (pending.length > 0) await writeNext()
  await output.finish(Buffer.concat([head, format.end()]), format.head?.(output.written))
  return read
}

const stopped = (): LstmError => new LstmError('ABORTED', 'score: stopped')

function stopWhen(signal: AbortSignal): void {
  if (signal.aborted) throw stopped()
}

/** What work gives, unless Ctrl-C comes first: nobody may be there to answer on other machines. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  stopWhen(signal)
  let stop = (): void => undefined
  const aborted: Promise<never> = new Promise((_, reject) => {
    stop = () => reject(stopped())
    signal.addEventListener('abort', stop)
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** Kept columns at the rows that end windows, then those of the outputs. */
function columnsOf({ keptWritten, outputs }: ScoreTable, { rows }: Framed, kept: readonly Values[], scores: Scores): Values[] {
  return [
    ...kept.slice(0, keptWritten).map((values) => chosen(values, rows)),
    ...outputs.flatMap(({ shape }, n) => {
      const width = lengthOf(shape)
      const values = scores[n] as Float32Array
      return Array.from({ length: width }, (_, column) => chosen(values, Float64Array.from(rows, (_row, row) => row * width + column)))
    }),
  ]
}

/** Values at some places, in an array of the same type. */
function chosen(values: Values, places: ArrayLike<number>): Values {
  const type = ArrayBuffer.isView(values) ? values.constructor as Float64ArrayConstructor : undefined
  const result = type === undefined ? new Array<unknown>(places.length) : new type(places.length)
  for (let n = 0; n < places.length; n++) (result as unknown[])[n] = values[places[n] as number]
  return result
}
