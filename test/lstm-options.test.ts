// Every option of the LSTM operator against a float64 cell, alone and together, on every binary.
import { beforeAll, describe, expect, it } from 'vitest'
import { compile } from '../src/model/load.ts'
import type { Graph, GraphInput } from '../src/graph/graph.ts'
import { bindFunction } from '../src/ops/elementwise/functions.ts'
import { addAllFunctions } from '../src/ops/elementwise/function-table.ts'
import { lstmRole, type LstmWeight } from '../src/ops/recurrent/settings.ts'
import type { Runtime } from '../src/runtime/runtime.ts'
import { NdArray } from '../src/values/ndarray.ts'
import { lengthOf } from '../src/values/shape.ts'
import { expectError, expectRejection } from './expect-error.ts'
import './guards.ts'
import { pseudoRandom } from './random.ts'
import { delayedSequence, generalSequence, type GeneralCell, type MaskRule } from './reference-cell.ts'
import { LSTM_KERNEL_DISTANCE } from './tolerance.ts'
import { describeBinaries, runtimeOf } from './variants.ts'

addAllFunctions()

interface Case {
  readonly name: string
  readonly attributes?: Readonly<Record<string, string | number | boolean | readonly number[] | readonly string[]>>
  readonly weights?: readonly LstmWeight[]
  readonly mask?: boolean
  readonly reverse?: boolean
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
const softmax = (row: number[]): number[] => {
  const exps = row.map((x) => Math.exp(x))
  const sum = exps.reduce((total, x) => total + x, 0)
  return exps.map((x) => x / sum)
}
const each = (f: (x: number) => number) => (row: number[]): number[] => row.map((x) => f(x))
const FUNCTIONS: Readonly<Record<string, (alpha: number, beta: number) => (row: number[]) => number[]>> = {
  sigmoid: () => each(sigmoid),
  tanh: () => each(Math.tanh),
  linear: () => each((x) => x),
  relu: () => each((x) => Math.max(0, x)),
  hardSigmoid: (alpha, beta) => each((x) => Math.min(1, Math.max(0, alpha * x + beta))),
  elu: (alpha) => each((x) => (x < 0 ? alpha * Math.expm1(x) : x)),
  softsign: () => each((x) => x / (1 + Math.abs(x))),
  scaledTanh: (alpha, beta) => each((x) => alpha * Math.tanh(beta * x)),
  softmax: () => softmax,
}

const CASES: readonly Case[] = [
  { name: 'plain', attributes: {} },
  { name: 'forget bias', attributes: { forgetBias: 0.7 } },
  { name: 'peepholes', weights: ['peepholes'] },
  { name: 'clip', attributes: { clip: 0.4 } },
  { name: 'cell clip', attributes: { cellClip: 0.2 } },
  { name: 'clip and cell clip, backwards', reverse: true, attributes: { clip: 0.6, cellClip: 0.15 } },
  { name: 'clip and cell clip with a mask', mask: true, attributes: { clip: 0.6, cellClip: 0.15 } },
  { name: 'cell clip and peepholes', attributes: { cellClip: 0.2 }, weights: ['peepholes'] },
  { name: 'f = 1 - i', attributes: { coupling: 'forgetIsOneMinusInput' } },
  { name: 'i = 1 - f', attributes: { coupling: 'inputIsOneMinusForget', forgetBias: 1 } },
  { name: 'projection', attributes: { projSize: 3 }, weights: ['projection'] },
  { name: 'projection, clipped', attributes: { projSize: 5, projClip: 0.05 }, weights: ['projection'] },
  { name: 'layer normalisation', attributes: { layerNorm: true, forgetBias: 1 }, weights: ['normGain', 'normShift'] },
  { name: 'activations with constants', attributes: { activations: ['hardSigmoid', 'scaledTanh', 'elu'], activationAlpha: [0.3, 1.5, 0.6], activationBeta: [0.4, 0.8, 0] } },
  { name: 'softmax over the units', attributes: { activations: ['sigmoid', 'softmax', 'softsign'] } },
  { name: 'linear and relu', attributes: { activations: ['sigmoid', 'linear', 'relu'] } },
  { name: 'zeros at masked steps', mask: true, attributes: { maskRule: 'zero' } },
  { name: 'holding at masked steps', mask: true, attributes: { maskRule: 'hold' } },
  { name: 'multiplying at masked steps', mask: true, attributes: { maskRule: 'multiply' } },
  { name: 'backwards with a mask', mask: true, reverse: true, attributes: { maskRule: 'hold' } },
  {
    name: 'everything at once', mask: true, reverse: true, weights: ['peepholes', 'projection'],
    attributes: { projSize: 3, clip: 0.9, cellClip: 0.5, projClip: 0.4, forgetBias: 0.3, maskRule: 'zero', activations: ['hardSigmoid', 'tanh', 'softsign'] },
  },
]

interface Setup {
  readonly graph: Graph
  readonly cell: GeneralCell
  readonly x: NdArray<'float32'>
  readonly mask: NdArray<'uint8'>
  readonly h0: NdArray<'float32'>
  readonly c0: NdArray<'float32'>
}

function setUp(test: Case, sizes: readonly [number, number, number, number], seed: number): Setup {
  const [inputSize, hiddenSize, batch, timesteps] = sizes
  const attributes = test.attributes ?? {}
  const outputSize = (attributes.projSize as number | undefined) ?? hiddenSize
  const direction = test.reverse === true ? 'reverse' : 'forward'
  const shapes: [LstmWeight, readonly number[]][] = [
    ['inputWeights', [4 * hiddenSize, inputSize]], ['recurrentWeights', [4 * hiddenSize, outputSize]], ['inputBias', [4 * hiddenSize]],
    ...(test.weights ?? []).map((weight): [LstmWeight, readonly number[]] => [weight, weight === 'projection'
      ? [outputSize, hiddenSize]
      : weight === 'peepholes' ? [3 * hiddenSize] : [5, hiddenSize]]),
  ]
  const constants = new Map(shapes.map(([weight, shape], n) => [weight, new NdArray(pseudoRandom(seed + n, lengthOf(shape), 1), shape)]))
  const names = (attributes.activations as readonly string[] | undefined) ?? ['sigmoid', 'tanh', 'tanh']
  const [gate, candidate, output] = names.map((name, n) => {
    const { alpha, beta } = bindFunction(
      name, (attributes.activationAlpha as number[] | undefined)?.[n], (attributes.activationBeta as number[] | undefined)?.[n], 'test',
    )
    return (FUNCTIONS[name] as typeof FUNCTIONS[string])(alpha, beta)
  }) as [GeneralCell['gate'], GeneralCell['gate'], GeneralCell['gate']]
  const data = (weight: LstmWeight): Float32Array | undefined => constants.get(weight)?.data as Float32Array | undefined
  const state = (name: string, size: number): GraphInput => ({ name, dtype: 'float32', shape: [1, 'batch', size], optional: true })
  const graph: Graph = {
    inputs: [
      { name: 'x', dtype: 'float32', shape: ['batch', 'timesteps', inputSize] },
      state('h0', outputSize), state('c0', hiddenSize),
      ...(test.mask === true ? [{ name: 'mask', dtype: 'uint8', shape: ['batch', 'timesteps'] } as const] : []),
    ],
    outputs: ['y', 'h', 'c'].map((name) => ({ name, value: name })),
    nodes: [{
      name: 'lstm', op: 'lstm', inputs: ['x', 'h0', 'c0', ...(test.mask === true ? ['mask'] : [])], outputs: ['y', 'h', 'c'],
      parameters: Object.fromEntries(shapes.map(([weight]) => [lstmRole(0, direction, weight), weight])),
      attributes: { hiddenSize, numLayers: 1, direction, returnSequences: true, ...attributes },
    }],
    constants,
  }
  return {
    graph,
    cell: {
      inputSize, hiddenSize, outputSize, gate, candidate, output,
      inputWeights: data('inputWeights') as Float32Array, recurrentWeights: data('recurrentWeights') as Float32Array,
      bias: data('inputBias') as Float32Array, peepholes: data('peepholes'), projection: data('projection'),
      normGain: data('normGain'), normShift: data('normShift'), normEpsilon: 1e-12,
      forgetBias: (attributes.forgetBias as number | undefined) ?? 0, clip: (attributes.clip as number | undefined) ?? 0,
      cellClip: (attributes.cellClip as number | undefined) ?? 0, projClip: (attributes.projClip as number | undefined) ?? 0,
      coupling: (attributes.coupling as GeneralCell['coupling'] | undefined) ?? 'none',
    },
    x: new NdArray(pseudoRandom(seed + 50, batch * timesteps * inputSize, 1), [batch, timesteps, inputSize]),
    // The first step of the first row is masked: what is held then must come from somewhere.
    mask: new NdArray(Uint8Array.from({ length: batch * timesteps }, (_, n) => (n === 0 || (n * 7) % 5 === 0 ? 0 : 1)), [batch, timesteps]),
    h0: new NdArray(pseudoRandom(seed + 51, batch * outputSize, 0.5), [1, batch, outputSize]),
    c0: new NdArray(pseudoRandom(seed + 52, batch * hiddenSize, 0.5), [1, batch, hiddenSize]),
  }
}

const largest = (got: ArrayLike<number>, expected: readonly number[]): number =>
  expected.reduce((most, value, n) => Math.max(most, Math.abs(value - (got[n] as number))), 0)

describeBinaries('LSTM options', (binary) => {
  let runtime: Runtime
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
  })

