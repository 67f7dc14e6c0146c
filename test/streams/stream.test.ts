// Streams: the same bits as a run over the whole sequence, step by step and in chunks of any length.
import { beforeAll, describe, expect, it } from 'vitest'
import type { Graph } from '../../src/graph/graph.ts'
import { compile } from '../../src/model/load.ts'
import type { Model } from '../../src/model/model.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { createData, type DataOf } from '../../src/values/dtype.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { lengthOf } from '../../src/values/shape.ts'
import { pseudoRandom } from '../random.ts'
import { describeBinaries, runtimeOf } from '../variants.ts'
import { charModel, convolutionModel, lastStepModel, torchLstm } from './models.ts'

interface Case {
  readonly graph: () => Graph
  /** Shape of the input for a batch and timesteps; index of its timesteps. */
  readonly shape: (batch: number, steps: number) => number[]
  readonly axis: number
  readonly outputAxis: number
  readonly indices?: number
}

const CASES: Readonly<Record<string, Case>> = {
  'a torch lstm of two layers': { graph: () => torchLstm(3, 5, 2), shape: (b, t) => [b, t, 3], axis: 1, outputAxis: 1 },
  'a time-major torch lstm': { graph: () => torchLstm(3, 5, 1, true), shape: (b, t) => [t, b, 3], axis: 0, outputAxis: 0 },
  'embedding, two lstms, softmax': { graph: charModel, shape: (b, t) => [b, t], axis: 1, outputAxis: 1, indices: 11 },
  'a causal convolution before the lstm': { graph: () => convolutionModel(), shape: (b, t) => [b, 2, t], axis: 2, outputAxis: 1 },
}

function inputOf({ shape, indices }: Case, batch: number, steps: number): NdArray {
  const sizes = shape(batch, steps)
  const data = pseudoRandom(batch * 100 + steps, lengthOf(sizes), 1)
  return new NdArray(indices === undefined ? data : Int32Array.from(data, (value) => Math.floor((value + 1) / 2 * indices)), sizes)
}

/** Steps from `begin` to `end` of an axis. */
function cut({ data, dtype, shape }: NdArray, axis: number, begin: number, end: number): DataOf {
  const outer = lengthOf(shape.slice(0, axis))
  const inner = lengthOf(shape.slice(axis + 1))
  const steps = shape[axis] as number
  const out = createData(dtype, outer * (end - begin) * inner)
  for (let o = 0; o < outer; o++) out.set(data.subarray((o * steps + begin) * inner, (o * steps + end) * inner), o * (end - begin) * inner)
  return out
}

describeBinaries('a stream', (binary) => {
  let runtime: Runtime
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
  })

  describe.each(Object.entries(CASES))('of %s', (_title, one) => {
    let model: Model
    beforeAll(async () => {
      model = await compile(one.graph(), { runtime })
    })

    const STEPS = 23
    it.each([[1, [1]], [3, [1]], [1, [23]], [1, [5]], [3, [7, 1, 4]], [2, [16, 7]], [5, [3, 2]]] as const)('with batch %i in chunks of %j steps has the bits of run()', (batch, chunks) => {
      const whole = inputOf(one, batch, STEPS)
      const [expected] = Object.values(model.run({ [(model.inputs[0] as { name: string }).name]: whole })) as [NdArray]
      const stream = model.stream({ batch, chunk: 8 })
      for (let round = 0; round < 2; round++) {
        let done = 0
        for (let n = 0; done < STEPS; n++) {
          const end = Math.min(STEPS, done + (chunks[n % chunks.length] as number))
          const input = cut(whole, one.axis, done, end)
          const wanted = cut(expected, one.outputAxis, done, end) as Float32Array
          // An array of just the length, then one that is longer.
          const output = new Float32Array(wanted.length + round).fill(NaN)
          if (end - done === 1) stream.step(input, output)
          else stream.process(input, output)
          expect(output.subarray(0, wanted.length)).toEqual(wanted)
          expect(output.subarray(wanted.length)).toEqual(new Float32Array(round).fill(NaN))
          done = end
        }
        stream.reset()
      }
      stream.dispose()
    })

    it('gives all memory back, and disposes once', () => {
      const before = runtime.memory()
      const stream = model.stream({ batch: 2 })
      expect(runtime.memory().usedBytes).toBeGreaterThan(before.usedBytes)
      stream.dispose()
      stream.dispose()
      expect(runtime.memory().usedBytes).toBe(before.usedBytes)
    })
  })

  it('goes on when the memory grows between two steps', async () => {
    const growing = await runtimeOf(binary)
    const model = await compile(torchLstm(3, 5, 2), { runtime: growing })
    const x = pseudoRandom(7, 4 * 3, 1)
    const { output: expected } = model.run({ input: new NdArray(x, [1, 4, 3]) }) as { output: NdArray }
    const stream = model.stream()
    const output = new Float32Array(5)
    for (let step = 0; step < 4; step++) {
      stream.step(x.slice(step * 3, step * 3 + 3), output)
      expect(output).toEqual(expected.data.slice(step * 5, step * 5 + 5))
      const before = growing.memory().totalBytes
      growing.tensor(null, [before])
      expect(growing.memory().totalBytes).toBeGreaterThan(before)
    }
    model.dispose()
    expect(() => stream.step(x.slice(0, 3), output)).toThrow('disposed')
  })

  it('of a model that gives its last step gives the result after each step', async () => {
    const model = await compile(lastStepModel(), { runtime })
    const rows = inputOf({ graph: lastStepModel, shape: (b, t) => [b, t, 3], axis: 1, outputAxis: 1 }, 2, 9)
    const { output } = model.run({ rows }) as { output: NdArray }
    const stream = model.stream({ batch: 2 })
    const each = new Float32Array(2 * 9 * 4)
    stream.process(rows.data, each)
    expect(cut(new NdArray(each, [2, 9, 4]), 1, 8, 9)).toEqual(output.data)
    stream.reset()
    const one = new Float32Array(8)
    for (let step = 0; step < 9; step++) {
      stream.step(cut(rows, 1, step, step + 1), one)
      expect(one).toEqual(cut(new NdArray(each, [2, 9, 4]), 1, step, step + 1))
    }
  })
})
