// Learns on a thread of its own, so that the page stays awake: { text, options } or { stop } in, progress and samples out.
import { learn } from './learn.mjs'

const MILLISECONDS_BETWEEN_REPORTS = 100

let training

addEventListener('message', async ({ data: { text, options, stop } }) => {
  if (stop) return training?.abort()
  training = new AbortController()
  let reported = 0
  try {
    await learn(text, {
      ...options, signal: training.signal, onSample: (sample) => postMessage({ sample }),
      onProgress(progress) {
        if (performance.now() - reported < MILLISECONDS_BETWEEN_REPORTS) return
        reported = performance.now()
        postMessage({ progress })
      },
    })
    postMessage({ done: true })
  } catch (error) {
    postMessage({ error: error.message })
  }
})
