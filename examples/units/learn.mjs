// Trains one classifier of handwritten digits: an LSTM of so many units that reads an image row by row, and a dense layer on its last state.
import { createRuntime } from '../../dist/index.js'
import { dense, lstm, sequential } from '../../dist/layers.js'
import { adam, cosineDecay, createTrainer } from '../../dist/training.js'

const ROW_PIXELS = 28
const CLASSES = 10
const BATCH = 128

let runtime

/**
 * @param data { pixels: Float32Array of [count, 28, 28], labels: Int32Array } to learn from, and `test` of the same kind
 * @param onProgress is told { done, total, loss, accuracy } while it learns
 * @param worker whether it trains on a thread of its own
 * @returns { parameters, seconds, accuracy, file }: how good it is on the test images, and the model as a file
 */
export async function learn(units, data, { epochs, seed = 1, worker = false, onProgress, signal }) {
  // A batch of 128 rows keeps up to four threads busy. Pages that are not cross-origin isolated have one.
  runtime ??= await createRuntime({ threads: 'auto' })
  const net = sequential([lstm(units, { inputSize: ROW_PIXELS }), dense(CLASSES, { activation: 'softmax' })])
  const trainer = await createTrainer(net, {
    loss: 'sparseCategoricalCrossentropy', optimizer: adam({ learningRate: cosineDecay(4e-3, { epochs }) }), metrics: ['accuracy'], seed, runtime, worker,
  })
  try {
    const begin = performance.now()
    await trainer.fit(images(data.pixels), data.labels, {
      epochs, batchSize: BATCH, signal,
      onProgress: ({ done, total, loss, metrics: { accuracy } }) => onProgress?.({ done, total, loss, accuracy, seconds: (performance.now() - begin) / 1000 }),
    })
    const seconds = (performance.now() - begin) / 1000
    const { accuracy } = await trainer.evaluate(images(data.test.pixels), data.test.labels, { batchSize: 256, signal })
    const model = await trainer.model()
    try {
      return { parameters: model.describe().parameters, seconds, accuracy, file: model.save() }
    } finally {
      model.dispose()
    }
  } finally {
    trainer.dispose()
  }
}

function images(pixels) {
  return { input: { dtype: 'float32', shape: [pixels.length / ROW_PIXELS / ROW_PIXELS, ROW_PIXELS, ROW_PIXELS], data: pixels } }
}
