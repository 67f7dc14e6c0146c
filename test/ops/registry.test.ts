// Every operator that there is has all that an operator should have: what is checked against a reference, what it does to time, a place in
// the random graphs, and the truth about what it refuses.
import { readdir, readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { LstmError } from '../../src/errors.ts'
import { converters } from '../../src/formats/onnx/operators.ts'
import type { Graph, GraphNode } from '../../src/graph/graph.ts'
import { Model } from '../../src/model/model.ts'
import { addAllOperators } from '../../src/ops/all.ts'
import type { Operator } from '../../src/ops/operator.ts'
import { knownOperators } from '../../src/ops/registry.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import { createData } from '../../src/values/dtype.ts'
import type { ArrayLike, NdArray } from '../../src/values/ndarray.ts'
import { FUNCTION_TABLE } from '../function-table.ts'
import { MAKERS } from '../streams/random-graphs.ts'
import { sampleOf } from './samples.ts'

addAllOperators()
const ALL = knownOperators()
const runtime = await createRuntime({ variant: 'simd' })

/** Tests that compare with a reference; each names the operators that it checks. */
async function references(): Promise<string> {
  const folder = new URL('./', import.meta.url)
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.test.ts') && !/(registry|mistakes|costs)\.test\.ts$/.test(name))
  const files = [...names.map((name) => new URL(name.replaceAll('\\', '/'), folder)), new URL('../lstm-options.test.ts', import.meta.url), new URL('../layers.test.ts', import.meta.url)]
  return (await Promise.all(files.map((file) => readFile(file, 'utf8')))).join('\n')
}

const REFERENCES = await references()

/** Operators of which nothing is said about time, each with its reason. */
const UNKNOWN: Readonly<Record<string, string>> = {
  choice: 'is one of two graphs, and which one is known when a plan is made',
  constantOfShape: 'takes a shape, which has no timesteps',
  convTranspose: 'a step of its output follows from steps to come',
  shape: 'sizes are computed with by name; streams see to those that say how many steps there are',
  gatherNd: 'an index may be of any step',
  history: 'is what streams put in: it has its steps already',
  loop: 'runs a graph whatever its steps are steps of',
  random: 'takes a shape, which has no timesteps, and streams refuse it',
  range: 'takes numbers, which have no timesteps',
  scatterNd: 'an index may be of any step',
  size: 'asks how long the sequence is',
}

describe.each(ALL.map((operator): [string, Operator] => [operator.name, operator]))('%s', (name, operator) => {
  it('is checked against a reference', () => {
    const isNamed = new RegExp(`['\\s{,]${name}['(:,]`).test(REFERENCES)
    // Streams put history in, and are compared with whole runs in test/streams.
    expect(Object.hasOwn(FUNCTION_TABLE, name) || isNamed || name === 'history').toBe(true)
  })

  it('says what it does to time, or nothing for a reason', () => {
    expect(operator.time === 'unknown').toBe(Object.hasOwn(UNKNOWN, name))
  })

  it('has a place in the random graphs, if streams take it', () => {
    if (operator.time !== 'unknown') expect(Object.hasOwn(MAKERS, name)).toBe(true)
  })

  it('refuses elements while it runs only if it says so', () => {
    if (sampleOf(name).bodies !== undefined) return // what is inside does: test/ops/flow
    const refusals = (['all', 'first'] as const).flatMap((given) => refusalsOf(name, given))
    expect(refusals.length > 0).toBe(operator.mayRefuse !== undefined && operator.recurrent === undefined)
  })
})

/** Elements that nobody expects. */
function garbage({ dtype, data }: NdArray, seed: number): ArrayLike['data'] {
  const odd = dtype === 'float32' ? [NaN, -Infinity, 3e38, -1e-45, 0.5] : dtype === 'int32' ? [-(2 ** 31), 2 ** 31 - 1, -1000, 77] : [255, 3]
  const out = createData(dtype, data.length)
  for (let n = 0; n < out.length; n++) out[n] = odd[(n * 7 + seed) % odd.length] as number
  return out
}

/** What a node of the operator says to such elements: of all inputs, or of the first where the others must be constants. */
function refusalsOf(op: string, given: 'all' | 'first'): string[] {
  const { inputs, parameters = {}, attributes = {}, outputs = 1, bodies } = sampleOf(op)
  const isGiven = (n: number): boolean => given === 'all' || n === 0
  const graph: Graph = {
    inputs: inputs.flatMap(({ dtype, shape }, n) => (isGiven(n) ? [{ name: `i${n}`, dtype, shape }] : [])),
    outputs: Array.from({ length: outputs }, (_, n) => ({ name: `o${n}`, value: `o${n}` })),
    nodes: [{
      name: 'node', op, inputs: inputs.map((_, n) => `i${n}`), outputs: Array.from({ length: outputs }, (_, n) => `o${n}`),
      parameters: Object.fromEntries(Object.keys(parameters).map((role) => [role, `p.${role}`])), attributes, ...(bodies && { bodies }),
    }],
    constants: new Map([
      ...inputs.flatMap((value, n): [string, NdArray][] => (isGiven(n) ? [] : [[`i${n}`, value]])),
      ...Object.entries(parameters).map(([role, value]): [string, NdArray] => [`p.${role}`, value]),
    ]),
  }
  let model: Model | undefined
  try {
    model = new Model(runtime, graph)
    // The sound elements first: what they cannot be planned with is no refusal.
    model.run(Object.fromEntries(graph.inputs.map(({ name }) => [name, inputs[Number(name.slice(1))] as NdArray])))
  } catch (error) {
    if (!(error instanceof LstmError)) throw error
    model?.dispose()
    return []
  }
  const messages = [1, 2, 3].flatMap((seed) => {
    try {
      model.run(Object.fromEntries(graph.inputs.map(({ name, dtype, shape }) => {
        const sound = inputs[Number(name.slice(1))] as NdArray
        return [name, { dtype, shape: shape as number[], data: garbage(sound, seed) }]
      })))
      return []
    } catch (error) {
      if (!(error instanceof LstmError)) throw error
      return [error.message]
    }
  })
  model.dispose()
  return messages
}

it.each(ALL.filter(({ recurrent }) => recurrent !== undefined).map((operator): [string, Operator] => [operator.name, operator]))(
  '%s refuses lengths that are none, and says so of lengths only', (op, operator) => {
    const states = operator.recurrent?.states ?? []
    const node = (...inputs: string[]): GraphNode => ({ name: 'node', op, inputs, outputs: [], parameters: {}, attributes: {} })
    const context = { input: () => undefined, value: () => undefined, parameter: () => undefined, sizes: () => undefined }
    expect(operator.mostInputs).toBe(3 + states.length)
    expect(operator.mayRefuse?.(node('x', ...states.map(() => ''), '', 'lengths'), context)).toBe(true)
    expect(operator.mayRefuse?.(node('x', ...states, 'mask'), context)).toBe(false)
  })

it('every ONNX name is one operator, and has a converter', () => {
  const names = ALL.flatMap(({ onnx = [] }) => onnx)
  expect(new Set(names).size).toBe(names.length)
  expect(names.filter((name) => !converters().has(name))).toEqual([])
})
