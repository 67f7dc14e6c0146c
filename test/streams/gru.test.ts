// GRUs and plain RNNs of every format as streams, in pools, saved and restored, with states that are carried: to the bit what a run gives.
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { load } from '../../src/model/load.ts'
import type { Model } from '../../src/model/model.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { lengthOf } from '../../src/values/shape.ts'
import { pseudoRandom } from '../random.ts'

const [BATCH, STEPS] = [2, 7] as const

interface Case {
  /** In test/golden. */
  readonly file: string
  /** Which state input is given which state output. */
  readonly carry?: Readonly<Record<string, string>>
  /** Sequences begin with the timesteps. */
  readonly timeMajor?: boolean
}

const CASES: readonly Case[] = [
  { file: 'pytorch/gru.pt', carry: { h_0: 'h_n' } },
  { file: 'pytorch/gru-legacy-checkpoint.pt', carry: { h_0: 'h_n' } },
  { file: 'pytorch/rnn-float16.pt', carry: { h_0: 'h_n' } },
  { file: 'onnx/gru-initial.onnx', carry: { initial_h: 'Y_h' }, timeMajor: true },
  { file: 'onnx/rnn-initial.onnx', carry: { initial_h: 'Y_h' }, timeMajor: true },
  { file: 'onnx/gru-forward-h5.onnx', timeMajor: true },
  { file: 'onnx/gru-after-layout1-forward.onnx' },
  { file: 'keras3/gru-3.keras' },
  { file: 'keras3/gru-before-8.keras' },
  { file: 'keras3/rnn-3.keras' },
  { file: 'keras3/mixed-stacked-cells.keras' },
  { file: 'keras2/gru-stacked-cells.h5' },
  { file: 'tfjs/gru-3/model.json' },
  { file: 'tfjs/rnn-8/model.json' },
  { file: 'tf1/gru-multi-mixed.npz', carry: { h_0: 'h_0', c_1: 'c_1', h_1: 'h_1', h_2: 'h_2', h_3: 'h_3' } },
  { file: 'rtneural/gru-stack.json', carry: { gru_h0: 'gru_h', lstm_h0: 'lstm_h', lstm_c0: 'lstm_c', gru_1_h0: 'gru_1_h' } },
]

const open = (name: string, runtime: Runtime): Promise<Model> => load(fileURLToPath(new URL(`../golden/${name}`, import.meta.url)), { runtime })

/** Elements [rows, features] of one step, rows of the batch in the order of `rows`. */
function frameOf({ data, shape }: NdArray, timeMajor: boolean, step: number, rows: readonly number[]): Float32Array {
  const [batch, steps, features] = (timeMajor ? [shape[1], shape[0], shape[2]] : shape) as [number, number, number]
  const frame = new Float32Array(rows.length * features)
  rows.forEach((row, n) => {
    const begin = (timeMajor ? step * batch + row : row * steps + step) * features
    frame.set(data.subarray(begin, begin + features), n * features)
  })
  return frame
}

describe.each(CASES)('$file', ({ file, carry = {}, timeMajor = false }) => {
  let model: Model
  /** Outputs of runs over the first steps, by their number less one. */
  let runs: Readonly<Record<string, NdArray>>[]
  let x: NdArray
  let outputs: string[]
  beforeAll(async () => {
    model = await open(file, await createRuntime({ variant: 'simd' }))
    const [main] = model.inputs
    const features = main?.shape[2] as number
    x = new NdArray(pseudoRandom(5, BATCH * STEPS * features, 2), timeMajor ? [STEPS, BATCH, features] : [BATCH, STEPS, features])
    const states = Object.fromEntries(model.inputs.slice(1).map(({ name, shape }) => {
      const sizes = shape.map((size) => (typeof size === 'number' ? size : BATCH))
      return [name, new NdArray(new Float32Array(lengthOf(sizes)), sizes)]
    }))
    runs = Array.from({ length: STEPS }, (_, last) => {
      const frames = Array.from({ length: last + 1 }, (__, step) => frameOf(x, timeMajor, step, [0, 1]))
      const part = new NdArray(new Float32Array(BATCH * (last + 1) * features), timeMajor ? [last + 1, BATCH, features] : [BATCH, last + 1, features])
      frames.forEach((frame, step) => [0, 1].forEach((row) => {
        part.data.set(frame.subarray(row * features, (row + 1) * features), (timeMajor ? step * BATCH + row : row * (last + 1) + step) * features)
      }))
      return model.run({ [main?.name ?? '']: part, ...states })
    })
    outputs = Object.keys(runs[0] ?? {}).filter((name) => !Object.values(carry).includes(name))
    return () => model.dispose()
  })

  const options = (): { carry?: Readonly<Record<string, string>> } => (Object.keys(carry).length === 0 ? {} : { carry })

  /** What a stream gives at a step: the difference between outputs that grow with the sequence, or outputs at its end. */
  function expected(name: string, step: number, rows: readonly number[]): Float32Array {
    const { data, shape } = (runs[step] as Record<string, NdArray>)[name] as NdArray
    const first = (runs[0] as Record<string, NdArray>)[name] as NdArray
    const longest = (runs.at(-1) as Record<string, NdArray>)[name] as NdArray
    const time = longest.shape.findIndex((size, axis) => size !== first.shape[axis])
    const batch = shape.findIndex((size, axis) => axis !== time && size === BATCH)
    const strides = shape.map((_, axis) => lengthOf(shape.slice(axis + 1)))
    const order = shape.map((_, axis) => axis).filter((axis) => axis !== time)
    const result: number[] = []
    const walk = (depth: number, at: number): void => {
      const axis = order[depth]
      if (axis === undefined) result.push(data[at] as number)
      else {
        const places = axis === batch ? rows : Array.from({ length: shape[axis] as number }, (_, n) => n)
        for (const index of places) walk(depth + 1, at + index * (strides[axis] as number))
      }
    }
    walk(0, time < 0 ? 0 : step * (strides[time] as number))
    return Float32Array.from(result)
  }

  const room = (rows: readonly number[]): Record<string, Float32Array> => (
    Object.fromEntries(outputs.map((name) => [name, new Float32Array(expected(name, 0, rows).length)]))
  )

  it('is a stream, which goes on from where it was saved', () => {
    const stream = model.stream({ batch: BATCH, ...options() })
    const out = room([0, 1])
    let saved = new Uint8Array()
    for (const step of [0, 1, 2, 3, 4, 3, 4, 5, 6]) {
      if (step === 3 && saved.length === 0) saved = stream.save()
      else if (step === 3) stream.restore(saved)
      stream.step({ [model.inputs[0]?.name ?? '']: frameOf(x, timeMajor, step, [0, 1]) }, out)
      for (const name of outputs) expect(out[name], `${name}, step ${step}`).toEqual(expected(name, step, [0, 1]))
    }
  })

  it('is sessions of a pool, together and alone', () => {
    const pool = model.streams(3, options())
    const ids = [pool.open(), pool.open()] as const
    for (let step = 0; step < STEPS; step++) {
      for (const rows of step % 3 === 0 ? [[0, 1]] : step % 3 === 1 ? [[1, 0]] : [[1], [0]]) {
        const out = room(rows)
        pool.step(rows.map((row) => ids[row] as typeof ids[0]), { [model.inputs[0]?.name ?? '']: frameOf(x, timeMajor, step, rows) }, out)
        for (const name of outputs) expect(out[name], `${name}, step ${step}, rows ${rows.join()}`).toEqual(expected(name, step, rows))
      }
    }
  })
})
