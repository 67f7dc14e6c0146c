// Learns on a thread of its own, so that the page stays awake: { values, options } or { stop } in, progress and forecasts out.
import { learn } from './learn.mjs'

let training

addEventListener('message', async ({ data: { values, options, stop } }) => {
  if (stop) return training?.abort()
  training = new AbortController()
  try {
    await learn(values, {
      ...options, signal: training.signal,
      onProgress: (progress) => postMessage({ progress }), onForecast: (forecast) => postMessage({ forecast }),
    })
    postMessage({ done: true })
  } catch (error) {
    postMessage({ error: error.message })
  }
})
