// What a trained model comes to, and in how many seconds: three tasks of which the results of others are known.
import { createRuntime, type ArrayLike } from 'lstm-wasm'
import { dense, embedding, input, lstm, sequential, type Sequential } from 'lstm-wasm/layers'
import { adam, cosineDecay, createTrainer, type Callback, type ModelTrainer, type TrainerOptions } from 'lstm-wasm/training'
import { ROOT } from '../places.ts'
import { pseudoRandom } from '../random.ts'

/** Is told how far it is; 'stop' ends it. */
export type OnPart = (share: number) => Promise<'stop' | undefined>

/** How good a model is, and how long it learned. */
export interface Learned {
  readonly seconds: number
  /** Of digits the share that is right, of sums the mean squared error, of text nats a character: on data that it was not trained with. */
  readonly result: number
}

const LARGEST_RATE = 4e-3
/** By which the time of a step is told. */
const TRIAL_STEPS = 20

/** One function for each task; undefined where it was stopped. */
export type Task = (seed: number, onPart: OnPart) => Promise<Learned | undefined>

/** Trains layers on a runtime of their own, which is given back however it ends. */
async function withTrainer<T>(net: Sequential, options: TrainerOptions, work: (trainer: ModelTrainer) => Promise<T>): Promise<T> {
  const runtime = await createRuntime()
  const trainer = await createTrainer(net, { ...options, runtime })
  try {
    return await work(trainer)
  } finally {
    trainer.dispose()
    runtime.dispose()
  }
}

/** A task of which nothing is wanted any more. */
const isStopped = async (onPart: OnPart, share: number) => await onPart(share) === 'stop'

/** A module of the examples, whose data are the same. */
const ofExamples = (path: string) => import(String(new URL(`examples/${path}`, ROOT)))

interface Images {
  readonly pixels: Float32Array
  readonly labels: Uint8Array
}

/** 60,000 handwritten digits row by row, Adam with a cosine from 4e-3; right ones of the 10,000 others. */
export async function learnDigits(units: number, epochs: number): Promise<Task> {
  const { readImages } = await ofExamples('digits/mnist.mjs') as { readImages: (set: string) => Promise<Images> }
  const [train, test] = [await readImages('train'), await readImages('t10k')]
  const rowsOf = ({ pixels }: Images) => ({ input: { dtype: 'float32' as const, shape: [pixels.length / 784, 28, 28], data: pixels } })
  const classesOf = ({ labels }: Images) => Int32Array.from(labels)
  return (seed, onPart) => withTrainer(sequential([lstm(units, { inputSize: 28 }), dense(10, { activation: 'softmax' })]), {
    loss: 'sparseCategoricalCrossentropy', optimizer: adam({ learningRate: cosineDecay(LARGEST_RATE, { epochs }) }), metrics: ['accuracy'], seed,
  }, async (trainer) => {
    let stopped = false
    const told: Callback = {
      async onEpochEnd(epoch, _logs, control) {
        stopped = await isStopped(onPart, (epoch + 1) / epochs)
        if (stopped) control.stop()
      },
    }
    const begin = performance.now()
    await trainer.fit(rowsOf(train), classesOf(train), { epochs, batchSize: 128, callbacks: [told] })
    const seconds = (performance.now() - begin) / 1000
    return stopped ? undefined : { seconds, result: (await trainer.evaluate(rowsOf(test), classesOf(test), { batchSize: 256 })).accuracy }
  })
}

/**
 * The adding problem (Hochreiter and Schmidhuber 1997): of `timesteps` numbers in [0, 1) two are marked, and their sum is wanted. The mean of the sum, for all
 * that is asked, has an error of 1/6.
 */
