// npm run bench:training
import { adam, createTrainer, sparseCategoricalCrossentropy } from 'lstm-wasm/training'
import { createRuntime, NdArray } from 'lstm-wasm'
import { dense, lstm, sequential } from 'lstm-wasm/layers'
import { runCommand } from './command.ts'
import { loadPeer } from './peers/load.ts'
import { parseFlags } from './flags.ts'
import { ROOT } from './places.ts'
import { median } from './statistics.ts'
import { loadTfjs, type Tf } from './engines/tfjs.ts'

const OPTIONS = { 'help': { type: 'boolean', short: 'h' }, 'case': { type: 'string' }, 'rounds': { type: 'string' }, 'no-peers': { type: 'boolean' } } as const
const HELP = `Milliseconds of a training step: forward, backward and Adam, one thread. The losses of the first steps are compared first.

  npm run bench:training                       all cases, beside TensorFlow.js where bench:setup has installed it
  npm run bench:training -- --case H128        cases whose names have this text
  npm run bench:training -- --rounds 20        rounds of each engine (default 12)
  npm run bench:training -- --no-peers         ours alone

PyTorch on one thread, in a process of its own: npm run bench:torch`

interface TrainingCase {
  readonly name: string
  readonly batch: number
  readonly timesteps: number
  readonly features: number
  readonly units: number
  readonly classes: number
  readonly everyStep: boolean
}

const CASES: readonly TrainingCase[] = [
  { name: 'train B128 T28 F28 H32', batch: 128, timesteps: 28, features: 28, units: 32, classes: 10, everyStep: false },
  { name: 'train B128 T28 F28 H128', batch: 128, timesteps: 28, features: 28, units: 128, classes: 10, everyStep: false },
  { name: 'train char-RNN B32 T64 F64 H256', batch: 32, timesteps: 64, features: 64, units: 256, classes: 65, everyStep: true },
  { name: 'train B128 T28 F1 H128', batch: 128, timesteps: 28, features: 1, units: 128, classes: 10, everyStep: false },
]
const CHECKED_STEPS = 4
/** Losses of the first steps may differ so much. */
const TOLERANCE = 1e-3
/** TensorFlow.js's JavaScript backend takes seconds a step. */
const SLOW_ROUNDS = 3

/** A model that takes steps on one batch, and gives the loss before each. */
interface Stepper {
  readonly name: string
  readonly rounds: number
  step(): Promise<number>
  dispose(): void
}

/** The same numbers in every run: uniform from -1 to 1 (mulberry32). */
function uniform(seed: number) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2147483648 - 1
  }
}

function makeData({ batch, timesteps, features, units, classes, everyStep }: TrainingCase) {
  const draw = uniform(7)
  const array = (scale: number, ...shape: number[]) => new NdArray(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => scale * draw()), shape)
  const scale = 1 / Math.sqrt(units)
  const count = everyStep ? batch * timesteps : batch
  const weights = {
    'lstm.weight_ih_l0': array(scale, 4 * units, features), 'lstm.weight_hh_l0': array(scale, 4 * units, units), 'lstm.bias_ih_l0': array(scale, 4 * units),
    'dense.weight': array(scale, classes, units), 'dense.bias': array(scale, classes),
  }
  return {
    // One bias, as TensorFlow.js has it: the second one is zeros, and frozen.
    weights: { ...weights, 'lstm.bias_hh_l0': new NdArray(new Float32Array(4 * units), [4 * units]) },
    x: array(1, batch, timesteps, features),
    y: new NdArray(Int32Array.from({ length: count }, () => Math.floor((draw() + 1) / 2 * classes) % classes), everyStep ? [batch, timesteps] : [batch]),
  }
}

type Data = ReturnType<typeof makeData>

async function ours(one: TrainingCase, { weights, x, y }: Data, variant: 'relaxed-simd' | 'simd'): Promise<Stepper> {
  const runtime = await createRuntime({ variant })
  const net = sequential([lstm(one.units, { returnSequences: one.everyStep }), dense(one.classes)]).loadStateDict(weights)
  const trainer = await createTrainer(net, { loss: sparseCategoricalCrossentropy({ fromLogits: true }), optimizer: adam(), runtime })
  trainer.freeze(['lstm.bias_hh_l0'])
  return {
    name: `lstm-wasm ${variant}`, rounds: 0,
    step: () => Promise.resolve(trainer.trainOnBatch(x, y).loss),
    dispose: () => trainer.dispose(),
  }
}

const transposed = (tf: Tf, { data, shape }: NdArray) => tf.tidy(() => tf.tensor2d(data, shape).transpose())

