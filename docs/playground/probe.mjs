// Looks into a model: the values that flow into its recurrent layers and out of them, and from these the gates.
import { compile } from 'lstm-wasm'
import { SIGNALS, watchCells, whyNot, workOf } from './cells.mjs'

/** Multiply-adds that plain JavaScript does in about a second; longer sequences are watched up to there. */
const MOST_WORK = 3e8

export const isRecurrent = ({ op }) => Object.hasOwn(SIGNALS, op)

/** The recurrent nodes of a graph, and why one cannot be watched, where it cannot. */
export function recurrentNodes(graph) {
  return graph.nodes.filter(isRecurrent).map((node) => ({ node, why: whyNot(node) }))
}

/**
 * What a recurrent node did in a run, for one row of the batch.
 * @param graph the model's
 * @param inputs what the run was given, by name
 * @param row of the batch
 * @returns the cells of `watchCells`; `timesteps` that were watched, of `all`; `batch`; `difference`: the largest one from the model's own output
 * @throws Error where it cannot be watched
 */
export async function watchNode(graph, node, inputs, row = 0) {
  // A node of which the last state alone is wanted has no other output.
  const isState = node.outputs[0] === ''
  const output = node.outputs[0] || node.outputs[1]
  const values = [...node.inputs, output].filter(Boolean)
  const constant = (name) => graph.constants.get(name)
  const wanted = [...new Set(values)].filter((value) => constant(value) === undefined)
  // Values that are outputs already keep their names; the others get one.
  const outputs = wanted.map((value, n) => ({ name: `watched ${n}`, value }))
  const given = new Map(graph.inputs.map(({ name }) => [name, name]))
  const probe = await compile({ ...graph, outputs: outputs.filter(({ value }) => !given.has(value)) })
  let results
  try {
    results = probe.run(inputs)
  } finally {
    probe.dispose()
  }
  const valueOf = (value) => constant(value) ?? (given.has(value) ? inputs[value] : results[outputs.find((output) => output.value === value).name])
  const weights = (role) => constant(node.parameters[role])
  const x = valueOf(node.inputs[0])
  const { timeMajor = false, returnSequences = false } = node.attributes
  const [batch, all] = timeMajor ? [x.shape[1], x.shape[0]] : x.shape
  const features = x.shape[2]
  const timesteps = Math.max(1, Math.min(all, Math.floor(MOST_WORK / workOf(node, weights))))
  if (row >= batch) throw new Error(`there are ${batch} rows in the batch`)
  const sequence = rowOf(x.data, { timeMajor, row, batch, all, width: features })
  const initial = initialStates(node, valueOf, row)
  const isWhole = timesteps === all
  // A backward direction begins at the end: of a part it would show something else.
  if (!isWhole && node.attributes.direction !== undefined && node.attributes.direction !== 'forward') throw new Error('the sequence is too long to be watched here; shorten it')
  const watched = watchCells(node, weights, sequence.subarray(0, timesteps * features), timesteps, initial)
  const place = { isSequence: returnSequences && !isState, isState, timeMajor, row, batch, all, timesteps }
  const difference = output ? differenceFrom(valueOf(output), watched, place) : undefined
  return { ...watched, x: sequence, features, timesteps, all, batch, difference }
}

/** How far the model's own output is from what was watched; undefined where that is a part. */
function differenceFrom({ shape, data }, watched, { isSequence, isState, timeMajor, row, batch, all, timesteps }) {
  const width = shape.at(-1)
  if (isSequence) return largestDifference(rowOf(data, { timeMajor, row, batch, all, width }).subarray(0, timesteps * width), watched.y)
  if (timesteps < all) return undefined
  const last = lastOf(watched)
  if (!isState) return largestDifference(data.subarray(row * width, (row + 1) * width), last)
  // [layers * directions, batch, size]: the last layer's directions
  const directions = last.length / width
  const own = Array.from({ length: directions }, (_, n) => {
    const at = ((shape[0] - directions + n) * batch + row) * width
    return [...data.subarray(at, at + width)]
  })
  return largestDifference(own.flat(), last)
}

/** One row of a batch of sequences: `[timesteps * width]`. */
function rowOf(data, { timeMajor, row, batch, all, width }) {
  if (!timeMajor) return data.subarray(row * all * width, (row + 1) * all * width)
  const sequence = new Float32Array(all * width)
  for (let t = 0; t < all; t++) sequence.set(data.subarray((t * batch + row) * width, (t * batch + row + 1) * width), t * width)
  return sequence
}

/** Initial states `[layers * directions, batch, size]`, as `{ h, c }` a layer and direction. */
function initialStates({ op, inputs }, valueOf, row) {
  const states = []
  const names = op === 'lstm' ? ['h', 'c'] : ['h']
  names.forEach((name, n) => {
    const value = inputs[n + 1] ? valueOf(inputs[n + 1]) : undefined
    if (value === undefined) return
    const [count, batch, size] = value.shape
    for (let at = 0; at < count; at++) (states[at] ??= {})[name] = value.data.slice((at * batch + row) * size, (at * batch + row + 1) * size)
  })
  return states
}

/** The last step that each direction of the last layer processed. */
function lastOf({ cells }) {
  const last = cells.filter(({ layer }) => layer === cells.at(-1).layer)
  return Float32Array.from(last.flatMap(({ direction, size, signals: { h } }) => [...(direction === 'reverse' ? h.subarray(0, size) : h.subarray(h.length - size))]))
}

export function largestDifference(a, b) {
  let most = 0
  for (let n = 0; n < a.length; n++) most = Math.max(most, Math.abs(a[n] - b[n]))
  return most
}
