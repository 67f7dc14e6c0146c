// Learns on a thread of its own, so that the page stays awake: { units, epochs, count } in, progress and results out.
import { learn } from './learn.mjs'
import { readImages } from './images.mjs'

let data

addEventListener('message', async ({ data: { units, epochs, count } }) => {
  try {
    if (data?.labels.length !== count) {
      postMessage({ reading: true })
      data = { ...await readImages('train', count), test: await readImages('t10k', 10_000) }
    }
    for (const each of units) {
      const result = await learn(each, data, { epochs, onProgress: (progress) => postMessage({ units: each, progress }) })
      postMessage({ units: each, result }, [result.file.buffer])
    }
    postMessage({ done: true })
  } catch (error) {
    postMessage({ error: error.message })
  }
})
