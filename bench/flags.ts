import { parseArgs, type ParseArgsConfig } from 'node:util'
import { CASES, findCases, INT8_TOLERANCE, type Case } from './cases.ts'
import { UsageError } from './command.ts'
import type { Engine } from './engines/engine.ts'
import { ENGINES, findEngines, NOT_QUICK } from './engines/index.ts'
import { INT8_CONTENDERS } from './engines/int8.ts'
import { THREAD_CASES, THREAD_CONTENDERS } from './engines/threads.ts'
import { INT8_CASES } from './targets.ts'

const OPTIONS = {
  quick: { type: 'boolean' },
  int8: { type: 'boolean' },
  threads: { type: 'boolean' },
  case: { type: 'string', multiple: true },
  engine: { type: 'string', multiple: true },
  json: { type: 'string' },
  markdown: { type: 'boolean' },
  svg: { type: 'string' },
  check: { type: 'boolean' },
  list: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

export const HELP = `Times lstm-wasm and other engines side by side, after checking every output against a float64 reference.

  npm run bench -- [flags]            or, after npm run build: bun bench/run.ts, deno run -A bench/run.ts

  --quick          the cases of the targets only, in less than a minute; without ${NOT_QUICK.join(' and ')}
  --int8           also the engines with weights of 8 bits, whose outputs may be ${INT8_TOLERANCE} away; the cases of their targets. On x86-64 ours
                   run once more in a process without AVX-VNNI
  --threads        engines with one thread and with two; the cases that threads are for. As a chart: npm run bench:threads
  --case LIST      names, parts of names, or any sizes of a layer: --case "B1 T1 F64 H64,GRU B2 T7 F3 H5,digits"
  --engine LIST    engines, or one of their variants: --engine lstm-wasm:simd,onnxruntime-web
  --json FILE      also write all figures to FILE
  --svg FILE       also draw them, relative to lstm-wasm; needs npm run bench:setup
  --markdown       print Markdown instead of text
  --check          compare with bench/targets.ts: a line a figure, exit code 1 if one is missed
  --list           list cases and engines
  --help

The other engines are installed by npm run bench:setup; those that are missing are skipped, and named.`

export interface Flags {
  readonly quick: boolean
  readonly int8: boolean
  readonly cases: readonly Case[]
  readonly engines: readonly { engine: Engine, variants: readonly string[] }[]
  readonly json: string | undefined
  readonly svg: string | undefined
  readonly markdown: boolean
  readonly check: boolean
  readonly list: boolean
  readonly help: boolean
}

/** @throws UsageError for unknown flags, cases and engines, saying which there are */
export function readFlags(args: readonly string[]): Flags {
  const values = parseFlags(args, OPTIONS)
  const { quick = false, int8 = false, threads = false } = values
  const chosen = int8 ? { cases: INT8_CASES, engines: INT8_CONTENDERS } : threads ? { cases: THREAD_CASES, engines: THREAD_CONTENDERS } : undefined
  try {
    return {
      quick,
      int8: int8 && values.engine === undefined,
      cases: values.case === undefined
        ? CASES.filter((entry) => chosen?.cases.includes(entry.name) ?? (!quick || entry.quick))
        : findCases(values.case.join()),
      engines: values.engine === undefined
        ? (chosen?.engines ?? ENGINES.filter(({ name }) => !quick || !NOT_QUICK.includes(name))).map((engine) => ({ engine, variants: engine.variants }))
        : findEngines(values.engine.join()),
      json: values.json,
      svg: values.svg,
      markdown: values.markdown ?? false,
      check: values.check ?? false,
      list: values.list ?? false,
      help: values.help ?? false,
    }
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(error.message) : error
  }
}

/** @throws UsageError for what is no flag, saying which there are */
export function parseFlags<Options extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[], options: Options,
): ReturnType<typeof parseArgs<{ args: string[], options: Options }>>['values'] {
  try {
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    const [message = ''] = (error instanceof Error ? error.message : String(error)).split('. ')
    throw new UsageError(`${message}; flags are ${Object.keys(options).map((name) => `--${name}`).join(', ')}`)
  }
}

/** What --list prints. */
export function listing() {
  const width = Math.max(...CASES.map(({ name }) => name.length))
  return [
    'cases (* with --quick):', ...CASES.map(({ name, about, quick }) => `  ${quick ? '*' : ' '} ${name.padEnd(width)}  ${about}`),
    '', 'engines:', ...ENGINES.map(({ name, variants, settings }) => `    ${name} (${variants.join(', ')}): ${settings}`),
  ].join('\n')
}
