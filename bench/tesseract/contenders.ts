// Who reads a line: this library, tesseract.js, and Tesseract's own program.
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadPeer } from '../peers/load.ts'
import { asPgm, type GreyLine } from './lines.ts'

/** Milliseconds of processor time that reading lines takes. */
export interface Contender {
  readonly name: string
  /** One line after the other; [milliseconds, text] of each, or of their mean. */
  time(lines: readonly GreyLine[]): Promise<number>
  text(line: GreyLine): Promise<string>
  dispose(): Promise<void>
}

/** Of all threads of this process: what else a machine does disturbs it least. */
const processorMs = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

async function timed(lines: readonly GreyLine[], read: (line: GreyLine) => unknown): Promise<number> {
  const begin = processorMs()
  for (const line of lines) await read(line)
  return (processorMs() - begin) / lines.length
}

/** The network alone on prepared pixels, all of `recognizeLine`, or of `recognizeLines` with all lines in a batch. */
export async function ownContender(file: Uint8Array, weights: 'int8' | 'float32', how: 'network' | 'recognizeLine' | 'recognizeLines'): Promise<Contender> {
  const [{ compile }, { decodeLine, readTraineddata, recognizeLine, recognizeLines }] = await Promise.all([import('lstm-wasm'), import('lstm-wasm/tesseract')])
  const { graph } = readTraineddata(file, { weights })
  const model = await compile(graph, { streams: false })
  const prepared: Map<GreyLine, { data: Float32Array, shape: number[], dtype: 'float32' }> = new Map()
  const pixelsOf = (line: GreyLine) => {
    const pixels = prepared.get(line) ?? { data: Float32Array.from(line.data, (grey) => grey / 127.5 - 1), shape: [1, line.height, line.width, 1], dtype: 'float32' as const }
    prepared.set(line, pixels)
    return pixels
  }
  const box = { left: 0, top: 0, width: 1, height: 1 }
  return {
    name: `lstm-wasm ${weights}, ${model.runtime.variant}, ${how}`,
    async time(lines) {
      if (how === 'recognizeLines') return await timed([lines[0]], () => recognizeLines(model, lines, { batch: lines.length })) / lines.length
      return timed(lines, how === 'recognizeLine' ? (line) => recognizeLine(model, line) : (line) => model.run({ pixels: pixelsOf(line) }))
    },
    text: async (line) => (how !== 'network' ? recognizeLine(model, line) : decodeLine(model, model.run({ pixels: pixelsOf(line) }).probs, { box })).text,
    dispose: async () => model.dispose(),
  }
}

/** Tesseract looks twice at lines whose first reading is worse than the threshold: at 1.1 always, at 0 never. Their difference is the network. */
const ONCE = '0'
const TWICE = '1.1'
/** A line, whatever it looks like. */
const PAGE_MODE = '13'

/** @param folder has LANGUAGE.traineddata */
export async function tesseractJsContenders(folder: string, language: string): Promise<Contender[]> {
  const { default: tesseract } = await loadPeer('tesseract.js')
  const worker = await tesseract.createWorker(language, 1, { langPath: folder, gzip: false, cacheMethod: 'none' })
  await worker.setParameters({ tessedit_pageseg_mode: PAGE_MODE })
  const read = async (line: GreyLine): Promise<string> => (await worker.recognize(asPgm(line))).data.text
  const withThreshold = async (threshold: string, lines: readonly GreyLine[]) => {
    await worker.setParameters({ invert_threshold: threshold })
    return timed(lines, read)
  }
  const text = async (line: GreyLine) => (await read(line)).trim().replaceAll('\n', ' ')
  return [
    {
      name: 'tesseract.js, network', text, dispose: async () => undefined,
      time: async (lines) => {
        const once = await withThreshold(ONCE, lines)
        return await withThreshold(TWICE, lines) - once
      },
    },
    { name: 'tesseract.js, recognize()', text, time: (lines) => withThreshold(ONCE, lines), dispose: () => worker.terminate() },
  ]
}

/** Milliseconds of processor time and what it prints, of the program on one thread. */
async function runNative(folder: string, language: string, input: string, threshold: string): Promise<{ ms: number, text: string }> {
  const command = 'TIMEFORMAT="%U %S"; time tesseract "$0" - --psm "$1" -l "$2" --tessdata-dir "$3" -c invert_threshold="$4" 2> /dev/null'
  const child = spawn('bash', ['-c', command, input, PAGE_MODE, language, folder, threshold], { env: { ...process.env, OMP_THREAD_LIMIT: '1', LC_ALL: 'C' } })
  const parts = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) child[stream].on('data', (data) => (parts[stream] += String(data)))
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  if (code !== 0) throw new Error(`tesseract ended with ${String(code)}: is it installed?`)
  const [user = NaN, system = NaN] = parts.stderr.trim().split(' ').map(Number)
  return { ms: (user + system) * 1000, text: parts.stdout.replaceAll('\f', '').trim().replaceAll('\n', ' ') }
}

/** The difference of two runs over all lines, so that starting and reading the model are no part of it. */
export async function nativeContender(folder: string, language: string): Promise<Contender> {
  const files = await mkdtemp(join(tmpdir(), 'lstm-wasm-bench-'))
  const put = async (line: GreyLine, n: number) => {
    const name = join(files, `${n}.pgm`)
    await writeFile(name, asPgm(line))
    return name
  }
  return {
    name: 'tesseract, network',
    time: async (lines) => {
      const list = join(files, 'list.txt')
      const names = await Promise.all(lines.map(put))
      // Several times, since it counts milliseconds.
      await writeFile(list, `${[...names, ...names, ...names].join('\n')}\n`)
      const once = await runNative(folder, language, list, ONCE)
      const twice = await runNative(folder, language, list, TWICE)
      return (twice.ms - once.ms) / (3 * lines.length)
    },
    text: async (line) => (await runNative(folder, language, await put(line, 0), ONCE)).text,
    dispose: () => rm(files, { recursive: true }),
  }
}
