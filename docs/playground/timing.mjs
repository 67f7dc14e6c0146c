// Times a run of a model, and its recurrent layers beside a plain loop in JavaScript.
import { compile } from 'lstm-wasm'
import { watchCells } from './cells.mjs'
import { pause } from './dom.mjs'
import { isRecurrent, largestDifference, watchNode } from './probe.mjs'

const MILLISECONDS = 400
/** Shorter samples are too short for the clocks of browsers. */
const SAMPLE_MILLISECONDS = 10

/** Milliseconds of one call of each contestant: the median of samples, taken in turns. */
async function race(contestants) {
  const samples = contestants.map(() => [])
  const calls = contestants.map((call) => {
    let count = 1
    for (;;) {
      const begin = performance.now()
      for (let n = 0; n < count; n++) call()
      const took = performance.now() - begin
      if (took >= SAMPLE_MILLISECONDS) return count
      count = took < 1 ? count * 4 : Math.ceil(count * SAMPLE_MILLISECONDS / took * 1.2)
    }
  })
  for (const end = performance.now() + MILLISECONDS * contestants.length; performance.now() < end || samples[0].length < 3;) {
    contestants.forEach((call, n) => {
      const begin = performance.now()
      for (let times = 0; times < calls[n]; times++) call()
      samples[n].push((performance.now() - begin) / calls[n])
    })
    await pause()
  }
  return samples.map((times) => times.sort((a, b) => a - b)[times.length >> 1])
}

/** Milliseconds of a run of the whole model. */
export async function timeModel(model, inputs) {
  const into = Object.fromEntries(Object.entries(model.run(inputs)).map(([name, { data }]) => [name, data]))
  const [milliseconds] = await race([() => model.run(inputs, { into })])
  return milliseconds
}

/**
 * The recurrent layers alone, here and as a plain loop.
 * @returns for each `{ name, here, plain }` in milliseconds, one row of the batch; nothing for layers that cannot be watched
 * @throws Error where the two do not agree
 */
export async function timeLayers(graph, inputs) {
  const results = []
  for (const node of graph.nodes.filter(isRecurrent)) {
    const watched = await watchNode(graph, node, inputs).catch(() => undefined)
    if (watched === undefined || watched.timesteps < watched.all || node.inputs.slice(1).some(Boolean) || node.outputs[0] === '') continue
    const { x, features, timesteps } = watched
    const alone = await compile({
      inputs: [{ name: 'x', dtype: 'float32', shape: [1, timesteps, features] }], outputs: [{ name: 'y', value: node.outputs[0] }],
      nodes: [{ ...node, inputs: ['x'], outputs: [node.outputs[0], ...node.outputs.slice(1).map(() => '')], attributes: { ...node.attributes, timeMajor: false, stateful: false } }],
      constants: graph.constants,
    })
    try {
      const weights = (role) => graph.constants.get(node.parameters[role])
      const given = { x: { dtype: 'float32', shape: [1, timesteps, features], data: x } }
      const { y } = alone.run(given)
      if (node.attributes.returnSequences && largestDifference(y.data, watched.y) > 1e-3) throw new Error(`${node.name}: the two do not agree`)
      const into = { y: y.data }
      const [here, plain] = await race([() => alone.run(given, { into }), () => watchCells(node, weights, x, timesteps)])
      results.push({ name: node.name, here, plain, timesteps })
    } finally {
      alone.dispose()
    }
  }
  return results
}

export function timeText(milliseconds) {
  return milliseconds < 0.1 ? `${(milliseconds * 1000).toPrecision(3)} µs` : milliseconds < 1000 ? `${milliseconds.toPrecision(3)} ms` : `${(milliseconds / 1000).toPrecision(3)} s`
}
