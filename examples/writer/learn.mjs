// Trains an LSTM to write like a text, by truncated backpropagation: its state goes on from batch to batch, gradients stay in theirs.
import { createRuntime } from '../../dist/index.js'
import { dense, embedding, input, lstm, sequential } from '../../dist/layers.js'
import { adam, cosineDecay, createTrainer } from '../../dist/training.js'
import { generate, seeded } from '../charrnn/generate.mjs'
import { cutText, SIZES } from './text.mjs'

const EMBEDDING = 32
const PROMPT = 200
const SECONDS_BEFORE_A_SAMPLE = 5
const CHARACTERS_AT_ONCE = 200

let runtime

/**
 * @param text { characters, indices } of readText
 * @param beginning what samples begin with; characters that the text does not have are left out
 * @param onProgress is told { epoch, done, total, loss, seconds, speed }: nats a character, of the last batches; characters a second
 * @param onSample is told { epoch, text, seconds, heldOut } every few seconds and after each epoch; heldOut, nats a character on text it was not trained
 *   with, after an epoch alone
 * @param signal ends training; a last sample is written
 * @param worker whether it trains on a thread of its own
 */
export async function learn({ characters, indices }, { units, epochs, temperature, beginning = '', length = 300, seed = 1, worker = false, signal, onProgress, onSample }) {
  const { batches, count, heldOut } = cutText(indices, SIZES)
  runtime ??= await createRuntime()
  const net = sequential([
    input(['timesteps'], { dtype: 'int32' }),
    embedding(characters.length, EMBEDDING), lstm(units, { returnSequences: true, stateful: true }), dense(characters.length, { name: 'out' }),
  ])
  const trainer = await createTrainer(net, {
    loss: 'sparseCategoricalCrossentropy', optimizer: adam({ learningRate: cosineDecay(8e-3, { steps: epochs * count }), globalClipNorm: 1 }), seed, runtime, worker,
  })
  // The first guess is how often each character occurs. Without that, rare ones are not unlikely enough for a long while: samples run into them and stay there.
  await trainer.setWeights((await trainer.getWeights()).set('out.bias', logFrequencies(indices, characters.length)))
  const start = performance.now()
  const secondsNow = () => (performance.now() - start) / 1000
  const random = seeded(seed)
  // Training hardly ever sees a state of zeros: a sample goes on from text that was not trained with, which brings the state to where it usually is.
  const prompt = Array.from(heldOut.subarray(0, PROMPT), (index) => characters[index]).join('')
  const write = async (epoch, isWhole) => {
    const model = await trainer.model()
    try {
      const writer = generate({ model, characters }, { prompt: prompt + beginning, temperature, random })
      const text = beginning + Array.from({ length }, () => writer.next().value).join('')
      writer.return()
      onSample?.({ epoch, text, seconds: secondsNow(), heldOut: isWhole ? await nats(model, heldOut, characters.length) : undefined })
    } finally {
      model.dispose()
    }
  }
  let done = 0
  let smooth
  let sampled = 0
  try {
    for (let epoch = 1; epoch <= epochs; epoch++) {
      await trainer.resetStates() // the pieces begin anew
      for (const { x, y } of batches()) {
        const { loss } = await trainer.trainOnBatch(x, y)
        smooth = smooth === undefined ? loss : 0.95 * smooth + 0.05 * loss
        done++
        const seconds = secondsNow()
        onProgress?.({ epoch, done, total: epochs * count, loss: smooth, seconds, speed: done * SIZES.rows * SIZES.timesteps / seconds })
        await nextTurn()
        if (signal?.aborted) return await write(epoch, true)
        if (seconds - sampled > SECONDS_BEFORE_A_SAMPLE && done % count !== 0) {
          await write(epoch, false)
          sampled = secondsNow()
        }
      }
      await write(epoch, true)
      sampled = secondsNow()
    }
  } finally {
    trainer.dispose()
  }
}

function logFrequencies(indices, classes) {
  const counts = new Float32Array(classes).fill(1)
  for (const index of indices) counts[index]++
  return counts.map((count) => Math.log(count / indices.length))
}

/** Mean cross-entropy of a text that is read from left to right with one state; lets messages of the page in. */
async function nats(model, indices, classes) {
  const stream = model.stream()
  const logits = new Float32Array(classes)
  const one = new Int32Array(1)
  let sum = 0
  try {
    for (let n = 0; n + 1 < indices.length; n++) {
      if (n % CHARACTERS_AT_ONCE === 0) await nextTurn()
      one[0] = indices[n]
      stream.step(one, logits)
      const most = logits.reduce((a, b) => Math.max(a, b))
      sum += most + Math.log(logits.reduce((total, logit) => total + Math.exp(logit - most), 0)) - logits[indices[n + 1]]
    }
  } finally {
    stream.dispose()
  }
  return sum / (indices.length - 1)
}

/** Lets messages of the page in. */
function nextTurn() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(undefined)
  })
}
