// Every option of gru() and simpleRnn(), through a state dict, against a float64 cell; and what they refuse.
import { describe, expect, it } from 'vitest'
import { recurrentTensors } from '../src/formats/pytorch-names.ts'
import { dense, gru, sequential, simpleRnn, type GruOptions, type Layer, type SimpleRnnOptions } from '../src/layers/index.ts'
import { compile, type NdArray } from '../src/index.ts'
import { GRU_ATTRIBUTES } from '../src/ops/recurrent/gru.ts'
import { RNN_ATTRIBUTES } from '../src/ops/recurrent/rnn.ts'
import { expectError } from './expect-error.ts'
import { maskedSequence, type MaskRule } from './reference-cell.ts'
import { gruStep, rnnStep, type CellOptions } from './reference-gru.ts'
import { LSTM_KERNEL_DISTANCE } from './tolerance.ts'
import { denseWeights, random } from './weights.ts'

const [FEATURES, UNITS, BATCH, STEPS] = [3, 5, 2, 6] as const
const each = (f: (x: number) => number) => (row: number[]): number[] => row.map((x) => f(x))
const sigmoid = each((x) => 1 / (1 + Math.exp(-x)))
const softsign = each((x) => x / (1 + Math.abs(x)))
const hardSigmoid = (alpha: number): CellOptions['gate'] => each((x) => Math.min(1, Math.max(0, alpha * x + 0.5)))

interface Case<Options> {
  readonly options: Options
  readonly cell?: Partial<CellOptions>
  readonly rule?: MaskRule
  readonly reverse?: boolean
}

const SHARED = {
  'nothing': { options: {} },
  'activation': { options: { activation: 'softsign' }, cell: { candidate: softsign } },
  'clip': { options: { clip: 0.4 }, cell: { clip: 0.4 } },
  'no bias': { options: { bias: false } },
  'a mask, as Keras has it': { options: { mask: true }, rule: 'hold' },
  'a mask with zeroOutputForMask': { options: { mask: true, zeroOutputForMask: true }, rule: 'zero' },
  'a mask, as TensorFlow.js has it': { options: { mask: 'mask', maskRule: 'multiply' }, rule: 'multiply' },
  'reversedOutput': { options: { goBackwards: true, reversedOutput: false }, reverse: true },
} as const satisfies Readonly<Record<string, Case<Readonly<Record<string, unknown>>>>>

const GRU_CASES: Readonly<Record<string, Case<GruOptions>>> = {
  ...SHARED,
  'recurrentActivation of Keras 2': { options: { recurrentActivation: { name: 'hardSigmoid', keras: 2 } }, cell: { gate: hardSigmoid(0.2) } },
  'recurrentActivation of Keras 3': { options: { recurrentActivation: { name: 'hard_sigmoid', keras: 3 } }, cell: { gate: hardSigmoid(1 / 6) } },
  'activations': { options: { activations: ['softsign', 'linear'] }, cell: { gate: softsign, candidate: (row) => row } },
  'the reset gate before the product': { options: { resetAfter: false }, cell: { resetAfter: false } },
  'the reset gate before the product, and a mask': { options: { resetAfter: false, mask: true }, cell: { resetAfter: false }, rule: 'hold' },
}
const RNN_CASES: Readonly<Record<string, Case<SimpleRnnOptions>>> = { ...SHARED, activations: { options: { activations: ['relu'] }, cell: { candidate: each((x) => Math.max(0, x)) } } }

function weightsOf(op: 'gru' | 'rnn', name: string, bias: boolean, more: { readonly numLayers?: number, readonly bidirectional?: boolean } = {}): Map<string, NdArray> {
  const tensors = recurrentTensors(op, { inputSize: FEATURES, hiddenSize: UNITS, numLayers: 1, bidirectional: false, bias, ...more })
  return new Map(tensors.map((spec, n) => [`${name}.${spec.name}`, random(40 + n, ...spec.shape)]))
}