  const sizes = [[3, 5, 3, 7], [1, 4, 1, 5], [17, 9, 5, 4], [4, 1, 2, 3]] as const
  it.each(CASES)(`$name is within ${LSTM_KERNEL_DISTANCE} x 4 of float64`, async (test) => {
    for (const [n, size] of sizes.entries()) {
      const { graph, cell, x, mask, h0, c0 } = setUp(test, size, 1000 * (n + 1))
      const model = await compile(graph, { runtime })
      const outputs = model.run({ x, h0, c0, ...(test.mask === true && { mask }) })
      const [, , batch, timesteps] = size
      const reference = generalSequence(cell, x.data, batch, timesteps, {
        reverse: test.reverse === true, rule: (test.attributes?.maskRule ?? 'zero') as MaskRule, h0: h0.data, c0: c0.data,
        mask: test.mask === true ? Array.from(mask.data) : undefined,
      })
      // Clips and steep activations pass roundings on undamped; four times the plain cell's is still rounding.
      for (const name of ['y', 'h', 'c'] as const) {
        expect(largest((outputs[name] as NdArray).data, reference[name]), `${size.join()}: ${name}`).toBeLessThan(4 * LSTM_KERNEL_DISTANCE)
      }
      model.dispose()
    }
  })

  it.each(CASES)('$name changes the result', async (test) => {
    if (test.name === 'plain') return
    const { graph, x, mask, h0, c0 } = setUp(test, [3, 5, 3, 7], 9)
    const [node] = graph.nodes as [Graph['nodes'][number]]
    const { hiddenSize, numLayers, returnSequences } = node.attributes as Record<string, number>
    const plain: Graph = {
      ...graph,
      nodes: [{
        ...node,
        inputs: node.inputs.slice(0, 3),
        attributes: {
          hiddenSize: hiddenSize as number, numLayers: numLayers as number, returnSequences: Boolean(returnSequences),
          direction: node.attributes.direction as string,
          ...(node.attributes.projSize !== undefined && test.attributes?.projClip !== undefined && { projSize: node.attributes.projSize }),
        },
        parameters: Object.fromEntries(Object.entries(node.parameters).filter(([role]) =>
          /Weights|Bias/.test(role) || (test.attributes?.projClip !== undefined && role.endsWith('projection')))),
      }],
    }
    if (test.attributes?.projSize !== undefined && test.attributes.projClip === undefined) {
      await expectRejection(compile(plain, { runtime }), 'SHAPE', /expected \[20, 5\]/)
      return
    }
    const given = { x, h0, c0, ...(test.mask === true && { mask }) }
    const a = (await compile(graph, { runtime })).run(given).y as NdArray
    const b = (await compile(plain, { runtime })).run(given).y as NdArray
    expect(a.data).not.toEqual(b.data)
  })

