// A table of windows, and what it takes to score it: time, and the largest memory of the process.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { compile } from 'lstm-wasm'
import { dense, input, lstm, sequential } from 'lstm-wasm/layers'
import { initialStateDict } from 'lstm-wasm/training'
import { ROOT } from './places.ts'
import { pseudoRandom } from './random.ts'

/** Eight columns of numbers; an LSTM over the last 20 rows, and three classes. */
const FEATURES = 8
export const TIMESTEPS = 20
const GROUP_ROWS = 100_000

export interface ScoreRun {
  workers: number
  seconds: number
  windowsASecond: number
  /** Largest resident memory of the process, in bytes; undefined where the system does not tell. */
  peakBytes: number | undefined
  sha256: string
}

/** A model of random weights. */
export async function writeModel(path: string, units: number) {
  const net = sequential([input(['timesteps', FEATURES]), lstm({ units }), dense({ units: 3, activation: 'softmax' })])
  const model = await compile(net.loadStateDict(initialStateDict(net.weightSpecs(), {}, 1)))
  await writeFile(path, model.save())
  model.dispose()
}

/** A Parquet file of an `id` and features of random numbers, with so many rows that there are `windows`. */
export async function writeTable(path: string, windows: number, onProgress: (share: number) => Promise<void>) {
  const rows = windows + TIMESTEPS - 1
  const names = Array.from({ length: FEATURES }, (_, n) => `f${n}`)
  const schema = [
    { name: 'root', num_children: FEATURES + 1 }, { name: 'id', type: 'INT64', repetition_type: 'OPTIONAL' },
    ...names.map((name) => ({ name, type: 'FLOAT', repetition_type: 'OPTIONAL' })),
  ]
  const bytes = new ByteWriter()
  const writer = new ParquetWriter({ writer: bytes, schema: schema as any, statistics: false })
  const file = createWriteStream(path)
  const flush = async () => {
    const isRoom = file.write(bytes.getBytes().slice())
    bytes.index = 0
    if (!isRoom) await once(file, 'drain')
  }
  for (let begin = 0; begin < rows; begin += GROUP_ROWS) {
    const count = Math.min(GROUP_ROWS, rows - begin)
    const features = names.map((name, n) => ({ name, data: pseudoRandom(begin * FEATURES + n * count, count, 1), encoding: 'PLAIN' as const }))
    await writer.write({ columnData: [{ name: 'id', data: BigInt64Array.from({ length: count }, (_, n) => BigInt(begin + n)) }, ...features], rowGroupSize: count })
    await flush()
    await onProgress((begin + count) / rows)
  }
  await writer.finish()
  await flush()
  file.end()
  await once(file, 'close')
}

/** Scores the table in a process of its own. */
export async function measureScore(folder: string, workers: number, windows: number, signal: AbortSignal): Promise<ScoreRun> {
  const out = `${folder}/scores-${workers}.parquet`
  const args = ['score', 'model.safetensors', 'table.parquet', '-o', out, '--timesteps', `${TIMESTEPS}`, '--keep', 'id', '--workers', `${workers}`, '--force']
  const begin = performance.now()
  const child = spawn(process.execPath, [fileURLToPath(new URL('dist/cli.js', ROOT)), ...args], { cwd: folder, signal, stdio: ['ignore', 'ignore', 'inherit'] })
  let peakBytes: number | undefined
  const watch = setInterval(() => void peakOf(child.pid).then((bytes) => (peakBytes = bytes ?? peakBytes)), 200)
  const [code] = await once(child, 'exit')
  clearInterval(watch)
  if (code !== 0) throw new Error(`lstm-wasm ${args.join(' ')}: exit code ${code}`)
  const seconds = (performance.now() - begin) / 1000
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(out)) hash.update(chunk)
  return { workers, seconds, windowsASecond: windows / seconds, peakBytes, sha256: hash.digest('hex') }
}

/** Linux keeps the largest resident memory of a process. */
async function peakOf(pid: number | undefined) {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const kilobytes = /VmHWM:\s+(\d+) kB/.exec(status)?.[1]
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
}
