// Random graphs over every operator, written as ONNX and read again, give the same outputs. EXPORT_SEED and EXPORT_GRAPHS (graphs for each operator) make
// others than the usual ones.
import { beforeAll, describe, expect, it } from 'vitest'
import { LstmError } from '../../src/errors.ts'
import { isWritten, REFUSED } from '../../src/export/onnx/operators.ts'
import { toOnnx } from '../../src/export/onnx/to-onnx.ts'
import { readOnnx } from '../../src/formats/onnx/index.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { compile } from '../../src/model/load.ts'
import { addAllOperators } from '../../src/ops/all.ts'
import { knownOperators } from '../../src/ops/registry.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import type { NdArray } from '../../src/values/ndarray.ts'
import { MAKERS, randomGraph } from '../streams/random-graphs.ts'
import { inputsOf } from './golden-models.ts'
import { keepForPython } from './kept-files.ts'
import { sameOutputs } from './same-outputs.ts'

const SEED = Number(process.env.EXPORT_SEED ?? 1)
const GRAPHS = Number(process.env.EXPORT_GRAPHS ?? 2)
const MOST_TRIES = 60

addAllOperators()
const OPERATORS = Object.keys(MAKERS)

let runtime: Runtime
beforeAll(async () => {
  runtime = await createRuntime({ variant: 'simd' })
})

it('every operator is written, or refused for a reason', () => {
  const known = knownOperators().map(({ name }) => name)
  expect(known.filter((name) => isWritten(name) === Object.hasOwn(REFUSED, name))).toEqual([])
  expect(known.length).toBeGreaterThan(110)
})

async function check(graph: Graph, name: string): Promise<boolean> {
  const bytes = toOnnx(graph)
  using original = await compile(graph, { runtime })
  using copy = await compile(readOnnx(bytes), { runtime })
  const inputs = inputsOf(original)
  let wanted: Record<string, NdArray>
  try {
    wanted = original.run(inputs)
  } catch (error) {
    if (!(error instanceof LstmError)) throw error
    expect(() => copy.run(inputs)).toThrow(LstmError)
    return false
  }
  sameOutputs(copy.run(inputs), wanted)
  keepForPython(`random-${name}`, bytes, { model: original, inputs, outputs: wanted, ending: '.onnx' })
  return true
}

describe('random graphs with', () => {
  it.each(OPERATORS)('%s', async (wanted) => {
    let count = 0
    for (let n = 0; n < MOST_TRIES && count < GRAPHS; n++) {
      const graph = randomGraph(SEED * 1000 + n, { wanted, others: OPERATORS, hasBatch: n % 2 === 0 })
      if (graph !== undefined && await check(graph, `${wanted}-${n}`)) count++
    }
    expect(count).toBe(GRAPHS)
  })
})