  it.each([{ clip: 1e6 }, { cellClip: 1e6 }])('%j goes through the kernel of the plain layer: the same bits', async (attributes) => {
    const [clipped, plain] = await Promise.all([attributes, {}].map(async (own) => {
      const { graph, x, h0, c0 } = setUp({ name: 'large', attributes: own }, [17, 9, 5, 4], 5)
      return (await compile(graph, { runtime })).run({ x, h0, c0 })
    }))
    expect(clipped).toEqual(plain)
  })

  it('gives the last output of each mask rule', async () => {
    for (const rule of ['zero', 'hold', 'multiply'] as const) {
      const { graph, cell, x, mask, h0, c0 } = setUp({ name: rule, mask: true, attributes: { maskRule: rule, returnSequences: false } }, [3, 5, 3, 7], 5)
      mask.data.fill(0, 0, 7) // a row without any valid step
      const { y } = (await compile(graph, { runtime })).run({ x, h0, c0, mask })
      const { last } = generalSequence(cell, x.data, 3, 7, { reverse: false, rule, h0: h0.data, c0: c0.data, mask: Array.from(mask.data) })
      expect(largest((y as NdArray).data, last)).toBeLessThan(LSTM_KERNEL_DISTANCE)
    }
  })

  it.each([{ clip: 0.5 }, { cellClip: 0.5 }, { projSize: 3, projClip: 0.5 }])('NaN is clamped by nothing: %j', async (attributes) => {
    const { graph, x, h0, c0 } = setUp({ name: 'clamped', attributes, ...('projSize' in attributes && { weights: ['projection'] as const }) }, [3, 5, 2, 4], 5)
    x.data.fill(NaN, 3, 4) // step 1 of row 0
    const { y } = (await compile(graph, { runtime })).run({ x, h0, c0 })
    const { shape, data } = y as NdArray
    const units = shape.at(-1) as number
    data.forEach((value, n) => expect(Number.isNaN(value), `element ${n}`).toBe(n >= units && n < 4 * units))
  })