export function learnSums(timesteps: number, steps: number): Task {
  const [rows, units] = [64, 64]
  const batchOf = (seed: number, count: number) => {
    const [x, y] = [new Float32Array(count * timesteps * 2), new Float32Array(count)]
    const drawn = pseudoRandom(seed, count * (timesteps + 2), 0.5).map((value) => value + 0.5)
    const half = timesteps / 2
    for (let row = 0; row < count; row++) {
      const own = drawn.subarray(row * (timesteps + 2), (row + 1) * (timesteps + 2))
      for (let t = 0; t < timesteps; t++) x[(row * timesteps + t) * 2] = own[t]
      for (const t of [Math.floor(own[timesteps] * half), Math.floor(half + own[timesteps + 1] * half)]) {
        x[(row * timesteps + t) * 2 + 1] = 1
        y[row] += x[(row * timesteps + t) * 2]
      }
    }
    return { x: { input: { dtype: 'float32' as const, shape: [count, timesteps, 2], data: x } }, y: { dtype: 'float32' as const, shape: [count, 1], data: y } }
  }
  return (seed, onPart) => withTrainer(sequential([lstm(units, { inputSize: 2 }), dense(1)]), {
    loss: 'meanSquaredError', optimizer: adam({ learningRate: cosineDecay(LARGEST_RATE, { steps }), globalClipNorm: 1 }), seed,
  }, async (trainer) => {
    const begin = performance.now()
    for (let step = 0; step < steps; step++) {
      const { x, y } = batchOf(1 + seed * steps + step, rows)
      trainer.trainOnBatch(x, y)
      if (step % 50 === 0 && await isStopped(onPart, step / steps)) return undefined
    }
    const seconds = (performance.now() - begin) / 1000
    const { x, y } = batchOf(0, 2000)
    return { seconds, result: (await trainer.evaluate(x, y)).loss }
  })
}

interface TextPieces {
  readonly batches: () => Iterable<{ readonly x: ArrayLike, readonly y: ArrayLike }>
  readonly heldOut: Int32Array
}

/**
 * A text of a million characters, 256 units, 32 pieces of 64 characters, states carried on; Adam with a cosine from 4e-3 over as many steps as go into the
 * time.
 */
export async function learnText(text: string, most: number): Promise<Task> {
  const { readText, cutText, SIZES } = await ofExamples('writer/text.mjs') as {
    SIZES: { readonly rows: number, readonly timesteps: number }
    readText: (text: string) => { readonly characters: readonly string[], readonly indices: Int32Array }
    cutText: (indices: Int32Array, sizes: unknown) => TextPieces
  }
  const { characters, indices } = readText(text)
  const { batches, heldOut } = cutText(indices, SIZES)
  const netOf = () => sequential([
    input(['timesteps'], { dtype: 'int32' }), embedding(characters.length, 64), lstm(256, { returnSequences: true, stateful: true }),
    dense(characters.length),
  ])
  const optionsOf = (seed: number, steps: number): TrainerOptions => (
    { loss: 'sparseCategoricalCrossentropy', optimizer: adam({ learningRate: cosineDecay(LARGEST_RATE, { steps }) }), seed }
  )
  /** So many steps over the text, again and again; the seconds that they took, undefined where it was stopped. */
  const train = async (trainer: ModelTrainer, steps: number, onPart: OnPart) => {
    const begin = performance.now()
    for (let step = 0; step < steps;) {
      trainer.resetStates()
      for (const { x, y } of batches()) {
        trainer.trainOnBatch(x, y)
        if (++step === steps) break
        if (step % 20 === 0 && await isStopped(onPart, step / steps)) return undefined
      }
    }
    return (performance.now() - begin) / 1000
  }
  const length = Math.floor((heldOut.length - 1) / SIZES.rows)
  const pieceOf = (from: number) => ({
    dtype: 'int32' as const, shape: [SIZES.rows, length],
    data: Int32Array.from({ length: SIZES.rows * length }, (_, n) => heldOut[Math.floor(n / length) * length + n % length + from]),
  })
  return async (seed, onPart) => {
    const tried = await withTrainer(netOf(), optionsOf(seed, TRIAL_STEPS), (trainer) => train(trainer, TRIAL_STEPS, onPart))
    if (tried === undefined) return undefined
    const steps = Math.ceil(most * TRIAL_STEPS / tried)
    return withTrainer(netOf(), optionsOf(seed, steps), async (trainer) => {
      const seconds = await train(trainer, steps, onPart)
      if (seconds === undefined) return undefined
      trainer.resetStates()
      return { seconds, result: (await trainer.evaluate({ input: pieceOf(0) }, pieceOf(1))).loss }
    })
  }
}
