// State dicts that test/python/golden_torch_quantized.py saved of quantize_dynamic, beside PyTorch's outputs of both models.
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { readTorch } from '../../src/formats/torch/reader.ts'
import { readSafetensors } from '../../src/formats/safetensors/safetensors.ts'
import { dense, gru, lstm, sequential } from '../../src/layers/index.ts'
import { compile, load } from '../../src/model/load.ts'
import type { Constant } from '../../src/ops/constant.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import type { ArrayLike } from '../../src/values/ndarray.ts'
import { expectError, expectRejection } from '../expect-error.ts'
import '../guards.ts'
import { distance } from '../quantized-outputs.ts'
import { QUANTIZED_RATIO } from '../tolerance.ts'
import { describeBinaries, runtimeOf } from '../variants.ts'

const folder = new URL('../golden/torch-quantized/', import.meta.url)
const { tensors } = readSafetensors(readFileSync(new URL('cases.safetensors', folder)))
const bytesOf = (name: string): Uint8Array => readFileSync(new URL(`${name}.pt`, folder))
const tensor = (name: string): ArrayLike => tensors.get(name) as ArrayLike

/** `rnn.weight_ih_l0 int8 [48, 10]`. */
const described = (name: string): string[] => [...readTorch(bytesOf(name))].map(([key, array]) => `${key} ${(array as Constant).storage ?? array.dtype} [${array.shape.join(', ')}]`)

describeBinaries('models that quantize_dynamic made', (binary) => {
  let runtime: Runtime
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
  })

  /** No farther from the float32 model than PyTorch is. */
  function check(name: string, ours: ArrayLike | undefined): void {
    expect(distance(ours as ArrayLike, tensor(`${name}/float`))).toBeLessThanOrEqual(QUANTIZED_RATIO * distance(tensor(`${name}/out`), tensor(`${name}/float`)))
  }

  it.each(['lstm', 'lstm-bidirectional', 'lstm-stacked', 'gru'])('%s, alone in its file', async (name) => {
    using model = await load(bytesOf(name), { runtime })
    const { output } = model.run({ input: tensor(`${name}/in`) })
    check(name, output)
  })

  it.each([
    ['classifier', () => sequential([lstm(12, { name: 'rnn', returnSequences: true }), dense(3, { name: 'head' })])],
    ['classifier-per-channel', () => sequential([gru(9, { name: 'rnn', returnSequences: true }), dense(3, { name: 'head' })])],
    ['float16', () => sequential([lstm(7, { name: 'rnn', returnSequences: true }), dense(3, { name: 'head' })])],
    ['cell', () => sequential([lstm(9, { name: 'cell', returnSequences: true })])],
  ] as const)('%s, with its layers', async (name, layers) => {
    using model = await compile(layers().loadStateDict(readTorch(bytesOf(name))).toGraph(), { runtime })
    const { output } = model.run({ input: tensor(`${name}/in`) })
    check(name, output)
  })
})

describe('state dicts of quantize_dynamic', () => {
  it('have the names of torch.nn, and 8 bits', () => {
    expect(described('classifier')).toEqual([
      'head.weight int8 [3, 12]', 'head.bias float32 [3]',
      'rnn.weight_ih_l0 int8 [48, 10]', 'rnn.bias_ih_l0 float32 [48]', 'rnn.weight_hh_l0 int8 [48, 12]', 'rnn.bias_hh_l0 float32 [48]',
    ])
    expect(described('lstm-bidirectional').map((line) => line.split(' ')[0])).toEqual(['l0', 'l0_reverse', 'l1', 'l1_reverse'].flatMap((suffix) => (
      ['weight_ih', 'bias_ih', 'weight_hh', 'bias_hh'].map((name) => `${name}_${suffix}`)
    )))
    expect(described('cell')).toEqual(['cell.weight_ih int8 [36, 6]', 'cell.bias_ih float32 [36]', 'cell.weight_hh int8 [36, 9]', 'cell.bias_hh float32 [36]'])
    expect(described('float16').every((line) => line.includes('float32'))).toBe(true)
  })

  it.each<[name: string, message: RegExp]>([
    ['refused-whole', /^torch: a whole model with quantised modules \(torch\.ao\.nn\.quantized.* is not supported; save its tensors, in Python: torch\.save\(model\.state_dict\(\), path\)$/],
    ['refused-script', /^torch: a whole model with quantised modules/],
    ['refused-static', /^torch: '1\.weight' is of a statically quantised model, whose activations have scales that a state dict does not connect; save the model before/],
    ['refused-directions', /^torch: 'rnn' has either two layers or two directions, and the file does not say which \(input_size = hidden_size = 4\); save the model before/],
  ])('%s', async (name, message) => {
    expectError(() => readTorch(bytesOf(name)), 'UNSUPPORTED', message)
    await expectRejection(load(bytesOf(name)), 'UNSUPPORTED', message)
  })
})
