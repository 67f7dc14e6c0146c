// Trains an LSTM to sound like an amplifier, by truncated backpropagation: its state goes on from batch to batch, gradients stay in theirs.
import { createRuntime } from '../../dist/index.js'
import { dense, input, lstm, sequential } from '../../dist/layers.js'
import { adam, cosineDecay, esr } from '../../dist/training.js'
import { trainerFor } from '../trainer.mjs'

/** How many pieces of the recording are played side by side, and how many samples of each in a batch. */
export const SIZES = { rows: 32, timesteps: 512 }
/** The last share of the recording is kept from training: that is what the model is judged on. */
const HELD_OUT = 0.1

let runtime

/**
 * @param sounds { clean, amplified } of align
 * @param onProgress is told { epoch, done, total, loss, seconds }: the loss is the error-to-signal ratio after pre-emphasis, with a part for the mean
 * @param onEpoch is told { epoch, seconds, ratio, output, heldOut, model }: the error-to-signal ratio of what was kept from training, what the
 *   model makes of it, that part, and the model, which is the caller's
 * @param signal ends training; what it has learnt by then is kept
 * @param worker whether it trains on a thread of its own
 */
export async function learn({ clean, amplified }, { units, epochs, seed = 1, worker = false, signal, onProgress, onEpoch }) {
  const { batches, count, heldOut } = cutSounds(clean, amplified, SIZES)
  runtime ??= await createRuntime()
  const net = sequential([input(['timesteps', 1]), lstm(units, { returnSequences: true, stateful: true }), dense(1)])
  const optimizer = adam({ learningRate: cosineDecay(8e-3, { epochs, minimum: 2e-4 }), globalClipNorm: 1 })
  const trainer = await trainerFor(net, { loss: esr(), optimizer, seed, runtime, worker })
  const start = performance.now()
  const seconds = () => (performance.now() - start) / 1000
  const judge = async (epoch) => {
    await trainer.resetStates() // another number of pieces
    const [{ data }] = Object.values(await trainer.predict(sequence([heldOut.clean])))
    await onEpoch?.({ epoch, seconds: seconds(), ratio: errorToSignal(data, heldOut.amplified), output: data, heldOut, model: await trainer.model() })
  }
  try {
    for (let epoch = 0; epoch < epochs; epoch++) {
      await trainer.resetStates() // the pieces begin anew
      await trainer.fitDataset(batches, {
        epochs: epoch + 1, initialEpoch: epoch, signal,
        onProgress: ({ done, loss }) => onProgress?.({ epoch: epoch + 1, done: epoch * count + done, total: epochs * count, loss, seconds: seconds() }),
      })
      await judge(epoch + 1)
    }
  } catch (error) {
    if (error.code !== 'ABORTED') throw error
    await judge(trainer.epoch + 1)
  } finally {
    trainer.dispose()
  }
}

/**
 * Batches for truncated backpropagation: the recording is cut into `rows` long pieces, which are played on side by side, `timesteps` samples at a time.
 * @returns { batches, count, heldOut }: a function that yields { x, y } of [rows, timesteps, 1], how many, and the part that is kept from training
 * @throws Error for a recording that is too short
 */
export function cutSounds(clean, amplified, { rows, timesteps }) {
  const end = Math.floor(clean.length * (1 - HELD_OUT))
  const length = Math.floor(end / rows)
  const count = Math.floor(length / timesteps)
  if (count < 1) throw new Error(`the recording has ${clean.length} samples: expected ${Math.ceil(rows * timesteps / (1 - HELD_OUT)) + rows} or more`)
  const cut = (samples, begin) => sequence(Array.from({ length: rows }, (_, row) => samples.subarray(row * length + begin, row * length + begin + timesteps)))
  return {
    count, heldOut: { clean: clean.subarray(end), amplified: amplified.subarray(end) },
    * batches() {
      for (let n = 0; n < count; n++) yield { x: cut(clean, n * timesteps), y: cut(amplified, n * timesteps) }
    },
  }
}

/** The energy of the difference over that of the target. */
export function errorToSignal(output, target) {
  const energy = (of) => target.reduce((sum, _, n) => sum + of(n) ** 2, 0)
  return energy((n) => output[n] - target[n]) / energy((n) => target[n])
}

function sequence(rows) {
  const [{ length }] = rows
  const data = new Float32Array(rows.length * length)
  rows.forEach((row, n) => data.set(row, n * length))
  return { dtype: 'float32', shape: [rows.length, length, 1], data }
}
