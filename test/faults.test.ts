// Memory that runs out: of hundreds of models, every allocation fails once, one after the other, in everything that can be done with them.
// Each time it is an LstmError `MEMORY`, nothing stays behind, and everything goes on as if it had not been.
import { readdirSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { LstmError } from '../src/errors.ts'
import { typeGraph } from '../src/graph/infer.ts'
import type { Graph } from '../src/graph/graph.ts'
import { dense, embedding, input, lstm, sequential } from '../src/layers/index.ts'
import { compile, readGraph } from '../src/model/load.ts'
import type { Model } from '../src/model/model.ts'
import { prepareGraph } from '../src/plan/prepare.ts'
import { createRuntime } from '../src/runtime/create.ts'
import { LinearMemory } from '../src/runtime/memory.ts'
import type { Runtime } from '../src/runtime/runtime.ts'
import { Blueprint } from '../src/streams/blueprint.ts'
import { Machine, type PortLayout } from '../src/streams/machine.ts'
import { createData, type DataOf, type DType } from '../src/values/dtype.ts'
import { NdArray } from '../src/values/ndarray.ts'
import { lengthOf } from '../src/values/shape.ts'
import { pseudoRandom } from './random.ts'
import { carriedModel, charModel, convolutionModel, lastStepModel, torchLstm } from './streams/models.ts'
import { denseWeights, lstmWeights, random } from './weights.ts'

/** Makes the allocations of a runtime fail. */
class Faults {
  #left = Infinity
  #fired = false

  /** @param everyGrows whether the memory grows at every allocation, so that no view of it lives on */
  constructor({ linearMemory }: Runtime, everyGrows = false) {
    const allocate = LinearMemory.prototype.allocate.bind(linearMemory)
    let grown = 0
    linearMemory.allocate = (bytes, what) => {
      if (--this.#left === 0) {
        this.#fired = true
        throw new LstmError('MEMORY', `${what}: fails in this test`)
      }
      if (everyGrows) {
        linearMemory.wasm.grow(1)
        grown++
      }
      return allocate(bytes, what)
    }
    const generation = (): number => (Reflect.get(LinearMemory.prototype, 'generation', linearMemory)) + grown
    Object.defineProperty(linearMemory, 'generation', { get: generation, configurable: true })
  }

  /** The n-th allocation from now on fails; 0: none. */
  arm(n: number): void {
    this.#left = n === 0 ? Infinity : n
    this.#fired = false
  }

  /** Whether an allocation has failed since. */
  get fired(): boolean {
    return this.#fired
  }
}

type Result = readonly (readonly [string, string])[] | string
type Act<Made> = (made: Made) => unknown

const bits = (outputs: Readonly<Record<string, unknown>>): Result => Object.entries(outputs).map(([name, value]) => {
  const data = value instanceof NdArray ? value.data : value as DataOf
  return [name, Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex')] as const
})

/** What it comes to: what it returns, or the message of its error. */
async function outcome(act: () => unknown): Promise<{ value?: unknown, error?: LstmError }> {
  try {
    return { value: await act() }
  } catch (error) {
    if (error instanceof LstmError) return { error }
    throw error
  }
}

/** The same model in two runtimes: one has all the memory it wants, in the other every allocation fails once. */
class Pair {
  readonly runtime: Runtime
  readonly faults: Faults
  met = 0
  readonly #free: Runtime

  constructor(free: Runtime, runtime: Runtime, faults: Faults) {
    this.#free = free
    this.runtime = runtime
    this.faults = faults
  }

  /** Does the same in both, by way of all failures in one; what it comes to must be the same. */
  async act<Made>(
    what: string, [free, own]: readonly [Made, Made], act: Act<Made>, read: (value: never) => Result = () => '',
  ): Promise<[unknown, unknown] | undefined> {
    const expected = await outcome(() => act(free))
    const { usedBytes } = this.runtime.memory()
    for (let n = 1; ; n++) {
      this.faults.arm(n)
      const got = await outcome(() => act(own))
      const { fired } = this.faults
      this.faults.arm(0)
      if (fired) {
        this.met++
        if (got.error?.code !== 'MEMORY') expect.fail(`${what}, allocation ${n} fails: ${got.error?.message ?? 'no error'}`)
        expect(this.runtime.memory().usedBytes, `${what}, allocation ${n} fails: bytes in use`).toBeLessThanOrEqual(usedBytes)
        continue
      }
      expect(got.error?.message, what).toBe(expected.error?.message)
      if (got.error !== undefined) return undefined
      expect(read(got.value as never), what).toEqual(read(expected.value as never))
      return [expected.value, got.value]
    }
  }

  get runtimes(): readonly [Runtime, Runtime] {
    return [this.#free, this.runtime]
  }
}

/** Small whole numbers: they are indices too. */
function elements(dtype: DType, length: number, seed: number): DataOf {
  const values = pseudoRandom(seed, length, 1)
  return dtype === 'float32' ? values : createData(dtype, length).map((_, n) => Math.floor(((values[n] as number) + 1) * 1.5))
}

function inputsOf({ inputs }: Model, size: number): Record<string, NdArray> {
  return Object.fromEntries(inputs.filter(({ optional }) => !optional).map(({ name, dtype, shape }, n) => {
    const sizes = shape.map((one) => (typeof one === 'number' ? one : /batch|size|^N$/i.test(one) ? 2 : size))
    return [name, new NdArray(elements(dtype, lengthOf(sizes), n + size), sizes)]
  }))
}

/** Arrays for some steps, by name. */
function frames(layouts: readonly PortLayout[], steps: number, seed: number): Record<string, DataOf> {
  return Object.fromEntries(layouts.map(({ port: { name, dtype }, frame, held }, n) => [name, elements(dtype, frame * (held ? 1 : steps), seed + n)]))
}

/** The ports of a stream, or undefined where the model is none. */
function portsOf(runtime: Runtime, graph: Graph, batch: number): Pick<Machine, 'inputs' | 'outputs'> | undefined {
  const prepared = prepareGraph(runtime, typeGraph(graph))
  let machine: Machine | undefined
  try {
    machine = new Machine(runtime, new Blueprint(prepared, {}), batch, [1])
    return machine
  } catch (error) {
    if (error instanceof LstmError) return undefined
    throw error
  } finally {
    machine?.dispose()
    prepared.dispose()
  }
}

async function tryStreams(pair: Pair, models: readonly [Model, Model]): Promise<void> {
  const ports = portsOf(pair.runtimes[0], models[0].toGraph(), 2)
  if (ports === undefined) return
  type Stepping = Record<'step' | 'process', (inputs: never, outputs: never) => void>
  const step = (seed: number, steps: number, call: keyof Stepping) => (stream: Stepping): Record<string, DataOf> => {
    const outputs = frames(ports.outputs, steps, 1)
    for (const data of Object.values(outputs)) data.fill(0)
    stream[call](frames(ports.inputs, steps, seed) as never, outputs as never)
    return outputs
  }
  const made = await pair.act('stream', models, (model) => model.stream({ batch: 2, chunk: 4 }))
  if (made !== undefined) {
    type Streams = [ReturnType<Model['stream']>, ReturnType<Model['stream']>]
    const streams = made as Streams
    await pair.act('step', streams, step(3, 1, 'step'), bits)
    const saves = await pair.act('save', streams, (stream) => ({ save: stream.save() }), bits) as [{ save: Uint8Array }, { save: Uint8Array }]
    await pair.act('process', streams, step(4, 7, 'process'), bits)
    const forks = await pair.act('fork', streams, (stream) => stream.fork()) as Streams
    await pair.act('step of the fork', forks, step(5, 1, 'step'), bits)
    await pair.act('restore', streams, (stream) => stream.restore(saves[0].save))
    await pair.act('process again', streams, step(6, 3, 'process'), bits)
    await pair.act('state', streams, (stream) => stream.state, bits)
    for (const stream of [...forks, ...streams]) stream.dispose()
  }
  const pools = await pair.act('pool', models, (model) => model.streams(3)) as [ReturnType<Model['streams']>, ReturnType<Model['streams']>] | undefined
  if (pools === undefined) return
  const ids = pools.map((pool) => [pool.open(), pool.open()])[0] as number[]
  await pair.act('step of the pool', pools, (pool) => {
    const outputs = frames(ports.outputs, 1, 1)
    for (const data of Object.values(outputs)) data.fill(0)
    pool.step(ids, frames(ports.inputs, 1, 8), outputs)
    return outputs
  }, bits)
  await pair.act('fork in the pool', pools, (pool) => ({ save: pool.save(pool.fork(ids[1] as number)) }), bits)
  for (const pool of pools) pool.dispose()
}

/** @param isLong whether sequences are so long that they go through in chunks */
async function tryAll(pair: Pair, graph: Graph, isLong: boolean): Promise<void> {
  const used = pair.runtimes.map((runtime) => runtime.memory().usedBytes)
  const models = await pair.act('compile', pair.runtimes, (runtime) => compile(graph, { runtime })) as [Model, Model] | undefined
  if (models === undefined) return
  const given = inputsOf(models[0], 3)
  await pair.act('run', models, (model) => model.run(given), bits)
  await pair.act('run again', models, (model) => model.run(given), bits)
  await pair.act('runAsync', models, (model) => model.runAsync(given), bits)
  await pair.act('runAsync of new sizes', models, (model) => model.runAsync(inputsOf(model, isLong ? 260 : 5)), bits)
  await pair.act('run with new sizes', models, (model) => model.run(inputsOf(model, 4)), bits)
  await tryStreams(pair, models)
  await pair.act('run at last', models, (model) => model.run(given), bits)
  for (const model of models) model.dispose()
  expect(pair.runtimes.map((runtime) => runtime.memory().usedBytes), 'bytes in use after dispose').toEqual(used)
}

/** Layers of a random kind and size, one after the other. */
function randomStack(seed: number): Graph {
  const draw = (n: number, below: number): number => Math.floor(((pseudoRandom(seed, n + 1, 1)[n] as number) + 1) / 2 * below)
  const isText = draw(0, 3) === 0
  let features = 1 + draw(1, 5)
  const weights: [string, NdArray][] = []
  const layers: Parameters<typeof sequential>[0][number][] = isText ? [embedding(7, features, { name: 'embed' })] : [input(['timesteps', features])]
  if (isText) weights.push(['embed.weight', random(seed, 7, features)])
  for (let n = 0; n <= draw(2, 3); n++) {
    const [units, name] = [1 + draw(3 + 5 * n, 9), `layer${n}`]
    const more = { numLayers: 1 + draw(4 + 5 * n, 2), bidirectional: draw(5 + 5 * n, 4) === 0 }
    if (draw(6 + 5 * n, 3) === 0) {
      layers.push(dense(units, { name, activation: 'tanh' }))
      weights.push(...denseWeights(name, features, units))
      features = units
    } else {
      layers.push(lstm(units, { name, returnSequences: true, ...more }))
      weights.push(...lstmWeights(name, features, units, more))
      features = units * (more.bidirectional ? 2 : 1)
    }
  }
  return sequential(layers).loadStateDict(new Map(weights)).toGraph()
}

/** The layers remember from run to run. */
function stateful(graph: Graph): Graph {
  return { ...graph, nodes: graph.nodes.map((node) => (node.op === 'lstm' ? { ...node, attributes: { ...node.attributes, stateful: true } } : node)) }
}

const OWN: Readonly<Record<string, Graph>> = {
  torchLstm: torchLstm(3, 5, 2), charModel: charModel(), lastStep: lastStepModel(), convolution: convolutionModel(), carried: carriedModel(),
  ...Object.fromEntries(Array.from({ length: 24 }, (_, seed) => [`random stack ${seed}`, randomStack(seed + 1)])),
}

/** Every twelfth golden model, or FAULTS_EVERY=1 all of them; FAULTS_SEED says from which on. */
const EVERY = Number(process.env.FAULTS_EVERY ?? 12)
const FROM = Number(process.env.FAULTS_SEED ?? 0) % EVERY
const FILES = (['onnx', 'keras3', 'keras2', 'rtneural'] as const).flatMap((folder) => {
  const url = new URL(`golden/${folder}/`, import.meta.url)
  return readdirSync(url).filter((name) => /\.(keras|h5|onnx|json)$/.test(name) && name !== 'cases.json').map((name) => new URL(name, url))
}).filter((_, n) => n % EVERY === FROM)

async function fileGraph(file: URL): Promise<Graph | undefined> {
  try {
    return await readGraph(file)
  } catch (error) {
    if (error instanceof LstmError) return undefined // weights without a model
    throw error
  }
}

describe('every allocation fails once', () => {
  let pair: Pair
  let bystander: Model
  const x = { dtype: 'float32' as const, shape: [2, 3, 3], data: pseudoRandom(1, 18, 1) }
  let expected: Result
  const guard = pseudoRandom(2, 1000, 1)
  let tensor: ReturnType<Runtime['tensor']>

  beforeAll(async () => {
    const [free, runtime] = [await createRuntime({ variant: 'simd' }), await createRuntime({ variant: 'simd' })]
    pair = new Pair(free, runtime, new Faults(runtime))
    bystander = await compile(torchLstm(3, 5, 1), { runtime })
    expected = bits(bystander.run({ input: x }))
    tensor = runtime.tensor(guard)
  })

  const check = async (graph: Graph, isLong: boolean): Promise<void> => {
    await tryAll(pair, graph, isLong)
    expect(tensor.data, 'a tensor that has nothing to do with it').toEqual(guard)
    expect(bits(bystander.run({ input: x })), 'a model that has nothing to do with it').toEqual(expected)
  }

  it.each(Object.keys(OWN))('%s', async (name) => {
    await check(OWN[name] as Graph, true)
  })

  it.each(Object.keys(OWN))('%s, stateful', async (name) => {
    await check(stateful(OWN[name] as Graph), true)
  })

  it.each(FILES.map((file) => [file.pathname.split('/').slice(-2).join('/'), file] as const))('%s', async (_name, file) => {
    const graph = await fileGraph(file)
    if (graph !== undefined) await check(graph, false)
  })

  it('were many', () => {
    expect(pair.met).toBeGreaterThan(2000)
  })
})

describe('memory that ends', () => {
  it.each(Object.keys(OWN).slice(0, 5))('%s: within any limit, it works or says so', async (name) => {
    const free = await createRuntime({ variant: 'simd' })
    const graph = OWN[name] as Graph
    let failures = 0
    for (let pages = 1; ; pages++) {
      const runtime = await createRuntime({ variant: 'simd', maxMemoryBytes: pages * 65536 })
      // Most of the first page is in the way.
      const filler = runtime.linearMemory.allocate(62_000, 'what is in the way')
      const { error } = await outcome(async () => {
        const model = await compile(graph, { runtime })
        const reference = await compile(graph, { runtime: free })
        try {
          for (const size of [3, 260, 3]) expect(bits(model.run(inputsOf(model, size)))).toEqual(bits(reference.run(inputsOf(model, size))))
          expect(bits(await model.runAsync(inputsOf(model, 520)))).toEqual(bits(await reference.runAsync(inputsOf(model, 520))))
          model.stream().dispose()
        } finally {
          model.dispose()
          reference.dispose()
        }
      })
      runtime.linearMemory.free(filler)
      expect(runtime.memory().usedBytes).toBe(0)
      if (error === undefined) break
      expect(error.code).toBe('MEMORY')
      failures++
    }
    expect(failures).toBeGreaterThan(0)
  })

  it('memory that grows at every allocation leaves no view behind', async () => {
    const free = await createRuntime({ variant: 'simd' })
    for (const graph of Object.values(OWN).slice(0, 8)) {
      // One each: every time a memory of hundreds of megabytes grows, all garbage is collected.
      const runtime = await createRuntime({ variant: 'simd' })
      await tryAll(new Pair(free, runtime, new Faults(runtime, true)), graph, true)
      const tensor = runtime.tensor(Float32Array.of(1, 2, 3))
      expect([...runtime.tensor(tensor.data).data]).toEqual([1, 2, 3])
    }
  })
})
