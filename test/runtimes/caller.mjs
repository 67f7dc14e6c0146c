// A thread of callers.mjs. In a page, this file and dist/ are at the root, above which is nothing.
import { openShared } from '../../dist/sharing.js'

const { process } = globalThis
const isNode = globalThis.Deno === undefined && process?.versions?.bun === undefined && process?.versions?.node !== undefined
const port = isNode ? process.getBuiltinModule('node:worker_threads').parentPort : globalThis
const say = (message) => port.postMessage(message)

async function call({ shared, caller, rounds, runs }) {
  const model = await openShared(shared, { caller, streams: false })
  let count = 0
  for (let round = 0; round < rounds; round++) {
    for (const { inputs, outputs } of runs) {
      const into = Object.fromEntries(outputs.map(({ name, shape }) => [name, model.runtime.tensor(null, shape)]))
      for (const { data } of Object.values(into)) data.fill(NaN)
      model.run(inputs, { into })
      for (const { name, data } of outputs) {
        const own = into[name].data
        const at = data.findIndex((value, n) => !Object.is(value, own[n]))
        if (at >= 0) throw new Error(`'${name}' differs at ${at} in call ${count} of caller ${caller}: ${own[at]}, expected ${data[at]}`)
        into[name].dispose()
      }
      count++
    }
  }
  model.dispose()
  return { runs: count }
}

const heard = (message) => call(message).catch((error) => ({ runs: 0, error: error.message })).then(say)
if (isNode) port.on('message', heard)
else port.onmessage = ({ data }) => heard(data)
say('here')
