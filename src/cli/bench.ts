import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { compile, createRuntime, LstmError, type DType, type Model, type NdArray, type OutputDTypes } from '../index.ts'
import { NdArray as Arrays } from '../index.ts'
import { COMMON_OPTIONS, onlyFile, parseArguments, UsageError } from './arguments.ts'
import { lengthOf } from './conversion.ts'
import { meaningOf } from './inputs.ts'
import { interruptible } from './interrupt.ts'
import { READ_HELP, READ_OPTIONS, readModel, toNumber, toSize, variantOf } from './reading.ts'
import { clearStatus, showStatus } from './terminal.ts'

export const BENCH_HELP: string = `\
Times a model on this machine: the median and the 95th percentile of calls of model.run on random
inputs. Where onnxruntime-web is installed in this folder (npm install onnxruntime-web) and the
model is an ONNX file, it is timed on the same inputs, in turns, after outputs were compared.

Usage
  lstm-wasm bench FILE [--batch N] [--timesteps N] [--size NAME=N ...] [--seconds N]

Options
  --batch N                rows of a call, where the model leaves it open. Default 1.
  --timesteps N            timesteps of a call, where the model leaves them open. Default 100.
  --size NAME=N            any other size that the model leaves open, as inspect calls it
  --seconds N              how long each engine is timed. Default 1.
  --variant VARIANT        simd, relaxed-simd or auto (default): which binary
${READ_HELP}\
  -h, --help               this help
  --verbose                on an error, also the whole message and the stack

Examples
  lstm-wasm bench digits.safetensors --batch 32
  lstm-wasm bench model.onnx --timesteps 50 --seconds 0.2

Exit codes: 0 done, 1 the model cannot be run, or outputs differ, 2 the command line is wrong.
`

const SEED = 12345
/** What memory that 32 bits address can hold. */
const MOST_ELEMENTS = 2 ** 30
/** Float32 runs of two engines differ by rounding: this much, relative to the largest output, is no other function. */
const LARGEST_DIFFERENCE = 1e-3
const FEWEST_RUNS = 5

interface Engine {
  readonly name: string
  readonly run: () => unknown
}

/** `lstm-wasm bench`. */
export async function bench(args: readonly string[]): Promise<number> {
  const parsed = parseArguments(args, {
    ...COMMON_OPTIONS, ...READ_OPTIONS, batch: 'string', timesteps: 'string', size: 'string', seconds: 'string', variant: 'string',
  })
  const file = onlyFile(parsed, 'one model file')
  const last = (name: string): string | undefined => parsed.values.get(name)?.at(-1)
  const variant = variantOf(parsed)
  const sizes = new Map([['batch', toSize(last('batch') ?? '1', '--batch')], ['timesteps', toSize(last('timesteps') ?? '100', '--timesteps')]])
  for (const argument of parsed.values.get('size') ?? []) {
    const [, name, size] = /^(.+)=(\d+)$/.exec(argument) ?? []
    if (name === undefined || size === undefined) throw new UsageError(`--size: expected NAME=N, got '${argument}'`)
    sizes.set(name, toSize(size, '--size'))
  }
  const seconds = toNumber(last('seconds') ?? '1', '--seconds')
  if (!(seconds > 0)) throw new UsageError(`--seconds: expected a number above 0, got '${seconds}'`)

  return interruptible(async (signal) => {
    const graph = await readModel(file, parsed, signal)
    const runtime = await createRuntime({ variant })
    const model = await compile<OutputDTypes>(graph, { runtime })
    refuseSizes(parsed.values.get('size') ?? [], model)
    const inputs = randomInputs(model, sizes)
    const outputs = model.run(inputs)
    const engines: Engine[] = [{ name: `lstm-wasm (${runtime.variant})`, run: () => model.run(inputs) }]
    const peer = await peerOf(file, model, inputs)
    if (peer !== undefined) {
      const distance = distanceOf(outputs, await peer.outputs())
      if (!(distance <= LARGEST_DIFFERENCE)) throw new LstmError('VALUE', `the outputs of lstm-wasm and onnxruntime-web differ by ${distance.toPrecision(2)} of the largest: nothing was timed`)
      engines.push(peer)
      process.stdout.write(`outputs agree within ${distance.toPrecision(2)} of the largest\n`)
    }
    const shapes = Object.entries(inputs).map(([name, { shape }]) => `${name} [${shape.join(', ')}]`)
    const times = await measure(engines, seconds, signal)
    clearStatus()
    process.stdout.write(`${file}: ${shapes.join(', ')}, Node ${process.version}\n\n${table(engines, times)}\n`)
    if (peer === undefined) process.stdout.write(`\n${whyAlone(file)}\n`)
    return 0
  })
}

