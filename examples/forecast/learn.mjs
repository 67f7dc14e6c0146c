// Trains an LSTM to forecast a series, and forecasts the rows that it was not trained with after each epoch.
import { createRuntime } from '../../dist/index.js'
import { dense, input, lstm, sequential } from '../../dist/layers.js'
import { adam, cosineDecay } from '../../dist/training.js'
import { trainerFor } from '../trainer.mjs'
import { cutWindows } from './windows.mjs'

const BATCH = 32

let runtime

/**
 * @param values the series, Float64Array
 * @param onProgress is told { epoch, done, total, loss, seconds } while it learns; the loss is that of normalised values: 1 is as good as the mean
 * @param onForecast is told { epoch, begins, forecast } after each epoch: rows, and Float64Array of the same unit as the values
 * @param signal ends training; what it has learnt by then is kept
 * @param worker whether it trains on a thread of its own
 */
export async function learn(values, { past, ahead, units, epochs, seed = 1, worker = false, signal, onProgress, onForecast }) {
  const { train, test, mean, deviation } = cutWindows(values, { past, ahead })
  runtime ??= await createRuntime()
  const net = sequential([input([past, 1]), lstm(units), dense(ahead)])
  const trainer = await trainerFor(net, {
    loss: 'meanSquaredError', optimizer: adam({ learningRate: cosineDecay(8e-3, { epochs }), globalClipNorm: 1 }), seed, runtime, worker,
  })
  const forecast = async (epoch) => {
    const [{ data }] = Object.values(await trainer.predict(test.x))
    onForecast?.({ epoch, begins: test.begins, forecast: Float64Array.from(data, (value) => value * deviation + mean) })
  }
  const steps = Math.ceil(train.x.shape[0] / BATCH)
  const start = performance.now()
  try {
    for (let epoch = 0; epoch < epochs; epoch++) {
      await trainer.fit(train.x, train.y, {
        epochs: epoch + 1, initialEpoch: epoch, batchSize: BATCH, signal,
        onProgress: ({ done, loss }) => (
          onProgress?.({ epoch: epoch + 1, done: epoch * steps + done, total: epochs * steps, loss, seconds: (performance.now() - start) / 1000 })
        ),
      })
      await forecast(epoch + 1)
    }
  } catch (error) {
    if (error.code !== 'ABORTED') throw error
    await forecast(trainer.epoch + 1)
  } finally {
    trainer.dispose()
  }
}