  it('NaN in padding stays there, except under the multiply rule', async () => {
    for (const rule of ['zero', 'hold', 'multiply'] as const) {
      const { graph, x, mask, h0, c0 } = setUp({ name: rule, mask: true, attributes: { maskRule: rule } }, [3, 5, 3, 7], 5)
      x.data.fill(NaN, 0, 3) // step 0 of row 0 is masked
      const { y } = (await compile(graph, { runtime })).run({ x, h0, c0, mask })
      expect((y as NdArray).data.some((value) => Number.isNaN(value))).toBe(rule === 'multiply')
    }
  })
})

const DELAYS = [1, 1.25, 2, 2.5, 3, 7.75] as const

/** One of the cases, without inputs for the states. */
function delayedGraph(test: Case, delaySamples: number, size: readonly [number, number, number, number], seed: number): Setup {
  const setup = setUp({ ...test, attributes: { ...test.attributes, delaySamples } }, size, seed)
  return {
    ...setup,
    graph: { ...setup.graph, inputs: setup.graph.inputs.slice(0, 1), nodes: setup.graph.nodes.map((node) => ({ ...node, inputs: ['x'] })) },
  }
}

describeBinaries('delaySamples', (binary) => {
  let runtime: Runtime
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
  })

  const cases: Case[] = [
    { name: 'plain' }, { name: 'backwards', reverse: true },
    { name: 'projection and peepholes', attributes: { projSize: 3 }, weights: ['peepholes', 'projection'] },
  ]
  it.each(cases)(`$name: each step begins from that much earlier, within ${LSTM_KERNEL_DISTANCE} x 4 of float64`, async (test) => {
    for (const [n, delay] of DELAYS.entries()) {
      const [inputSize, , batch, timesteps] = [3, 5, 3, 11] as const
      const { graph, cell, x } = delayedGraph(test, delay, [3, 5, 3, 11], 700 + n)
      using model = await compile(graph, { runtime })
      const { y } = model.run({ x })
      const rows = Array.from({ length: batch }, (_, row) => (
        delayedSequence(cell, x.data.slice(row * timesteps * inputSize, (row + 1) * timesteps * inputSize), timesteps, delay, test.reverse === true)
      ))
      expect(largest((y as NdArray).data, rows.flat()), `delay ${delay}`).toBeLessThan(4 * LSTM_KERNEL_DISTANCE)
    }
  })

  it('is kept from run to run, every row by itself', async () => {
    for (const delay of [1.5, 3]) {
      const { graph, x } = delayedGraph({ name: 'plain' }, delay, [3, 5, 3, 8], 80)
      using whole = await compile(graph, { runtime })
      const expected = Array.from((whole.run({ x }).y as NdArray).data)
      const nodes = graph.nodes.map((node) => ({ ...node, attributes: { ...node.attributes, stateful: true } }))
      using model = await compile({ ...graph, nodes }, { runtime })
      const got = Array.from({ length: expected.length }, () => NaN)
      for (const [from, to] of [[0, 1], [1, 2], [2, 7], [7, 8]] as const) {
        const steps = to - from
        const part = Float32Array.from({ length: 3 * steps * 3 }, (_, n) => x.data[Math.floor(n / (steps * 3)) * 24 + from * 3 + n % (steps * 3)] as number)
        const { data } = model.run({ x: new NdArray(part, [3, steps, 3]) }).y as NdArray
        data.forEach((value, n) => (got[Math.floor(n / (steps * 5)) * 40 + from * 5 + n % (steps * 5)] = value))
      }
      expect(got).toEqual(expected)
    }
  })

  it('goes without states that come from outside, and is at least one step', async () => {
    const { graph } = setUp({ name: 'plain', attributes: { delaySamples: 1.5 } }, [3, 5, 3, 7], 1)
    await expectRejection(compile(graph, { runtime }), 'UNSUPPORTED', "lstm 'lstm': 'delaySamples' goes without initial states, masks and lengths")
    for (const delaySamples of [0, 0.5, NaN, Infinity]) {
      const { graph: bad } = delayedGraph({ name: 'plain' }, delaySamples, [3, 5, 3, 7], 1)
      await expectRejection(compile(bad, { runtime }), 'VALUE', /^lstm 'lstm': expected a number >= 1 for 'delaySamples', got/)
    }
  })
})