/** @throws UsageError for a size that no input leaves open */
function refuseSizes(given: readonly string[], { inputs }: Model<OutputDTypes>): void {
  const open = [...new Set(inputs.flatMap(({ shape }) => shape.flatMap((size) => (typeof size === 'string' ? [size, meaningOf(size)] : []))))]
  const other = given.map((argument) => argument.slice(0, argument.lastIndexOf('='))).find((name) => !open.includes(name))
  if (other !== undefined) throw new UsageError(`--size: no input leaves a size '${other}' open; open are ${open.join(', ')}`)
}

/** Inputs that are not optional: random numbers; whole ones are 0, which every vocabulary has. */
function randomInputs(model: Model<OutputDTypes>, sizes: ReadonlyMap<string, number>): Record<string, NdArray> {
  let state = SEED
  const random = (): number => {
    state = (state * 1103515245 + 12345) % 2147483648
    return 2 * state / 2147483648 - 1
  }
  const inputs: Record<string, NdArray> = {}
  for (const { name, dtype, shape, optional } of model.inputs) {
    if (optional === true) continue
    const known = shape.map((size) => {
      const number = typeof size === 'number' ? size : sizes.get(size) ?? sizes.get(meaningOf(size))
      if (number === undefined) throw new UsageError(`the size '${size}' of the input '${name}' is open: --size ${size}=N`)
      return number
    })
    const length = lengthOf(known)
    if (length > MOST_ELEMENTS) throw new LstmError('MEMORY', `the input '${name}' would be [${known.join(', ')}]: more numbers than memory can hold`)
    inputs[name] = dtype === 'float32' ? new Arrays(Float32Array.from({ length }, random), known) : new Arrays(zeros(dtype, length), known)
  }
  return inputs
}

function zeros(dtype: DType, length: number): Int32Array | Uint8Array {
  return dtype === 'int32' ? new Int32Array(length) : new Uint8Array(length)
}

interface Peer extends Engine {
  outputs(): Promise<Readonly<Record<string, ArrayLike<number>>>>
}

/** What is used of onnxruntime-web. */
interface OnnxRuntime {
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => unknown
  readonly InferenceSession: {
    create(bytes: Uint8Array, options: object): Promise<{
      run(feeds: object): Promise<Record<string, { readonly data: ArrayLike<number | bigint> }>>
      readonly inputMetadata?: readonly { readonly name: string, readonly type?: string }[]
    }>
  }
}

/** onnxruntime-web with the same model and inputs; undefined where it is not installed, or the file is not for it. */
async function peerOf(file: string, model: Model<OutputDTypes>, inputs: Readonly<Record<string, NdArray>>): Promise<Peer | undefined> {
  if (!file.endsWith('.onnx')) return undefined
  const path = installed()
  if (path === undefined) return undefined
  showStatus('starting onnxruntime-web ...')
  const found = await import(pathToFileURL(path).href) as OnnxRuntime & { readonly default?: OnnxRuntime }
  const ort = found.InferenceSession === undefined ? found.default as OnnxRuntime : found
  const session = await ort.InferenceSession.create(await readFile(file), { executionProviders: ['wasm'] })
  const feeds: Record<string, unknown> = {}
  for (const [name, { dtype, shape, data }] of Object.entries(inputs)) {
    const type = session.inputMetadata?.find((input) => input.name === name)?.type ?? dtype
    feeds[name] = new ort.Tensor(type, type === 'int64' ? BigInt64Array.from(data, BigInt) : data, shape)
  }
  const names = new Set(model.outputs.map(({ name }) => name))
  return {
    name: 'onnxruntime-web',
    run: async () => session.run(feeds),
    async outputs() {
      const results = Object.entries(await session.run(feeds)).filter(([name]) => names.has(name))
      return Object.fromEntries(results.map(([name, { data }]) => [name, Array.from(data, Number)]))
    },
  }
}

