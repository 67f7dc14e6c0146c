// npm run bench:tesseract
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { INTERRUPTED, runCommand, UsageError } from '../command.ts'
import { parseFlags } from '../flags.ts'
import { describeMachine, describeRuntime, readVersions } from '../machine.ts'
import { ROOT } from '../places.ts'
import { digits } from '../report/format.ts'
import { describe, textTable } from '../report/table.ts'
import { median } from '../statistics.ts'
import { nativeContender, ownContender, tesseractJsContenders, type Contender } from './contenders.ts'
import { readLines } from './lines.ts'

const OPTIONS = { rounds: { type: 'string' }, json: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const
const HELP = `Lines of text with Tesseract's English networks: lstm-wasm, tesseract.js, and Tesseract's program where it is installed.
Processor time of a line, all threads of a process together; tesseract.js and the program run their network once and twice, whose
difference is the network. Every round is the turn of each.

  npm run bench:tesseract -- [--rounds N] [--json FILE]      N is 10 unless given

Networks: fast of Debian's tesseract-ocr-eng, best_int of npm ci --prefix examples/ocr/models; tesseract.js of npm run bench:setup.`

const NETWORKS = [
  ['fast', '/usr/share/tesseract-ocr/5/tessdata/eng.traineddata'],
  ['best_int', fileURLToPath(new URL('examples/ocr/models/node_modules/@tesseract.js-data/eng/4.0.0_best_int/eng.traineddata.gz', ROOT))],
] as const
const WARM_UP_ROUNDS = 2

await runCommand('bench:tesseract', async (args, { signal, progress, onProgress }) => {
  const { rounds = '10', json, help } = parseFlags(args, OPTIONS)
  if (help) {
    console.log(HELP)
    return 0
  }
  if (!/^[1-9]\d*$/.test(rounds)) throw new UsageError(`--rounds: expected a whole number >= 1, got '${rounds}'`)
  const lines = await readLines(gunzipSync)
  const folder = await mkdtemp(join(tmpdir(), 'lstm-wasm-bench-'))
  const results: { case: string, engine: string, medianMs: number, minMs: number, text: string }[] = []
  const skipped: string[] = []
  for (const [kind, path] of NETWORKS) {
    if (!existsSync(path)) {
      skipped.push(`tesseract eng ${kind}: there is no ${path}`)
      continue
    }
    const packed = await readFile(path)
    const bytes = path.endsWith('.gz') ? gunzipSync(packed) : packed
    await writeFile(join(folder, `${kind}.traineddata`), bytes)
    const contenders: Contender[] = []
    for (const [weights, how] of [['int8', 'network'], ['float32', 'network'], ['int8', 'recognizeLine'], ['int8', 'recognizeLines']] as const) {
      contenders.push(await ownContender(bytes, weights, how))
    }
    const others = [() => tesseractJsContenders(folder, kind), async () => [await nativeContender(folder, kind)]]
    for (const make of others) {
      try {
        const made = await make()
        await made[0].text(lines[0])
        contenders.push(...made)
      } catch (error) {
        skipped.push(`tesseract eng ${kind}: ${(error as Error).message}`)
      }
    }
    const times = contenders.map((): number[] => [])
    for (let round = -WARM_UP_ROUNDS; round < Number(rounds) && !signal.aborted; round++) {
      for (const [n, contender] of contenders.entries()) {
        await onProgress((round + WARM_UP_ROUNDS) / (Number(rounds) + WARM_UP_ROUNDS), `tesseract eng ${kind}`, contender.name)
        const ms = await contender.time(lines)
        if (round >= 0) times[n].push(ms)
      }
    }
    for (const [n, contender] of contenders.entries()) {
      results.push({ case: `tesseract eng ${kind}`, engine: contender.name, medianMs: median(Float64Array.from(times[n])), minMs: Math.min(...times[n]), text: await contender.text(lines[0]) })
    }
    for (const contender of contenders) await contender.dispose()
    if (signal.aborted) return INTERRUPTED
  }
  progress.clear()
  await rm(folder, { recursive: true })
  const where = {
    machine: await describeMachine(), runtime: describeRuntime(), versions: await readVersions(['tesseract.js', 'tesseract.js-core']), date: new Date().toISOString(),
    command: ['npm run bench:tesseract --', ...args].join(' '),
  }
  const ofOurs = (row: typeof results[number]) => row.medianMs / (results.find((one) => one.case === row.case)?.medianMs ?? NaN)
  const rows = results.map((row) => [row.case, row.engine, `${digits(row.medianMs)} ms`, `${digits(row.minMs)} ms`, `${ofOurs(row).toFixed(2)}x`, row.text])
  console.log(`${describe(where, 'one thread')}\n${lines.length} lines of ${Math.round(lines.reduce((sum, { width }) => sum + width, 0) / lines.length)} columns in the mean\n`)
  console.log(textTable(['case', 'engine', 'median', 'least', 'time / ours', 'the first line'], rows, 2))
  for (const reason of skipped) console.log(`not measured: ${reason}`)
  if (json !== undefined) await writeFile(json, `${JSON.stringify({ ...where, results, skipped }, null, 2)}\n`)
  return 0
})