describe('lengths and state', () => {
  it('lengths are a mask; a length of 0 gives zero states where asked for', async () => {
    const { graph, x, h0, c0 } = setUp({ name: 'lengths', mask: true, attributes: { maskRule: 'zero', zeroEmptyState: true } }, [3, 5, 3, 7], 7)
    const withLengths: Graph = {
      ...graph,
      inputs: [...graph.inputs.slice(0, 3), { name: 'lengths', dtype: 'int32', shape: ['batch'] }],
      nodes: graph.nodes.map((node) => ({ ...node, inputs: ['x', 'h0', 'c0', '', 'lengths'] })),
    }
    const mask = new NdArray(Uint8Array.from([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), [3, 7])
    const expected = (await compile(graph)).run({ x, h0, c0, mask })
    const model = await compile(withLengths)
    const got = model.run({ x, h0, c0, lengths: [7, 3, 0] })
    expect(got).toEqual(expected)
    expect(Array.from((got.h as NdArray).data).slice(10)).toEqual([0, 0, 0, 0, 0])
    expect(Array.from((got.c as NdArray).data).slice(10)).toEqual([0, 0, 0, 0, 0])
    for (const [lengths, row] of [[[7, 8, 0], 1], [[8, 7, 0], 0], [[-1, 7, 0], 0], [[7, 7, 8], 2]] as const) {
      expectError(() => model.run({ x, h0, c0, lengths: [...lengths] }), 'VALUE', `lstm 'lstm': expected lengths from 0 to 7, got another one for batch row ${row}`)
    }
    expect(model.run({ x, h0, c0, lengths: [7, 3, 0] })).toEqual(got)
  })

  it('a stateful layer goes on where it stopped, until it is reset', async () => {
    const { graph, x } = setUp({ name: 'stateful' }, [3, 5, 3, 6], 3)
    const whole = (await compile(graph)).run({ x }).y as NdArray
    const stateful: Graph = {
      ...graph,
      inputs: graph.inputs.slice(0, 1),
      nodes: graph.nodes.map((node) => ({ ...node, inputs: ['x'], attributes: { ...node.attributes, stateful: true } })),
    }
    const model = await compile(stateful)
    const part = (from: number, to: number, rows: number = 3): NdArray<'float32'> => new NdArray(
      Float32Array.from({ length: rows * (to - from) * 3 }, (_, n) => {
        const [row, rest] = [Math.floor(n / ((to - from) * 3)), n % ((to - from) * 3)]
        return x.data[row * 18 + from * 3 + rest] as number
      }), [rows, to - from, 3])
    const run = (from: number, to: number): NdArray => model.run({ x: part(from, to) }).y as NdArray
    for (let round = 0; round < 2; round++) {
      const pieces = [run(0, 1), run(1, 4), run(4, 6)]
      const joined = [0, 1, 2].flatMap((row) => pieces.flatMap((piece) => {
        const size = (piece.shape[1] as number) * 5
        return Array.from(piece.data).slice(row * size, (row + 1) * size)
      }))
      expect(joined).toEqual(Array.from(whole.data))
      model.resetStates()
    }
    run(0, 1)
    expectError(() => model.run({ x: part(0, 1, 2) }), 'VALUE', /it is stateful and remembers another batch size .* call resetStates\(\)/)
    model.resetStates()
    expect(model.run({ x: part(0, 1, 2) }).y?.shape).toEqual([2, 1, 5])
    model.dispose()
  })
})
