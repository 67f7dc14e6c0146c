// However a model is called, the same bits: run, runAsync, process in chunks, step by step, as sessions of a pool; for random graphs over
// every operator that has a time rule. HOWEVER_SEED and HOWEVER_GRAPHS (graphs for each operator) make others than the usual ones.
import { beforeAll, describe, expect, it } from 'vitest'
import { LstmError } from '../../src/errors.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { compile } from '../../src/model/load.ts'
import type { Model } from '../../src/model/model.ts'
import { addAllOperators } from '../../src/ops/all.ts'
import { knownOperators } from '../../src/ops/registry.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { createData, type DataOf } from '../../src/values/dtype.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { lengthOf, type Shape } from '../../src/values/shape.ts'
import { pseudoRandom } from '../random.ts'
import { describeBinaries, runtimeOf } from '../variants.ts'
import { drawsOf, MAKERS, NEVER_ALONG_TIME, randomCarriedGraph, randomGraph, VOCABULARY, type Draw } from './random-graphs.ts'

const SEED = Number(process.env.HOWEVER_SEED ?? 1)
const GRAPHS = Number(process.env.HOWEVER_GRAPHS ?? 1)
const MOST_TRIES = 60
const CARRIED = 60 * GRAPHS
const BATCH = 2
const STEPS = 6

addAllOperators()
const OPERATORS = knownOperators().filter(({ time }) => time !== 'unknown').map(({ name }) => name)
/** Not those that remember by themselves, or have indices that may be out of range. */
const WITHOUT_STATE = knownOperators().filter((operator) => operator.recurrent === undefined && operator.mayRefuse === undefined)
  .map(({ name }) => name).filter((name) => Object.hasOwn(MAKERS, name) && !['loop', 'choice'].includes(name))

/** Those with graphs inside them, so often that every other graph has one. */
const WITH_GRAPHS = Array.from({ length: WITHOUT_STATE.length / 4 }, (_, n) => ['loop', 'choice'][n % 2] as string)

type Arrays = Record<string, NdArray>

/** Where an axis is that has a size in one array and another size in the other; -1 where there is none. */
function axisThatDiffers(a: Shape, b: Shape): number {
  return a.findIndex((size, axis) => size !== b[axis])
}

/** The elements at one place of an axis, in order; all of them for axis -1. */
function at({ data, shape }: NdArray, axis: number, index: number): NdArray {
  if (axis < 0) return new NdArray(data.slice(), shape)
  return pieces(new NdArray(data, shape), axis, index, index + 1, true)
}

function pieces({ dtype, data, shape }: NdArray, axis: number, begin: number, end: number, drop: boolean): NdArray {
  const inner = lengthOf(shape.slice(axis + 1))
  const outer = lengthOf(shape.slice(0, axis))
  const size = shape[axis] as number
  const out = createData(dtype, outer * (end - begin) * inner)
  for (let o = 0; o < outer; o++) out.set(data.subarray((o * size + begin) * inner, (o * size + end) * inner), o * (end - begin) * inner)
  return new NdArray(out, [...shape.slice(0, axis), ...(drop ? [] : [end - begin]), ...shape.slice(axis + 1)])
}

const bitsOf = ({ buffer, byteOffset, byteLength }: DataOf): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength)

function expectBits(got: DataOf, wanted: DataOf, what: string): void {
  if (Buffer.compare(bitsOf(got), bitsOf(wanted)) !== 0) expect([what, [...got]]).toEqual([what, [...wanted]])
  expect(got.length).toBe(wanted.length)
}

