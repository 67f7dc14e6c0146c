// Every option of lstm(), through a state dict, against a float64 cell; and what lstm() refuses.
import { describe, expect, it } from 'vitest'
import { activation, dense, lstm, sequential, type Activation, type LstmOptions } from '../src/layers/index.ts'
import { LSTM_OPTIONS } from '../src/layers/lstm-options.ts'
import { compile, type NdArray } from '../src/index.ts'
import { LSTM_ATTRIBUTES } from '../src/ops/recurrent/settings.ts'
import { expectError } from './expect-error.ts'
import { generalSequence, type GeneralCell, type MaskRule } from './reference-cell.ts'
import { LSTM_KERNEL_DISTANCE } from './tolerance.ts'
import { denseWeights, lstmWeights, random } from './weights.ts'

const [FEATURES, UNITS, BATCH, STEPS] = [3, 5, 2, 6] as const
const each = (f: (x: number) => number) => (row: number[]): number[] => row.map((x) => f(x))
const sigmoid = each((x) => 1 / (1 + Math.exp(-x)))
const tanh = each(Math.tanh)
const relu = each((x) => Math.max(0, x))
const hardSigmoid = (alpha: number): GeneralCell['gate'] => each((x) => Math.min(1, Math.max(0, alpha * x + 0.5)))

interface Case {
  readonly options: LstmOptions
  readonly cell?: Partial<GeneralCell>
  readonly rule?: MaskRule
  readonly reverse?: boolean
}

const CASES: Readonly<Record<string, Case>> = {
  'nothing': { options: {} },
  'recurrentActivation of Keras 2': { options: { recurrentActivation: { name: 'hardSigmoid', keras: 2 } }, cell: { gate: hardSigmoid(0.2) } },
  'recurrentActivation of Keras 3': { options: { recurrentActivation: { name: 'hard_sigmoid', keras: 3 } }, cell: { gate: hardSigmoid(1 / 6) } },
  'recurrentActivation by its constants': { options: { recurrentActivation: { name: 'hardSigmoid', alpha: 0.25, beta: 0.5 } }, cell: { gate: hardSigmoid(0.25) } },
  'activation': { options: { activation: 'relu' }, cell: { candidate: relu, output: relu } },
  'outputActivation': { options: { activation: 'softsign', outputActivation: 'tanh' }, cell: { candidate: each((x) => x / (1 + Math.abs(x))) } },
  'activations': { options: { activations: ['tanh', 'linear', 'relu6'] }, cell: { gate: tanh, candidate: (row) => row, output: each((x) => Math.min(6, Math.max(0, x))) } },
  'forgetBias': { options: { forgetBias: 1 }, cell: { forgetBias: 1 } },
  'peepholes': { options: { peepholes: true } },
  'clip': { options: { clip: 0.4 }, cell: { clip: 0.4 } },
  'cellClip': { options: { cellClip: 0.2 }, cell: { cellClip: 0.2 } },
  'projSize and projClip': { options: { projSize: 4, projClip: 0.05 }, cell: { outputSize: 4, projClip: 0.05 } },
  'coupling of ONNX': { options: { coupling: 'forgetIsOneMinusInput' }, cell: { coupling: 'forgetIsOneMinusInput' } },
  'coupling of TensorFlow 1': { options: { coupling: 'inputIsOneMinusForget' }, cell: { coupling: 'inputIsOneMinusForget' } },
  'layerNorm': { options: { layerNorm: true, normEpsilon: 0.01 }, cell: { normEpsilon: 0.01 } },
  'a mask, as Keras has it': { options: { mask: true }, rule: 'hold' },
  'a mask with zeroOutputForMask': { options: { mask: true, zeroOutputForMask: true }, rule: 'zero' },
  'a mask, as TensorFlow.js has it': { options: { mask: 'mask', maskRule: 'multiply' }, rule: 'multiply' },
  'reversedOutput': { options: { goBackwards: true, reversedOutput: false }, reverse: true },
}

