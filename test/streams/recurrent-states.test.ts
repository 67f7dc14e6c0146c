// Streams of GRU and simple recurrent layers: their states by name, and the bits of runs.
import { beforeAll, expect, it } from 'vitest'
import { compile } from '../../src/model/load.ts'
import type { Model } from '../../src/model/model.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { setUp } from '../ops/recurrent/gru-cases.ts'
import { pseudoRandom } from '../random.ts'
import { describeBinaries, runtimeOf } from '../variants.ts'
import { gruModel } from './models.ts'

const [BATCH, STEPS] = [3, 7]

describeBinaries('a stream of GRU layers', (binary) => {
  let runtime: Runtime
  let model: Model
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
    model = await compile(gruModel(), { runtime })
  })

  const x = new NdArray(pseudoRandom(1, BATCH * STEPS * 3, 1), [BATCH, STEPS, 3])
  /** One timestep of every row. */
  const frame = (t: number): Float32Array => Float32Array.from({ length: BATCH * 3 }, (_, n) => x.data[(Math.floor(n / 3) * STEPS + t) * 3 + n % 3] as number)
  const outputs = (y: NdArray, t: number): Float32Array => (
    Float32Array.from({ length: BATCH * 4 }, (_, n) => y.data[(Math.floor(n / 4) * STEPS + t) * 4 + n % 4] as number)
  )

  it('has the bits of a run, step by step and in chunks', () => {
    const { y } = model.run({ x }) as { y: NdArray }
    const [stream, chunks] = [model.stream({ batch: BATCH }), model.stream({ batch: BATCH, chunk: 3 })]
    const out = new Float32Array(BATCH * 4)
    for (let t = 0; t < STEPS; t++) {
      stream.step(frame(t), out)
      expect(out, `step ${t}`).toEqual(outputs(y, t))
    }
    const all = new Float32Array(BATCH * STEPS * 4)
    chunks.process(x.data, all)
    expect(all).toEqual(y.data)
    expect(chunks.state).toEqual(stream.state)
  })

  it('tells h of each layer, and goes on from an h that is written, forked, saved or forgotten', () => {
    const stream = model.stream({ batch: BATCH })
    const out = new Float32Array(BATCH * 4)
    for (let t = 0; t < 3; t++) stream.step(frame(t), out)
    const { state } = stream
    expect(Object.entries(state).map(([name, { shape }]) => [name, shape])).toEqual([['gru.h', [2, BATCH, 5]], ['rnn.h', [BATCH, 4]]])
    expect(state['rnn.h']?.data).toEqual(out)
    const [fork, other, saved] = [stream.fork(), model.stream({ batch: BATCH }), model.stream({ batch: BATCH })]
    other.state = state
    saved.restore(stream.save())
    stream.step(frame(3), out)
    for (const one of [fork, other, saved]) {
      const same = new Float32Array(BATCH * 4)
      one.step(frame(3), same)
      expect(same).toEqual(out)
    }
    stream.reset()
    stream.step(frame(0), out)
    const fresh = new Float32Array(BATCH * 4)
    model.stream({ batch: BATCH }).step(frame(0), fresh)
    expect(fresh).toEqual(out)
  })

  it.each(['gru', 'rnn'] as const)('puts out again, at a masked step, what an %s put out before it, over steps too', async (op) => {
    const { graph, mask } = setUp({ op, mask: true, attributes: { maskRule: 'hold' } }, [3, 5, BATCH, STEPS], 11)
    const [node] = graph.nodes as [typeof graph.nodes[number]]
    const masked = await compile({
      ...graph, inputs: graph.inputs.filter(({ name }) => name !== 'h0'), outputs: graph.outputs.slice(0, 1), nodes: [{ ...node, inputs: ['x', '', 'mask'] }],
    }, { runtime })
    const { y } = masked.run({ x, mask }) as { y: NdArray }
    const stream = masked.stream({ batch: BATCH })
    const out = new Float32Array(BATCH * 5)
    for (let t = 0; t < STEPS; t++) {
      stream.step({ x: frame(t), mask: Uint8Array.from({ length: BATCH }, (_, b) => mask.data[b * STEPS + t] as number) }, { y: out })
      const expected = Float32Array.from({ length: BATCH * 5 }, (_, n) => y.data[(Math.floor(n / 5) * STEPS + t) * 5 + n % 5] as number)
      expect(out, `step ${t}`).toEqual(expected)
    }
    masked.dispose()
  })
})