/** Random elements for all inputs, for a batch and a number of steps. */
function inputsOf(model: Model, seed: number, batch: number, steps: number): Arrays {
  return Object.fromEntries(model.inputs.map(({ name, dtype, shape }, n) => {
    const sizes = shape.map((size) => (size === 'batch' ? batch : size === 'timesteps' ? steps : size as number))
    const random = pseudoRandom(seed * 31 + n, lengthOf(sizes), 1)
    // First states are zeros in a stream, whatever is given to run.
    const data = dtype === 'int32'
      ? Int32Array.from(random, (value) => Math.floor((value + 1) / 2 * VOCABULARY))
      : dtype === 'uint8' ? Uint8Array.from(random, (value) => Number(value > -0.6)) : name === 'first' ? random.fill(0) : random
    return [name, new NdArray(data, sizes)]
  }))
}

const prefix = (model: Model, inputs: Arrays, begin: number, end: number): Arrays => Object.fromEntries(model.inputs.map(({ name, shape }) => {
  const axis = shape.indexOf('timesteps')
  const array = inputs[name] as NdArray
  return [name, axis < 0 ? array : pieces(array, axis, begin, end, false)]
}))

/** Where batch and timesteps are in every output, told by running with other sizes. */
function layoutOf(model: Model, hasBatch: boolean): { time: number, batch: number }[] {
  const shapes = (batch: number, steps: number): Shape[] => Object.values(model.run(inputsOf(model, 1, batch, steps))).map(({ shape }) => shape)
  const [usual, longer] = [shapes(BATCH, 3), shapes(BATCH, 4)]
  const wider = hasBatch ? shapes(BATCH + 1, 3) : usual
  return usual.map((shape, n) => {
    const axis = axisThatDiffers(shape, wider[n] as Shape)
    // An axis that is the batch together with others is none to streams.
    return { time: axisThatDiffers(shape, longer[n] as Shape), batch: shape[axis] === BATCH ? axis : -1 }
  })
}

/** What a stream gives at each step: the frame of that step, or what the steps up to it come to. */
function expectedFrames(model: Model, inputs: Arrays, layouts: readonly { time: number }[]): NdArray[][] {
  const runs = Array.from({ length: STEPS }, (_, step) => Object.values(model.run(prefix(model, inputs, 0, step + 1))))
  return runs.map((outputs, step) => outputs.map((output, n) => at(output, (layouts[n] as { time: number }).time, step)))
}

/** Inputs that streams take: all but those of first states alone. */
const names = (model: Model): string[] => model.inputs.map(({ name }) => name).filter((name) => name !== 'first')

/** Whether a run with these sizes is no error: shapes with names may turn out not to broadcast. */
function runs(model: Model, batch: number): boolean {
  try {
    for (const steps of [1, STEPS]) [batch, batch + 1].forEach((rows) => model.run(inputsOf(model, 1, rows, steps)))
    return true
  } catch (error) {
    if (error instanceof LstmError && error.code === 'SHAPE') return false
    throw error
  }
}

/** Whether outputs have rows that are timesteps and more: runs and streams give them other shapes, which joined-steps.test.ts is about. */
const hasRows = (model: Model): boolean => model.outputs.some(({ shape }) => shape.some((size) => typeof size === 'string' && size.includes('* timesteps')))

/** Whether the timesteps of some input matter: a stream has one step a call otherwise. */
function hasSteps(model: Model): boolean {
  const { inputs, nodes, outputs } = model.toGraph()
  const used = new Set([...nodes.flatMap((node) => node.inputs), ...outputs.map(({ value }) => value)])
  return inputs.some(({ name, shape }) => shape.includes('timesteps') && used.has(name))
}

