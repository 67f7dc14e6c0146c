// The engines that train: each takes steps of Adam on one batch, from the same weights.
import { createRuntime, type NdArray } from 'lstm-wasm'
import { dense, lstm, sequential } from 'lstm-wasm/layers'
import { adam, createTrainer, sparseCategoricalCrossentropy } from 'lstm-wasm/training'
import { tfjsWasm } from '../engines/tfjs-wasm.ts'
import type { Tf } from '../engines/tfjs.ts'
import type { TrainingCase, TrainingData } from './cases.ts'

/** Takes steps on one batch. */
export interface Stepper {
  readonly name: string
  /** Our binary on one thread, whose peak is measured beside it; null for several threads, and for other libraries. */
  readonly variant: string | null
  /** Its steps take seconds: a few are enough. */
  readonly isSlow?: boolean
  /** @returns the loss before the step */
  readonly step: () => Promise<number>
  readonly dispose: () => void
}

/** @throws Error where there are not so many threads */
export async function ownStepper(one: TrainingCase, { weights, x, y }: TrainingData, variant: 'relaxed-simd' | 'simd', threads = 1): Promise<Stepper> {
  const runtime = await createRuntime({ variant, threads })
  if (runtime.threads.count !== threads) throw new Error(`${threads} threads: ${runtime.threads.why}`)
  const net = sequential([lstm(one.units, { returnSequences: one.everyStep }), dense(one.classes)]).loadStateDict(weights)
  const trainer = await createTrainer(net, { loss: sparseCategoricalCrossentropy({ fromLogits: true }), optimizer: adam(), runtime })
  trainer.freeze(['lstm.bias_hh_l0'])
  return {
    name: `lstm-wasm ${variant}${threads > 1 ? `, ${threads} threads` : ''}`, variant: threads > 1 ? null : variant,
    step: () => Promise.resolve(trainer.trainOnBatch(x, y).loss),
    dispose() {
      trainer.dispose()
      runtime.dispose()
    },
  }
}

const transposed = (tf: Tf, { data, shape }: NdArray) => tf.tidy(() => tf.tensor2d(data, shape).transpose())

/** @param tf with its wasm backend */
async function tfjsStepper(tf: Tf, backend: 'wasm' | 'cpu', one: TrainingCase, { weights, x, y }: TrainingData): Promise<Stepper> {
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
    name: `tfjs-${backend}`, variant: null, isSlow: backend === 'cpu',
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

/** What opens each backend of TensorFlow.js. @throws where it is not installed */
export async function tfjsOpeners(one: TrainingCase, data: TrainingData): Promise<(() => Promise<Stepper>)[]> {
  const tf = await tfjsWasm.available('simd') as Tf
  return (['wasm', 'cpu'] as const).map((backend) => () => tfjsStepper(tf, backend, one, data))
}