async function theirs(tf: Tf, backend: 'wasm' | 'cpu', one: TrainingCase, { weights, x, y }: Data): Promise<Stepper> {
  await tf.setBackend(backend)
  const { timesteps, features, units, classes, everyStep } = one
  const recurrent = tf.layers.lstm({
    units, returnSequences: everyStep, recurrentActivation: 'sigmoid', inputShape: [timesteps, features], kernelInitializer: 'zeros', recurrentInitializer: 'zeros',
  })
  const head = tf.layers.dense({ units: classes, kernelInitializer: 'zeros', activation: 'softmax' })
  const model = tf.sequential({ layers: [recurrent, head] })
  recurrent.setWeights([transposed(tf, weights['lstm.weight_ih_l0']), transposed(tf, weights['lstm.weight_hh_l0']), tf.tensor1d(weights['lstm.bias_ih_l0'].data)])
  head.setWeights([transposed(tf, weights['dense.weight']), tf.tensor1d(weights['dense.bias'].data)])
  model.compile({ optimizer: tf.train.adam(1e-3, 0.9, 0.999, 1e-8), loss: 'categoricalCrossentropy' })
  const [input, target] = tf.tidy(() => {
    const hot = tf.oneHot(tf.tensor1d(y.data, 'int32'), classes).toFloat()
    return [tf.keep(tf.tensor3d(x.data, x.shape)), tf.keep(hot.reshape([...y.shape, classes]))]
  })
  return {
    name: `tfjs-${backend}`, rounds: backend === 'cpu' ? SLOW_ROUNDS : 0,
    async step() {
      if (tf.getBackend() !== backend) await tf.setBackend(backend)
      return await model.trainOnBatch(input, target) as number
    },
    dispose() {
      model.dispose()
      input.dispose()
      target.dispose()
    },
  }
}

async function peers(one: TrainingCase, data: Data): Promise<Stepper[]> {
  const tf = await loadTfjs()
  const wasm = await loadPeer('@tensorflow/tfjs-backend-wasm').then((module) => module.default ?? module)
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false)
  wasm.setWasmPaths(decodeURIComponent(new URL('bench/peers/node_modules/@tensorflow/tfjs-backend-wasm/dist/', ROOT).pathname))
  return [await theirs(tf, 'wasm', one, data), await theirs(tf, 'cpu', one, data)]
}

/** Multiply-adds of the products forwards, three times: forwards, and twice as many back. */
function flops({ batch, timesteps, features, units, classes, everyStep }: TrainingCase) {
  return 3 * 2 * batch * (timesteps * 4 * units * (features + units) + (everyStep ? timesteps : 1) * units * classes)
}

await runCommand('bench:training', async (args) => {
  const flags = parseFlags(args, OPTIONS)
  if (flags.help) {
    console.log(HELP)
    return 0
  }
  const rounds = Number(flags.rounds ?? 12)
  for (const one of CASES.filter(({ name }) => name.includes(flags.case ?? ''))) {
    const data = makeData(one)
    const steppers: Stepper[] = []
    for (const variant of ['relaxed-simd', 'simd'] as const) {
      await ours(one, data, variant).then((stepper) => steppers.push(stepper), () => undefined) // an engine may not take the relaxed binary
    }
    if (flags['no-peers'] !== true) {
      await peers(one, data).then((found) => steppers.push(...found), () => console.log('TensorFlow.js is not installed: npm run bench:setup'))
    }
    const first: number[][] = []
    for (const stepper of steppers) {
      const losses: number[] = []
      for (let n = 0; n < (stepper.rounds > 0 ? 2 : CHECKED_STEPS); n++) losses.push(await stepper.step())
      first.push(losses)
    }
    const [expected = []] = first
    const wrong = first.findIndex((losses) => losses.some((loss, n) => !(Math.abs(loss - (expected[n])) < TOLERANCE)))
    if (wrong >= 0) throw new Error(`${one.name}: ${steppers[wrong]?.name} has losses ${first[wrong]?.join(', ')}, expected ${expected.join(', ')}`)
    const times = steppers.map((): number[] => [])
    for (let round = 0; round < rounds; round++) {
      for (const [n, stepper] of steppers.entries()) {
        if (stepper.rounds > 0 && round >= stepper.rounds) continue
        const begin = performance.now()
        await stepper.step()
        times[n]?.push(performance.now() - begin)
      }
    }
    console.log(one.name)
    const [best = NaN] = times.map((own) => median(own))
    for (const [n, { name }] of steppers.entries()) {
      const milliseconds = median(times[n])
      console.log(`  ${name.padEnd(24)} ${milliseconds.toFixed(2).padStart(9)} ms  ${(flops(one) / milliseconds / 1e6).toFixed(1).padStart(6)} GF/s  ${(milliseconds / best).toFixed(2).padStart(7)} x`)
    }
    for (const stepper of steppers) stepper.dispose()
  }
  return 0
})