async function check(model: Model, hasBatch: boolean, draw: Draw): Promise<void> {
  const batch = hasBatch ? BATCH : 1
  const inputs = inputsOf(model, draw(1000), batch, STEPS)
  const whole = model.run(inputs)
  const outputs = Object.keys(whole)
  const layouts = layoutOf(model, hasBatch)
  const frames = expectedFrames(model, inputs, layouts)
  const wanted = (step: number, n: number): NdArray => (frames[step] as NdArray[])[n] as NdArray
  // The frame of every step is the same in the whole sequence.
  layouts.forEach(({ time }, n) => {
    if (time >= 0) for (let step = 0; step < STEPS; step++) expectBits(at(whole[outputs[n] as string] as NdArray, time, step).data, wanted(step, n).data, `run ${n}`)
  })
  const long = await model.runAsync(inputs)
  outputs.forEach((name) => expectBits((long[name] as NdArray).data, (whole[name] as NdArray).data, `runAsync ${name}`))

  const given = (step: number, end: number): Record<string, DataOf> => {
    const part = prefix(model, inputs, step, end)
    return Object.fromEntries(names(model).map((name) => [name, (part[name] as NdArray).data]))
  }
  const room = (step: number, times: number): Record<string, DataOf> => Object.fromEntries(outputs.map((name, n) => (
    [name, createData(wanted(step, n).dtype, wanted(step, n).data.length * times)]
  )))
  using steps = model.stream({ batch })
  using chunks = model.stream({ batch, chunk: 4 })
  for (let step = 0; step < STEPS; step++) {
    const out = room(step, 1)
    steps.step(given(step, step + 1), out)
    outputs.forEach((name, n) => expectBits(out[name] as DataOf, wanted(step, n).data, `step ${step} ${name}`))
  }
  for (let begin = 0; begin < STEPS;) {
    const end = hasSteps(model) ? Math.min(STEPS, begin + 1 + draw(5)) : begin + 1
    const out = room(begin, end - begin)
    chunks.process(given(begin, end), out)
    outputs.forEach((name, n) => {
      const { time, batch: batchAxis } = layouts[n] as { time: number, batch: number }
      const { shape } = wanted(begin, n)
      // One value for each step has an axis for the steps behind that of the batch.
      const axis = time >= 0 ? time : batchAxis + 1
      const array = new NdArray(out[name] as DataOf, [...shape.slice(0, axis), end - begin, ...shape.slice(axis)])
      for (let step = begin; step < end; step++) expectBits(at(array, axis, step - begin).data, wanted(step, n).data, `process ${begin} to ${end}, ${step} ${name}`)
    })
    begin = end
  }
  const isApart = hasBatch && layouts.every(({ batch: axis }) => axis >= 0) && areApart(model, inputs, whole, layouts)
  if (isApart && hasPool(model)) checkPool(model, inputs, layouts, wanted)
}

/** Whether each row of the batch gives the same alone: pools are for such models. */
function areApart(model: Model, inputs: Arrays, whole: Arrays, layouts: readonly { batch: number }[]): boolean {
  return Array.from({ length: BATCH }, (_, row) => row).every((row) => {
    const alone = Object.fromEntries(model.inputs.map(({ name, shape }) => [name, pieces(inputs[name] as NdArray, shape.indexOf('batch'), row, row + 1, false)]))
    return Object.entries(model.run(alone)).every(([name, { data }], n) => (
      Buffer.compare(bitsOf(data), bitsOf(at(whole[name] as NdArray, (layouts[n] as { batch: number }).batch, row).data)) === 0
    ))
  })
}

/** Every row of the batch as a session of its own, in an order that changes. */
function checkPool(model: Model, inputs: Arrays, layouts: readonly { time: number, batch: number }[], wanted: (step: number, n: number) => NdArray): void {
  using pool = model.streams(3)
  const ids = Array.from({ length: BATCH }, () => pool.open())
  const outputs = model.outputs.map(({ name }) => name)
  for (let step = 0; step < STEPS; step++) {
    const order = step % 2 === 0 ? [0, 1] : [1, 0]
    const part = prefix(model, inputs, step, step + 1)
    const join = (rowsOf: (row: number) => NdArray): DataOf => {
      const rows = order.map(rowsOf)
      const first = rows[0] as NdArray
      const data = createData(first.dtype, first.data.length * rows.length)
      for (const [n, row] of rows.entries()) data.set(row.data, n * first.data.length)
      return data
    }
    const given = Object.fromEntries(names(model).map((name) => {
      const axis = model.inputs.find((input) => input.name === name)?.shape.indexOf('batch') as number
      return [name, join((row) => at(part[name] as NdArray, axis, row))]
    }))
    const expected = outputs.map((_, n) => {
      const { time, batch } = layouts[n] as { time: number, batch: number }
      return join((row) => at(wanted(step, n), time >= 0 && time < batch ? batch - 1 : batch, row))
    })
    const out = Object.fromEntries(outputs.map((name, n) => [name, createData(wanted(step, n).dtype, (expected[n] as DataOf).length)]))
    pool.step(order.map((row) => ids[row] as number), given, out)
    outputs.forEach((name, n) => expectBits(out[name] as DataOf, expected[n] as DataOf, `pool ${step} ${name}`))
  }
}