async function check(layer: (options: object) => Layer, op: 'gru' | 'rnn', name: string, { options, cell, rule, reverse = false }: Case<object>): Promise<void> {
  const weights = weightsOf(op, name, !('bias' in options))
  const data = (part: string): Float32Array => weights.get(`${name}.${part}_l0`)?.data as Float32Array
  const parts = { inputWeights: data('weight_ih'), recurrentWeights: data('weight_hh'), inputBias: data('bias_ih'), recurrentBias: data('bias_hh') }
  const settings: CellOptions = { hiddenSize: UNITS, clip: 0, resetAfter: true, gate: sigmoid, candidate: each(Math.tanh), ...cell }
  const x = random(7, BATCH, STEPS, FEATURES)
  const mask = Uint8Array.from({ length: BATCH * STEPS }, (_, n) => (n === 0 || n % 5 === 3 ? 0 : 1))
  const reference = maskedSequence((op === 'gru' ? gruStep : rnnStep)(parts, settings), { inputSize: FEATURES, outputSize: UNITS, cellSize: 0 }, x.data, BATCH, STEPS, {
    reverse, rule: rule ?? 'zero', mask: rule === undefined ? undefined : [...mask], h0: undefined, c0: undefined,
  })
  using model = await compile(sequential([layer({ ...options, returnSequences: true, returnState: true })]).loadStateDict(weights))
  const port = model.inputs.find(({ dtype }) => dtype === 'uint8')?.name
  const outputs = model.run({ input: x, ...(port !== undefined && { [port]: { dtype: 'uint8', shape: [BATCH, STEPS], data: mask } }) })
  expect(Object.keys(outputs)).toEqual(['output', `${name}_h`])
  for (const [output, expected] of [['output', reference.y], [`${name}_h`, reference.h]] as const) {
    const got = (outputs[output] as NdArray).data
    expect(got.length).toBe(expected.length)
    expect(expected.reduce((largest, value, n) => Math.max(largest, Math.abs(value - (got[n] as number))), 0), output).toBeLessThan(4 * LSTM_KERNEL_DISTANCE)
  }
}

