import type { ReadGraphOptions } from '../index.ts'
import { UsageError, type Arguments } from './arguments.ts'
import { showProgress } from './terminal.ts'

/** Options of every command that reads a model: what a file does not say. */
export const READ_OPTIONS = { 'forget-bias': 'string', 'constant': 'string', 'dialect': 'string' } as const

export const READ_HELP = `\
  --forget-bias NUMBER   for TensorFlow 1 files, which do not store it: added to the forget gate.
                         Default 1.
  --constant NAME=NUMBER fixes an input of an ONNX file that decides by it what to run
  --dialect NAME         for Keras and TensorFlow.js files: in whose sense they are read, keras2, keras3.0,
                         keras3.4, keras3 or tfjs. Default: as the file says.
`

/** @throws UsageError for values that are no numbers */
export function readOptionsOf({ values }: Arguments): ReadGraphOptions {
  const forgetBias = values.get('forget-bias')?.at(-1)
  const constants = values.get('constant')?.map((argument): [string, number] => {
    const [, name, value] = /^(.+)=([^=]+)$/.exec(argument) ?? []
    if (name === undefined || value === undefined) throw new UsageError(`--constant: expected NAME=NUMBER, got '${argument}'`)
    return [name, toNumber(value, '--constant')]
  })
  const dialect = values.get('dialect')?.at(-1)
  return {
    onProgress: showProgress,
    ...(forgetBias !== undefined && { forgetBias: toNumber(forgetBias, '--forget-bias') }),
    ...(constants !== undefined && { constants: Object.fromEntries(constants) }),
    // Readers refuse what is none of these.
    ...(dialect !== undefined && { dialect: dialect as NonNullable<ReadGraphOptions['dialect']> }),
  }
}

function toNumber(text: string, what: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw new UsageError(`${what}: expected a number, got '${text}'`)
  return value
}