function isStreamed(model: Model, batch: number): boolean {
  try {
    model.stream({ batch }).dispose()
    return true
  } catch (error) {
    // Or it has no rows, for all that streams know.
    if (error instanceof LstmError && (error.code === 'UNSUPPORTED' || error.message.includes("for 'batch'"))) return false
    throw error
  }
}

/** Rows may be the same alone by chance, where a node works along the batch all the same: zeros stay zeros. */
function hasPool(model: Model, carry?: Record<string, string>): boolean {
  try {
    model.streams(1, { carry }).dispose()
    return true
  } catch (error) {
    if (error instanceof LstmError && error.message.includes('works along the batch')) return false
    throw error
  }
}

describeBinaries(`however it is called (seed ${SEED})`, (binary) => {
  let runtime: Runtime
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
  })

  it.each(OPERATORS)('%s', async (wanted) => {
    let streamed = 0
    for (let n = 0; n < MOST_TRIES && streamed < GRAPHS; n++) {
      const seed = SEED * 1000 + n * 101 + OPERATORS.indexOf(wanted)
      const hasBatch = wanted !== 'gemm' && n % 5 !== 4
      const graph = randomGraph(seed, { wanted, others: n % 2 === 0 ? OPERATORS : [...OPERATORS, 'lstm', 'lstm', 'lstm'], hasBatch })
      if (graph?.nodes.some(({ op }) => op === wanted) !== true) continue
      const model = await compile(graph, { runtime })
      const batch = hasBatch ? BATCH : 1
      if (!hasRows(model) && runs(model, batch) && isStreamed(model, batch)) {
        streamed++
        try {
          await check(model, hasBatch, drawsOf(seed))
        } catch (error) {
          throw new Error(`seed ${seed}: ${describeGraph(graph)}`, { cause: error })
        }
      }
      model.dispose()
    }
    expect(streamed, 'graphs that are streamed').toBeGreaterThanOrEqual(NEVER_ALONG_TIME.includes(wanted) ? 0 : Math.min(GRAPHS, 3))
  })
})

