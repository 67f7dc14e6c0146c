// What the command line of `score` says.
import { availableParallelism } from 'node:os'
import type { Variant } from '../../index.ts'
import { COMMON_OPTIONS, twoFiles, UsageError, type Arguments, type Options } from '../arguments.ts'
import { READ_OPTIONS, toSize, variantOf } from '../reading.ts'
import { checkEndings } from './open-table.ts'
import type { ModelOptions } from './scored-model.ts'

/** More threads than that wait for the one that reads and writes, and each takes memory. */
const MOST_WORKERS_BY_ITSELF = 4

export const SCORE_OPTIONS: Options = {
  ...COMMON_OPTIONS, ...READ_OPTIONS, 'output': 'string', 'columns': 'string', 'timesteps': 'string', 'stride': 'string', 'by': 'string', 'wide': 'boolean', 'keep': 'string',
  'only': 'string', 'last': 'boolean', 'nulls': 'string', 'workers': 'string', 'group-rows': 'string', 'batch': 'string', 'force': 'boolean', 'variant': 'string', 'pool': 'string',
}

/** All but what the reader of the model is told. */
export interface Settings extends ModelOptions {
  readonly model: string
  readonly data: string
  readonly out: string
  readonly stride: number
  readonly skipsNulls: boolean
  readonly workers: number
  /** A module that says who scores. */
  readonly pool: string | undefined
  readonly groupRows: number | undefined
  readonly isForced: boolean
  readonly variant: Variant | 'auto'
}

/** @throws UsageError */
export function settingsOf(parsed: Arguments): Settings {
  const { values, flags } = parsed
  const [model, data] = twoFiles(parsed, 'a model file and a table')
  const last = (name: string): string | undefined => values.get(name)?.at(-1)
  const size = (name: string): number | undefined => (last(name) === undefined ? undefined : toSize(last(name) as string, `--${name}`))
  const out = last('output')
  if (out === undefined) throw new UsageError('expected -o OUT, the table that is written')
  checkEndings(data, out)
  const nulls = last('nulls')
  if (nulls !== undefined && nulls !== 'skip') throw new UsageError(`--nulls: expected skip, got '${nulls}'`)
  const keep = last('keep')
  const pool = last('pool')
  if (pool !== undefined && values.has('workers')) throw new UsageError('expected --workers or --pool, got both')
  return {
    model, data, out, columns: columnsByInput(values.get('columns') ?? []), keep: keep === 'none' ? [] : keep?.split(','), by: last('by'), timesteps: size('timesteps'),
    stride: size('stride') ?? 1, isWide: flags.has('wide'), only: values.get('only') ?? [], isLast: flags.has('last'), skipsNulls: nulls === 'skip',
    workers: size('workers') ?? Math.min(MOST_WORKERS_BY_ITSELF, availableParallelism()), pool, groupRows: size('group-rows'), batch: size('batch'), isForced: flags.has('force'), variant: variantOf(parsed),
  }
}

/** `INPUT=a,b` or `a,b`, whose input is ''. */
function columnsByInput(given: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const columns: Map<string, readonly string[]> = new Map()
  for (const argument of given) {
    const at = argument.indexOf('=')
    const input = argument.slice(0, Math.max(0, at))
    if (columns.has(input)) throw new UsageError(`--columns is given twice${input === '' ? '' : ` for '${input}'`}`)
    columns.set(input, argument.slice(at + 1).split(','))
  }
  if (columns.has('') && columns.size > 1) throw new UsageError('--columns: expected INPUT=A,B,... for every input')
  return columns
}
