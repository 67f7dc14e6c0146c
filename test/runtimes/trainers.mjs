// Trainers on this thread, in a worker, and in a worker with threads of its own: they have the same bits.
const ROWS = 70

/**
 * @param api what `lstm-wasm`, `lstm-wasm/layers` and `lstm-wasm/training` export
 * @throws where one has others
 */
export async function compareTrainers({ createRuntime, sequential, input, lstm, dropout, dense, createTrainer, earlyStopping }, variant) {
  const x = { dtype: 'float32', shape: [ROWS, 8, 1], data: Float32Array.from({ length: 8 * ROWS }, (_, n) => Math.sin(n / 3)) }
  const y = { dtype: 'float32', shape: [ROWS, 1], data: Float32Array.from({ length: ROWS }, (_, row) => Math.sin((8 * row + 8) / 3)) }
  const learn = async (threads, worker) => {
    const runtime = await createRuntime({ variant, threads })
    const net = sequential([input([8, 1]), lstm(6), dropout(0.1), dense(1)])
    const trainer = await createTrainer(net, { loss: 'meanSquaredError', seed: 3, runtime, worker })
    const { history } = await trainer.fit(x, y, { epochs: 3, batchSize: ROWS, callbacks: [earlyStopping({ monitor: 'loss', patience: 3 })] })
    const bytes = await trainer.save()
    trainer.dispose()
    runtime.dispose()
    return { losses: history.loss.join(), bytes: bytes.join() }
  }
  const here = await learn(1, false)
  for (const threads of [1, 2]) {
    const there = await learn(threads, true).catch(({ message }) => {
      throw new Error(`training in a worker with ${threads} threads: ${message}`)
    })
    if (here.losses !== there.losses || here.bytes !== there.bytes) {
      throw new Error(`training in a worker with ${threads} threads: losses are ${there.losses}, expected ${here.losses}`)
    }
  }
}
