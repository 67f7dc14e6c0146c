// Every golden model that can be streamed gives, step by step, what a run over the whole sequence gives.
import { beforeAll, expect, it } from 'vitest'
import { findCarry } from '../../src/streams/found-carry.ts'
import { typeGraph } from '../../src/graph/infer.ts'
import { LstmError } from '../../src/errors.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { findTimeline } from '../../src/streams/timeline.ts'
import type { Timeline } from '../../src/streams/walk.ts'
import { createData, type DataOf } from '../../src/values/dtype.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { lengthOf } from '../../src/values/shape.ts'
import { elements, goldenFiles, modelOf } from '../golden-files.ts'

const FILES = goldenFiles(['keras3', 'onnx', 'quantized', 'keras-quantized', 'loops', 'rtneural', 'nam'], /\.(keras|h5|onnx|json|nam)$/)

let runtime: Runtime
beforeAll(async () => {
  runtime = await createRuntime({ variant: 'simd' })
})

/** One step of an axis. */
function cut({ data, dtype, shape }: NdArray, axis: number, step: number): DataOf {
  const [outer, inner, steps] = [lengthOf(shape.slice(0, axis)), lengthOf(shape.slice(axis + 1)), shape[axis] as number]
  const out = createData(dtype, outer * inner)
  for (let o = 0; o < outer; o++) out.set(data.subarray((o * steps + step) * inner, (o * steps + step + 1) * inner), o * inner)
  return out
}

/** How often each outcome was met. */
const met = { streamed: 0, refused: 0 }

it.each(FILES)('%s', async (_name, file) => {
  const model = await modelOf(file, runtime)
  if (model === undefined) return
  try {
    const { graph, types } = typeGraph(model.toGraph())
    const carry = findCarry(graph, types)
    let timeline: Timeline | undefined
    try {
      timeline = findTimeline(graph, carry)
    } catch (error) {
      if (!(error instanceof LstmError)) throw error
      expect(error.code).toBe('UNSUPPORTED')
      expect(() => model.stream()).toThrow(error.message)
      met.refused++
      return
    }
    if (timeline === undefined) return
    const { batch, steps, inputs: axes, outputs: timings } = timeline
    const [rows, count] = [typeof batch === 'string' ? 2 : 1, 5]
    const sizeOf = (size: number | string): number | undefined => (typeof size === 'number' ? size : size === batch ? rows : size === steps ? count : undefined)
    const isUsed = (name: string): boolean => !carry.has(name) && timeline.graph.nodes.some((node) => node.inputs.includes(name))
    const required = graph.inputs.filter(({ optional }) => !optional)
    if (required.some(({ shape }) => shape.some((size) => sizeOf(size) === undefined))) return
    const whole = Object.fromEntries(required.map(({ name, dtype, shape }, n): [string, NdArray] => {
      const sizes = shape.map((size) => sizeOf(size) as number)
      // Inputs that only say what states are at first: a stream begins with zeros.
      return [name, new NdArray(isUsed(name) ? elements(dtype, lengthOf(sizes), n + 1) : createData(dtype, lengthOf(sizes)), sizes)]
    }))
    let stream
    try {
      stream = model.stream({ batch: rows })
    } catch (error) {
      // A size that is neither batch nor timesteps, or states that follow from the sequence.
      if (!(error instanceof LstmError) || !['VALUE', 'UNSUPPORTED'].includes(error.code)) throw error
      met.refused++
      return
    }
    const expected = model.run(whole)
    const moving = Object.entries(whole).filter(([name]) => axes.get(name) !== undefined)
    const total = moving.map(([name, { shape }]) => shape[axes.get(name) as number] as number)[0] as number
    const outputs = Object.fromEntries([...timings.keys()].filter((name) => !isCarried(name)).map((name): [string, Float32Array | DataOf] => {
      const { dtype, shape } = expected[name] as NdArray
      const timing = timings.get(name)
      return [name, createData(dtype, lengthOf(shape.filter((_, axis) => axis !== timing)))]
    }))
    function isCarried(name: string): boolean {
      return [...carry.values()].includes(name)
    }
    const given = Object.keys(whole).filter((name) => axes.has(name) && isUsed(name))
    for (let step = 0; step < total; step++) {
      stream.step(Object.fromEntries(given.map((name) => {
        const axis = axes.get(name)
        return [name, axis === undefined ? (whole[name] as NdArray).data : cut(whole[name] as NdArray, axis, step)]
      })), outputs)
      for (const [name, data] of Object.entries(outputs)) {
        const timing = timings.get(name)
        if (typeof timing === 'number') expect(data, `${name}, step ${step}`).toEqual(cut(expected[name] as NdArray, timing, step))
        else if (step === total - 1) expect(data, `${name}, at the end`).toEqual((expected[name] as NdArray).data)
      }
    }
    met.streamed++
  } finally {
    model.dispose()
  }
})

it('streamed most of them', () => {
  expect(met.streamed).toBeGreaterThan(100)
  expect(met.refused).toBeGreaterThan(10)
})