describe('gru', () => {
  it.each(Object.entries(GRU_CASES))('with %s is that of float64', async (_name, test) => {
    await check((options) => gru(UNITS, options), 'gru', 'gru', test)
  })

  it('can be told all that the operator knows, and simpleRnn too', () => {
    // direction is bidirectional and goBackwards; constants are part of the activations.
    const otherwise = ['direction', 'activationAlpha', 'activationBeta']
    const told = (layer: () => Layer): string => expectError(layer, 'VALUE', /options are/).message
    const [ofGru, ofRnn] = [told(() => gru(1, { no: 1 } as GruOptions)), told(() => simpleRnn(1, { no: 1 } as SimpleRnnOptions))]
    for (const name of GRU_ATTRIBUTES) if (!otherwise.includes(name)) expect(ofGru).toMatch(new RegExp(`\\b${name}\\b`))
    for (const name of RNN_ATTRIBUTES) if (!otherwise.includes(name)) expect(ofRnn).toMatch(new RegExp(`\\b${name}\\b`))
  })

  it('stacks layers in both directions, takes states and lengths, and gives the states back', async () => {
    const options = { numLayers: 2, bidirectional: true, returnSequences: true, returnState: true, initialState: true, lengths: true }
    using model = await compile(sequential([gru(UNITS, options)]).loadStateDict(weightsOf('gru', 'gru', true, { numLayers: 2, bidirectional: true })))
    expect(model.inputs.map(({ name, shape }) => [name, ...shape])).toEqual([
      ['input', 'batch', 'timesteps', FEATURES], ['gru_h0', 4, 'batch', UNITS], ['gru_lengths', 'batch'],
    ])
    const input = random(7, BATCH, STEPS, FEATURES)
    const given = { input, gru_h0: random(8, 4, BATCH, UNITS), gru_lengths: Int32Array.of(2, STEPS) }
    const { output, gru_h: last } = model.run(given) as Record<string, NdArray>
    expect([output?.shape, last?.shape]).toEqual([[BATCH, STEPS, 2 * UNITS], [4, BATCH, UNITS]])
    const steps = output?.toArray() as number[][][]
    expect(steps.map((rows) => rows.filter((row) => row.every((value) => value === 0)).length)).toEqual([STEPS - 2, 0])
    // Forward's last valid step of the upper layer, and backward's first step, are its final states.
    expect(steps[0]?.[1]?.slice(0, UNITS)).toEqual((last?.toArray() as number[][][])[2]?.[0])
    expect(steps[0]?.[0]?.slice(UNITS)).toEqual((last?.toArray() as number[][][])[3]?.[0])
    expect(model.run({ ...given, gru_h0: random(9, 4, BATCH, UNITS) })).not.toEqual({ output, gru_h: last })
  })

  it('keeps its state when it is stateful, time-major, and takes other words', async () => {
    const layers = [gru({ num_units: UNITS, time_major: true, stateful: true, linear_before_reset: false, return_sequences: true }), simpleRnn({ hidden_size: 2, nonlinearity: 'softsign', stateful: true, timeMajor: true })]
    const rnn = recurrentTensors('rnn', { inputSize: UNITS, hiddenSize: 2, numLayers: 1, bidirectional: false, bias: true })
    const weights = new Map([...weightsOf('gru', 'gru', true), ...rnn.map((spec, n) => [`simple_rnn.${spec.name}`, random(90 + n, ...spec.shape)] as const)])
    using model = await compile(sequential(layers).loadStateDict(weights))
    const input = random(7, STEPS, BATCH, FEATURES)
    const first = model.run({ input })
    expect((first.output as NdArray).shape).toEqual([BATCH, 2])
    expect(model.run({ input })).not.toEqual(first)
    model.resetStates()
    expect(model.run({ input })).toEqual(first)
  })

  it('takes the tensors of cells', async () => {
    const cell = new Map([...weightsOf('gru', 'gru', true)].map(([name, tensor]) => [name.replace('_l0', ''), tensor] as const))
    using model = await compile(sequential([gru(UNITS), dense(2)]).loadStateDict(new Map([...cell, ...denseWeights('dense', UNITS, 2)])))
    using plain = await compile(sequential([gru(UNITS), dense(2)]).loadStateDict(new Map([...weightsOf('gru', 'gru', true), ...denseWeights('dense', UNITS, 2)])))
    const input = random(7, BATCH, STEPS, FEATURES)
    expect(model.run({ input })).toEqual(plain.run({ input }))
  })

  it.each<[GruOptions, string]>([
    [{ activations: ['sigmoid', 'tanh', 'sigmoid', 'tanh'] }, 'gru: activations: expected two functions for one direction, got 4'],
    [{ activations: ['sigmoid', 'tanh'], recurrentActivation: 'relu' }, "gru: 'activations' and 'recurrentActivation' say the same thing"],
    [{ recurrentActivation: 'hardSigmoid' }, "gru: recurrentActivation: hardSigmoid has other constants in other systems: alpha: 0.2, beta: 0.5 in Keras 1 and 2, TensorFlow.js and ONNX; alpha: 1 / 6, beta: 0.5 in Keras 3 and PyTorch. Say which: { name: 'hardSigmoid', alpha: ..., beta: ... }, or { name: 'hardSigmoid', keras: 3 }"],
    [{ mask: true, lengths: true }, 'gru: expected mask or lengths, got both'],
    [{ goBackwards: true, bidirectional: true }, 'gru: goBackwards goes with one direction; a bidirectional layer goes both ways'],
    [{ maskRule: 'zero' }, 'gru: maskRule says nothing without mask or lengths'],
  ])('refuses %j', (options, message) => {
    expectError(() => gru(4, options), 'VALUE', message)
  })

  it('refuses what LSTMs alone have, and slips of the pen', () => {
    // @ts-expect-error: no such option
    expectError(() => gru(4, { projSize: 2 }), 'VALUE', /^gru: no option 'projSize'/)
    // @ts-expect-error: no such option
    expectError(() => gru(4, { reset_befor: true }), 'VALUE', /^gru: no option 'reset_befor'/)
    expectError(() => gru(0), 'VALUE', 'gru: expected a whole number >= 1 for \'units\', got 0')
    expectError(() => sequential([gru(UNITS)]).loadStateDict(weightsOf('rnn', 'gru', true)), 'SHAPE', /'gru.weight_ih_l0' has \[5, 3\], expected \[15, 3\]/)
  })
})

describe('simpleRnn', () => {
  it.each(Object.entries(RNN_CASES))('with %s is that of float64', async (_name, test) => {
    await check((options) => simpleRnn(UNITS, options), 'rnn', 'simple_rnn', test)
  })

  it.each<[SimpleRnnOptions, string]>([
    [{ activations: ['relu', 'tanh'] }, 'simpleRnn: activations: expected one function for one direction, got 2'],
    [{ activations: ['relu'], activation: 'relu' }, "simpleRnn: 'activations' and 'activation' say the same thing"],
    [{ zeroEmptyState: true }, 'simpleRnn: zeroEmptyState says nothing without mask or lengths'],
  ])('refuses %j', (options, message) => {
    expectError(() => simpleRnn(4, options), 'VALUE', message)
  })

  it('has no gates', () => {
    // @ts-expect-error: no such option
    expectError(() => simpleRnn(4, { recurrentActivation: 'relu' }), 'VALUE', /^simpleRnn: no option 'recurrentActivation'/)
  })
})