/** Steps with the states taken from output to input by hand, against a stream and a pool. */
function checkCarried(model: Model, carry: Record<string, string>, seed: number): void {
  const outputs = model.outputs.map(({ name }) => name).filter((name) => !Object.values(carry).includes(name))
  using stream = model.stream({ batch: BATCH, carry })
  let states: Arrays = {}
  const frames = Array.from({ length: STEPS }, (_, step) => {
    const inputs = { ...inputsOf(model, seed + step, BATCH, 1), ...states }
    if (step === 0) for (const name of Object.keys(carry)) inputs[name]?.data.fill(0)
    const wanted = model.run(inputs)
    states = Object.fromEntries(Object.entries(carry).map(([name, next]) => [name, wanted[next] as NdArray]))
    const given = Object.fromEntries(Object.entries(inputs).filter(([name]) => !Object.hasOwn(carry, name)).map(([name, { data }]) => [name, data]))
    const out = Object.fromEntries(outputs.map((name) => [name, createData((wanted[name] as NdArray).dtype, (wanted[name] as NdArray).data.length)]))
    stream.step(given, out)
    for (const name of outputs) expectBits(out[name] as DataOf, (wanted[name] as NdArray).data, `step ${step} ${name}`)
    return { given, wanted }
  })
  // As sessions: the batch must be the first axis of all, and no row may know of another.
  const isApart = outputs.every((name) => (model.outputs.find((output) => output.name === name)?.shape[0]) === 'batch')
    && model.toGraph().nodes.every(({ op, attributes }) => op !== 'transpose' && attributes.axis !== 0 && attributes.axis !== -2)
  if (!isApart || !rowsAreApart(model) || !hasPool(model, carry)) return
  using pool = model.streams(3, { carry })
  const ids = Array.from({ length: BATCH }, () => pool.open())
  frames.forEach(({ given, wanted }, step) => {
    const out = Object.fromEntries(outputs.map((name) => [name, createData((wanted[name] as NdArray).dtype, (wanted[name] as NdArray).data.length)]))
    pool.step(ids, given, out)
    for (const name of outputs) expectBits(out[name] as DataOf, (wanted[name] as NdArray).data, `pool ${step} ${name}`)
  })
}

function rowsAreApart(model: Model): boolean {
  const inputs = inputsOf(model, 5, BATCH, 1)
  const whole = model.run(inputs)
  if (!Object.values(whole).every(({ shape }) => shape[0] === BATCH)) return false
  return areApart(model, inputs, whole, Object.values(whole).map(() => ({ batch: 0 })))
}

describeBinaries(`states that a graph carries (seed ${SEED})`, (binary) => {
  it.each([
    ['are the same carried by hand, by a stream and by a pool', WITHOUT_STATE, 0],
    ['so they are with loops and choices, which only graphs without timesteps may have', [...WITHOUT_STATE, ...WITH_GRAPHS], CARRIED / 2],
  ] as const)('%s', async (_, operators, least) => {
    const runtime = await runtimeOf(binary)
    let [checked, inside] = [0, 0]
    for (let seed = SEED * 1000; checked < CARRIED; seed++) {
      const { graph, carry } = randomCarriedGraph(seed, operators)
      const model = await compile(graph, { runtime })
      if (runs(model, BATCH)) {
        checked++
        inside += graph.nodes.filter(({ bodies }) => bodies !== undefined).length
        try {
          checkCarried(model, carry, seed)
        } catch (error) {
          throw new Error(`seed ${seed}: ${describeGraph(graph)}`, { cause: error })
        }
      }
      model.dispose()
    }
    expect(inside).toBeGreaterThanOrEqual(least)
  })
})

function describeGraph({ inputs, nodes, outputs }: Graph): string {
  const lines = [
    ...inputs.map(({ name, shape }) => `${name} [${shape.join(', ')}]`),
    ...nodes.map(({ op, inputs: from, outputs: to, attributes }) => `${to.join(', ')} = ${op}(${from.join(', ')}) ${JSON.stringify(attributes)}`),
    ...outputs.map(({ name, value }) => `${name}: ${value}`),
  ]
  return lines.join('\n')
}

describe('these graphs', () => {
  it('are many, and have inputs that are passed through, and values twice', () => {
    const wanted = (n: number): string => OPERATORS[n % OPERATORS.length] as string
    const graphs = Array.from({ length: 200 }, (_, seed) => randomGraph(seed, { wanted: wanted(seed), others: OPERATORS, hasBatch: true }))
      .filter((graph) => graph !== undefined)
    expect(graphs.length).toBeGreaterThan(150)
    expect(graphs.filter(({ inputs, outputs }) => outputs.some(({ value }) => inputs.some(({ name }) => name === value))).length).toBeGreaterThan(20)
    expect(graphs.filter(({ outputs }) => new Set(outputs.map(({ value }) => value)).size < outputs.length).length).toBeGreaterThan(10)
  })
})
