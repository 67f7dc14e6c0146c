// npm run bench:training
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { checkCounts, INTERRUPTED, runCommand, UsageError, type Tools } from './command.ts'
import { parseFlags } from './flags.ts'
import { describeMachine, describeRuntime, readVersions } from './machine.ts'
import { ROOT } from './places.ts'
import { openDrawing } from './report/drawing.ts'
import { drawLosses } from './report/loss-chart.ts'
import { textTable } from './report/table.ts'
import { compileRoofline } from './roofline/compile.ts'
import { openRoofline, type Roofline } from './roofline/roofline.ts'
import { makeTrainingData, TRAINING_CASES, type TrainingCase } from './training/cases.ts'
import { measureLossCurve, readCurve, type LossCurve } from './training/curve.ts'
import { measureTraining } from './training/measure.ts'
import { ownStepper, type Stepper, tfjsOpeners } from './training/steppers.ts'

const OPTIONS = {
  'help': { type: 'boolean', short: 'h' }, 'case': { type: 'string' }, 'rounds': { type: 'string' }, 'threads': { type: 'string' }, 'no-peers': { type: 'boolean' },
  'curve': { type: 'boolean' }, 'seconds': { type: 'string' }, 'torch': { type: 'string' },
} as const
const HELP = `Milliseconds of a training step: forward, backward and Adam. The losses of the first steps are compared first.

  npm run bench:training                       all cases, beside TensorFlow.js where bench:setup has installed it
  npm run bench:training -- --case H128        cases whose names have this text
  npm run bench:training -- --rounds 20        rounds of each engine (default 12)
  npm run bench:training -- --threads 2        ours also with so many threads (default 1: one thread alone)
  npm run bench:training -- --no-peers         ours alone
  npm run bench:training -- --curve            losses over seconds, of one case (default H128): docs/benchmark/training-loss.svg and .json
      --seconds 20                             how long each engine trains (default 20)
      --torch FILE                             with the curve of PyTorch that bench:torch wrote

PyTorch on one thread, in a process of its own: npm run bench:torch; npm run bench:torch -- --curve FILE --seconds 20`

const FOLDER = new URL('docs/benchmark/', ROOT)
const CURVE_CASE = 'F28 H128'

const VARIANTS = ['relaxed-simd', 'simd'] as const

/** Of the variants that this engine takes: some have no relaxed instructions. */
async function openRooflines() {
  await compileRoofline()
  const rooflines: Map<string, Roofline> = new Map()
  for (const variant of VARIANTS) await openRoofline(variant).then((roofline) => rooflines.set(variant, roofline), () => undefined)
  return rooflines
}

async function openSteppers(one: TrainingCase, variants: Iterable<string>, threads: number, withPeers: boolean): Promise<Stepper[]> {
  const data = makeTrainingData(one)
  const steppers: Stepper[] = []
  for (const variant of variants as Iterable<typeof VARIANTS[number]>) {
    for (const count of new Set([1, threads])) steppers.push(await ownStepper(one, data, variant, count))
  }
  if (withPeers) for (const open of await peersOf(one, data)) steppers.push(await open())
  return steppers
}

async function peersOf(...given: Parameters<typeof tfjsOpeners>): ReturnType<typeof tfjsOpeners> {
  return tfjsOpeners(...given).catch(() => {
    console.log('TensorFlow.js is not installed: npm run bench:setup')
    return []
  })
}

const sixDigits = (_: string, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(6)) : value)

interface CurveFlags {
  readonly one: TrainingCase
  readonly seconds: number
  readonly torch: string | undefined
  readonly withPeers: boolean
}

/** Losses over seconds of ours and of TensorFlow.js, one after the other, with PyTorch's from a file. @returns false where it was stopped */
async function writeCurve({ one, seconds, torch, withPeers }: CurveFlags, { signal, onProgress, progress }: Tools): Promise<boolean> {
  const drawing = await openDrawing()
  const curves: LossCurve[] = torch === undefined ? [] : [readCurve(await readFile(torch, 'utf8'), torch)]
  const data = makeTrainingData(one)
  const fastest = (await openRooflines()).keys().next().value as typeof VARIANTS[number]
  const openers = [() => ownStepper(one, data, fastest), ...withPeers ? await peersOf(one, data) : []]
  for (const [n, open] of openers.entries()) {
    curves.push(await measureLossCurve(open, { seconds, async onStep(part) {
      await onProgress((n + part) / openers.length, one.name, 'losses')
      return signal.aborted ? 'stop' : undefined
    } }))
    if (signal.aborted) return false
  }
  progress.clear()
  const where = {
    machine: await describeMachine(), runtime: describeRuntime(), versions: await readVersions(['@tensorflow/tfjs-core']), date: new Date().toISOString(), case: one.name,
  }
  await mkdir(FOLDER, { recursive: true })
  await writeFile(new URL('training-loss.json', FOLDER), `${JSON.stringify({ ...where, curves }, sixDigits, 1)}\n`)
  await writeFile(new URL('training-loss.svg', FOLDER), drawLosses(drawing, one.name, curves))
  console.log(textTable(['engine', 'steps', 'last loss'], curves.map(({ engine, steps, points }) => [engine, String(steps), points.at(-1)?.loss.toFixed(4) ?? '']), 1))
  return true
}

await runCommand('bench:training', async (args, tools) => {
  const { signal, onProgress, progress } = tools
  const flags = parseFlags(args, OPTIONS)
  const { help, curve = false, case: text = curve ? CURVE_CASE : '', rounds = '12', threads = '1', seconds = '20', torch, 'no-peers': isAlone = false } = flags
  if (help) {
    console.log(HELP)
    return 0
  }
  checkCounts({ rounds, threads, seconds })
  const cases = TRAINING_CASES.filter(({ name }) => name.includes(text))
  if (cases.length === 0) throw new UsageError(`--case: no case has '${text}' in its name: ${TRAINING_CASES.map(({ name }) => name).join(', ')}`)
  if (curve) return await writeCurve({ one: cases[0], seconds: Number(seconds), torch, withPeers: !isAlone }, tools) ? 0 : INTERRUPTED
  const rooflines = await openRooflines()
  for (const [n, one] of cases.entries()) {
    const onRound = async (round: number) => {
      await onProgress((n + round / Number(rounds)) / cases.length, one.name, `round ${round + 1}`)
      return signal.aborted ? 'stop' as const : undefined
    }
    await onRound(0)
    const steppers = await openSteppers(one, rooflines.keys(), Number(threads), !isAlone)
    try {
      const rows = await measureTraining(one, steppers, { rounds: Number(rounds), rooflines, onRound })
      progress.clear()
      console.log(`\n${one.name}`)
      console.log(textTable(['engine', 'ms', 'GFLOP/s', 'of peak', 'time'], rows.map(({ name, medianMs, gflops, peakShare, ratio }) => (
        [name, medianMs.toFixed(2), gflops.toFixed(1), peakShare === null ? '' : `${(100 * peakShare).toFixed(0)} %`, `${ratio.toFixed(2)} x`]
      )), 1))
    } finally {
      for (const stepper of steppers) stepper.dispose()
    }
    if (signal.aborted) return INTERRUPTED
  }
  return 0
})