function installed(): string | undefined {
  try {
    return createRequire(join(process.cwd(), 'package.json')).resolve('onnxruntime-web')
  } catch {
    return undefined
  }
}

function whyAlone(file: string): string {
  return file.endsWith('.onnx')
    ? 'To time onnxruntime-web beside it: npm install onnxruntime-web'
    : 'onnxruntime-web runs ONNX files: of such a model, it is timed beside lstm-wasm.'
}

/** The largest difference, relative to the largest output. */
function distanceOf(outputs: Readonly<Record<string, NdArray>>, others: Readonly<Record<string, ArrayLike<number>>>): number {
  let [difference, largest] = [0, 0]
  for (const [name, { data }] of Object.entries(outputs)) {
    const other = others[name]
    if (other?.length !== data.length) return Infinity
    data.forEach((value, n) => {
      difference = Math.max(difference, Math.abs(value - (other[n] as number)))
      largest = Math.max(largest, Math.abs(value))
      if (Number.isNaN(value) !== Number.isNaN(other[n])) difference = Infinity
    })
  }
  return largest === 0 ? difference : difference / largest
}

/** Microseconds of calls, engine by engine; in turns, so that what else the machine does meets all alike. */
async function measure(engines: readonly Engine[], seconds: number, signal: AbortSignal): Promise<number[][]> {
  const times = engines.map((): number[] => [])
  const rounds = 10
  for (let round = 0; round < rounds; round++) {
    for (const [n, { name, run }] of engines.entries()) {
      showStatus(`timing ${name}, round ${round + 1} of ${rounds}, Ctrl-C stops`)
      // Once before, so that caches and the engine's compiler are as warm as in a row of calls.
      await run()
      const end = performance.now() + 1000 * seconds / rounds
      const own = times[n] as number[]
      do {
        const begin = performance.now()
        await run()
        own.push(1000 * (performance.now() - begin))
      } while (performance.now() < end || own.length < FEWEST_RUNS)
      await new Promise((resolve) => setImmediate(resolve))
      if (signal.aborted) throw new LstmError('ABORTED', 'timing was stopped')
    }
  }
  return times
}

function table(engines: readonly Engine[], times: readonly (readonly number[])[]): string {
  const sorted = times.map((own) => [...own].sort((a, b) => a - b))
  const quantile = (own: readonly number[], part: number): number => own[Math.min(own.length - 1, Math.floor(part * own.length))] as number
  const ours = quantile(sorted[0] as number[], 0.5)
  const rows = engines.map(({ name }, n) => {
    const own = sorted[n] as number[]
    return [name, duration(quantile(own, 0.5)), duration(quantile(own, 0.95)), String(own.length), `${(quantile(own, 0.5) / ours).toFixed(2)}x`]
  })
  const cells = [['engine', 'median', '95 %', 'calls', 'time / ours'], ...rows]
  const widths = cells[0]?.map((_, column) => Math.max(...cells.map((row) => (row[column] as string).length))) as number[]
  return cells.map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] as number) : cell.padStart(widths[column] as number))).join('  ')).join('\n')
}

function duration(microseconds: number): string {
  if (microseconds < 1000) return `${microseconds.toPrecision(3)} us`
  return microseconds < 1e6 ? `${(microseconds / 1000).toPrecision(3)} ms` : `${(microseconds / 1e6).toPrecision(3)} s`
}