describe('lstm', () => {
  it.each(Object.entries(CASES))('with %s is that of float64', async (_name, { options, cell, rule, reverse = false }) => {
    const projSize = options.projSize
    const { peepholes = false, layerNorm = false } = options
    const weights = new Map(lstmWeights('lstm', FEATURES, UNITS, { projSize, peepholes, layerNorm }))
    const data = (name: string): Float32Array | undefined => weights.get(`lstm.${name}_l0`)?.data as Float32Array | undefined
    const bias = (data('bias_ih') as Float32Array).map((value, n) => value + ((data('bias_hh') as Float32Array)[n] as number))
    const x = random(7, BATCH, STEPS, FEATURES)
    const mask = Uint8Array.from({ length: BATCH * STEPS }, (_, n) => (n === 0 || n % 5 === 3 ? 0 : 1))
    const reference = generalSequence({
      inputSize: FEATURES, hiddenSize: UNITS, outputSize: UNITS, gate: sigmoid, candidate: tanh, output: tanh, bias,
      inputWeights: data('weight_ih') as Float32Array, recurrentWeights: data('weight_hh') as Float32Array, projection: data('weight_hr'),
      peepholes: data('peepholes'), normGain: data('norm_gain'), normShift: data('norm_shift'), normEpsilon: 1e-12,
      forgetBias: 0, clip: 0, cellClip: 0, projClip: 0, coupling: 'none', ...cell,
    }, x.data, BATCH, STEPS, { reverse, rule: rule ?? 'zero', mask: rule === undefined ? undefined : [...mask], h0: undefined, c0: undefined })
    using model = await compile(sequential([lstm(UNITS, { ...options, returnSequences: true, returnState: true })]).loadStateDict(weights))
    const name = model.inputs.find(({ dtype }) => dtype === 'uint8')?.name
    expect(name).toBe(rule === undefined ? undefined : options.mask === true ? 'lstm_mask' : 'mask')
    const outputs = model.run({ input: x, ...(name !== undefined && { [name]: { dtype: 'uint8', shape: [BATCH, STEPS], data: mask } }) })
    for (const [output, expected] of [['output', reference.y], ['lstm_h', reference.h], ['lstm_c', reference.c]] as const) {
      const got = (outputs[output] as NdArray).data
      expect(got.length).toBe(expected.length)
      const most = expected.reduce((largest, value, n) => Math.max(largest, Math.abs(value - (got[n] as number))), 0)
      expect(most, output).toBeLessThan(4 * LSTM_KERNEL_DISTANCE)
    }
  })

  it('can be told all that the operator knows', () => {
    const told = Object.keys(LSTM_OPTIONS)
    // direction is bidirectional and goBackwards; constants are part of the activations.
    const otherwise = ['direction', 'activationAlpha', 'activationBeta']
    expect(LSTM_ATTRIBUTES.filter((attribute) => !told.includes(attribute) && !otherwise.includes(attribute))).toEqual([])
  })

  it('takes lengths: zeros beyond them', async () => {
    using model = await compile(sequential([lstm(UNITS, { lengths: true, returnSequences: true })]).loadStateDict(new Map(lstmWeights('lstm', FEATURES, UNITS))))
    const { output } = model.run({ input: random(7, BATCH, STEPS, FEATURES), lstm_lengths: Int32Array.of(2, STEPS) })
    const steps = (output as NdArray).toArray() as number[][][]
    expect(steps.map((rows) => rows.filter((row) => row.every((value) => value === 0)).length)).toEqual([STEPS - 2, 0])
  })

  it('shares a mask among layers, and refuses two inputs of one name', () => {
    const weights = new Map([...lstmWeights('lstm', FEATURES, UNITS), ...lstmWeights('lstm_1', UNITS, UNITS)])
    const two = (other: LstmOptions): ReturnType<typeof sequential> => sequential([lstm(UNITS, { mask: 'mask', returnSequences: true }), lstm(UNITS, other)]).loadStateDict(weights)
    expect(two({ mask: 'mask' }).toGraph().inputs.map(({ name }) => name)).toEqual(['input', 'mask'])
    expectError(() => two({ lengths: 'mask' }), 'VALUE', "sequential: two inputs are named 'mask': uint8 [batch, timesteps] and int32 [batch]")
  })

  it('keeps its state when it is stateful', async () => {
    using model = await compile(sequential([lstm(UNITS, { stateful: true })]).loadStateDict(new Map(lstmWeights('lstm', FEATURES, UNITS))))
    const input = random(7, BATCH, STEPS, FEATURES)
    const first = model.run({ input })
    expect(model.run({ input })).not.toEqual(first)
    model.resetStates()
    expect(model.run({ input })).toEqual(first)
  })

  it.each<[LstmOptions, string]>([
    [{ recurrentActivation: 'hardSigmoid' }, "lstm: recurrentActivation: hardSigmoid has other constants in other systems: alpha: 0.2, beta: 0.5 in Keras 1 and 2, TensorFlow.js and ONNX; alpha: 1 / 6, beta: 0.5 in Keras 3 and PyTorch. Say which: { name: 'hardSigmoid', alpha: ..., beta: ... }, or { name: 'hardSigmoid', keras: 3 }"],
    [{ activation: 'leaky_relu' }, "lstm: activation: leakyRelu has other constants in other systems: alpha: 0.2 as Keras's function, 0.3 as its layer; alpha: 0.01 in PyTorch and ONNX. Say which: { name: 'leakyRelu', alpha: ... }, or { name: 'leakyRelu', keras: 3 }"],
    [{ activation: { name: 'affine', keras: 3 } }, 'lstm: activation: Keras 3 has no affine; give its constants: alpha: 1, beta: 0 in ONNX; alpha: 0, beta: 0 in onnxruntime'],
    [{ activation: { name: 'tanh', alpha: 2 } }, "lstm: activation: tanh has no constant 'alpha'"],
    [{ activation: { name: 'relu6', beta: 5 } }, "lstm: activation: relu6 has no constant 'beta'"],
    [{ activation: { name: 'elu', alhpa: 1 } as Activation }, "lstm: activation: no option 'alhpa' (did you mean 'alpha'?); options are name, alpha, beta, keras"],
    [{ activation: {} as Activation }, "lstm: activation: expected text for 'name', got undefined"],
    [{ activations: ['sigmoid', 'tanh', 'tanh', 'sigmoid', 'tanh', 'tanh'] }, 'lstm: activations: expected three functions for one direction, got 6'],
    [{ activations: ['sigmoid', 'tanh', 'tanh'], activation: 'relu' }, "lstm: 'activations' and 'activation' say the same thing"],
    [{ mask: true, lengths: true }, 'lstm: expected mask or lengths, got both'],
    [{ mask: true, maskRule: 'zero', zeroOutputForMask: true }, "lstm: 'maskRule' and 'zeroOutputForMask' say the same thing"],
    [{ maskRule: 'zero' }, 'lstm: maskRule says nothing without mask or lengths'],
    [{ projClip: 1 }, 'lstm: projClip says nothing without projSize'],
    [{ normEpsilon: 1 }, 'lstm: normEpsilon says nothing without layerNorm'],
    [{ reversedOutput: false }, 'lstm: reversedOutput says nothing without goBackwards'],
    [{ delaySamples: 2, mask: true }, 'lstm: delaySamples goes without mask and lengths'],
    [{ delaySamples: 2, initialState: true }, 'lstm: delaySamples goes without initialState: a delayed state has a history'],
  ])('refuses %j', (options, message) => {
    expectError(() => lstm(4, options), 'VALUE', message)
  })

  it('refuses activations that are none, with the one that was meant', () => {
    expectError(() => lstm(4, { activation: 'tahn' as Activation }), 'VALUE', /^lstm: activation: no activation "tahn" \(did you mean 'tanh'\?\); there are linear, sigmoid,/)
    expectError(() => lstm(4, { activation: '__proto__' as Activation }), 'VALUE', /^lstm: activation: no activation "__proto__"; there are/)
  })

  it('refuses slips of the pen when it is compiled', () => {
    // @ts-expect-error: no such option
    expectError(() => lstm(4, { returnSequence: true }), 'VALUE', /did you mean 'returnSequences'/)
    // @ts-expect-error: of another type
    expectError(() => lstm(4, { forget_bias: '1' }), 'VALUE', "lstm: expected a number for 'forget_bias', got \"1\"")
    // @ts-expect-error: no such function
    expectError(() => lstm(4, { activation: 'hardTahn' }), 'VALUE', /did you mean 'hardTanh'/)
    expect(lstm({ num_units: 4, use_peepholes: true, cell_clip: 1, time_major: true }).kind).toBe('lstm')
  })
})

