// npm run bench:training
import { INTERRUPTED, runCommand, UsageError } from './command.ts'
import { parseFlags } from './flags.ts'
import { textTable } from './report/table.ts'
import { compileRoofline } from './roofline/compile.ts'
import { openRoofline, type Roofline } from './roofline/roofline.ts'
import { makeTrainingData, TRAINING_CASES, type TrainingCase } from './training/cases.ts'
import { measureTraining } from './training/measure.ts'
import { ownStepper, type Stepper, tfjsSteppers } from './training/steppers.ts'

const OPTIONS = {
  'help': { type: 'boolean', short: 'h' }, 'case': { type: 'string' }, 'rounds': { type: 'string' }, 'threads': { type: 'string' }, 'no-peers': { type: 'boolean' },
} as const
const HELP = `Milliseconds of a training step: forward, backward and Adam. The losses of the first steps are compared first.

  npm run bench:training                       all cases, beside TensorFlow.js where bench:setup has installed it
  npm run bench:training -- --case H128        cases whose names have this text
  npm run bench:training -- --rounds 20        rounds of each engine (default 12)
  npm run bench:training -- --threads 2        ours on two threads beside one
  npm run bench:training -- --no-peers         ours alone

PyTorch on one thread, in a process of its own: npm run bench:torch`

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
  if (withPeers) await tfjsSteppers(one, data).then((found) => steppers.push(...found), () => console.log('TensorFlow.js is not installed: npm run bench:setup'))
  return steppers
}

await runCommand('bench:training', async (args, { signal, onProgress, progress }) => {
  const { help, case: text = '', rounds = '12', threads = '1', 'no-peers': isAlone = false } = parseFlags(args, OPTIONS)
  if (help) {
    console.log(HELP)
    return 0
  }
  for (const [name, value] of Object.entries({ rounds, threads })) {
    if (!/^[1-9]\d*$/.test(value)) throw new UsageError(`--${name}: expected a whole number >= 1, got '${value}'`)
  }
  const cases = TRAINING_CASES.filter(({ name }) => name.includes(text))
  if (cases.length === 0) throw new UsageError(`--case: no case has '${text}' in its name: ${TRAINING_CASES.map(({ name }) => name).join(', ')}`)
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