describe('dense and activation', () => {
  it.each<[Activation, (x: number) => number]>([
    ['softsign', (x) => x / (1 + Math.abs(x))], ['hard_tanh', (x) => Math.min(1, Math.max(-1, x))],
    [{ name: 'leakyRelu', alpha: 0.3 }, (x) => (x < 0 ? 0.3 * x : x)], [{ name: 'hardSigmoid', keras: 3 }, (x) => Math.min(1, Math.max(0, x / 6 + 0.5))],
  ])('take %j, with a batch or without', async (name, f) => {
    const weights = new Map(denseWeights('dense', 3, 2))
    const x = random(9, 4, 3)
    using plain = await compile(sequential([dense(2)]).loadStateDict(weights))
    const expected = Array.from((plain.run({ input: x }).output as NdArray).data, f)
    for (const layers of [[dense(2, { activation: name })], [dense(2), activation(name, { name: 'f' })]]) {
      using model = await compile(sequential(layers).loadStateDict(weights))
      const got = (model.run({ input: x }).output as NdArray).data
      expected.forEach((value, n) => expect(got[n]).toBeCloseTo(value, 6))
      using single = await compile(sequential(layers, { unbatched: true }).loadStateDict(weights))
      expect((single.run({ input: x.data.slice(0, 3) }).output as NdArray).data).toEqual(got.slice(0, 2))
    }
  })
})
