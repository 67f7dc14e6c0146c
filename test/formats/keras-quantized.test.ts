// The models of test/python/golden_keras_quantized.py, which Keras quantised and ran, beside the float32 models they were made of.
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { Budget } from '../../src/formats/budget.ts'
import { readKeras, readKerasWeights } from '../../src/formats/keras/index.ts'
import { ZipArchive } from '../../src/formats/zip/zip.ts'
import { readSafetensors } from '../../src/formats/safetensors/safetensors.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { compile } from '../../src/model/load.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import type { ArrayLike } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { writeStored } from '../fuzz/stored-zip.ts'
import '../guards.ts'
import { distance, int8In } from '../quantized-outputs.ts'
import { PYTORCH_DISTANCE, QUANTIZED_RATIO } from '../tolerance.ts'
import { describeBinaries, runtimeOf } from '../variants.ts'

const folder = new URL('../golden/keras-quantized/', import.meta.url)
const { cases } = JSON.parse(readFileSync(new URL('cases.json', folder), 'utf8')) as { cases: { name: string, file: string }[] }
const { tensors } = readSafetensors(readFileSync(new URL('cases.safetensors', folder)))

const graphOf = (name: string): Graph => readKeras(readFileSync(new URL(cases.find((one) => one.name === name)?.file ?? '', folder)))
const tensor = (name: string): ArrayLike => tensors.get(name) as ArrayLike

/** EinsumDense as it is trained. */
const FLOAT = ['einsum', 'einsum-lstm']

describeBinaries('models that Keras quantised', (binary) => {
  let runtime: Runtime
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
  })

  it.each(cases.map(({ name }) => name))('%s is as near to the float32 model as in Keras', async (name) => {
    using model = await compile(graphOf(name), { runtime })
    const { result } = model.run({ words: tensor(`${name}/in/words`) })
    const [theirs, float] = [tensor(`${name}/out/result`), tensor(`${name}/float/result`)]
    if (!FLOAT.includes(name)) expect(distance(result as ArrayLike, float)).toBeLessThanOrEqual(QUANTIZED_RATIO * distance(theirs, float))
    // Keras quantises activations of int8 models row by row, as we do; weights in several blocks are widened here.
    if (name !== 'int4' && name !== 'int4-per-channel') expect(distance(result as ArrayLike, theirs)).toBeLessThanOrEqual(PYTORCH_DISTANCE)
  })
})

describe('integers of Keras', () => {
  it.each<[name: string, constants: string]>([
    ['int8', '11x6@0 9x13@0 3x9@0'],
    ['int4', '11x5@0 9x13@0 3x9@0'],
    ['int4-per-channel', '11x7@0 9x12@0 3x9@0'],
    ['int4-blocks', ''],
    ['int8-einsum', '12x6@0 5x12@0 6x5@0 6x6@0 6x6@0 6x6@0 6x6@0'],
    ['einsum', ''],
    ['int8-heads', '6x5@0 6x5@0 8x5@0 5x8@0 3x5@0'],
  ])('%s', (name, constants) => {
    const graph = graphOf(name)
    expect(int8In(graph).join(' ')).toBe(constants)
  })
})

describe('what is refused', () => {
  it('attention of several heads in 4 bits', () => {
    expectError(() => readKeras(readFileSync(new URL('int4-heads.h5', folder))), 'UNSUPPORTED', /layer 'multi_head_attention\w*' \(MultiHeadAttention\): weights of 4 bits \(model\.quantize\('int8'\) writes some of 8, which load\)$/)
  })

  /** The archive with other words in its description. */
  function described(name: string, from: string | RegExp, to: string): Uint8Array {
    const archive = new ZipArchive(readFileSync(new URL(`${name}.keras`, folder)), 'Keras', { budget: new Budget(2 ** 20) })
    const config = new TextDecoder().decode(archive.read('config.json'))
    const changed = config.replace(from, to)
    expect(changed).not.toBe(config)
    return writeStored(new Map([['config.json', new TextEncoder().encode(changed)], ['model.weights.h5', archive.read('model.weights.h5')]]))
  }

  it.each<[what: string, code: 'FORMAT' | 'UNSUPPORTED', file: () => Uint8Array, message: RegExp]>([
    ['kernels of 4 bits that are said to have 8', 'FORMAT', () => described('int4-per-channel', /int4\/-1/g, 'int8'), /layer 'table' \(Embedding\): expected embeddings \[11, 7\], got \[11, 4\]$/],
    ['8 bits that are said to be 4', 'FORMAT', () => described('int8', /"mode": "int8"/g, '"mode": "int4"'), /layer 'table' \(Embedding\): expected embeddings \[11, 3\], got \[11, 6\]$/],
    ['blocks in another order', 'UNSUPPORTED', () => described('int4-blocks', /int4\/4"/g, 'int4/5"'), /layer 'table' \(Embedding\): blocks in another order$/],
    ['blocks of another size', 'FORMAT', () => described('int4', /int4\/128"/g, 'int4/3"'), /layer 'table' \(Embedding\): expected scales \[11, 2\], got \[11, 1\]$/],
    ['blocks of none', 'UNSUPPORTED', () => described('int4-blocks', /int4\/4"/g, 'int4/0"'), /quantised weights \(dtype policy int4\/0_from_float32\)/],
    ['layers whose integers are not read', 'UNSUPPORTED', () => described('int8-einsum', /"mode": "int8"/, '"mode": "int4"'), /layer 'heads' \(EinsumDense\): quantised weights \(dtype policy int4_from_float32\)/],
    ['float32 that is said to be integers', 'FORMAT', () => described('einsum-lstm', /"name": "result", "trainable": true, "dtype": \{/, '"name": "result", "trainable": true, "dtype": {"class_name": "QuantizedDTypePolicy", "config": {"mode": "int8", "source_name": "float32"}}, "other": {'), /layer 'result' \(EinsumDense\): the file has no weights for its kernel_scale$/],
    ['no equation', 'FORMAT', () => described('einsum-lstm', 'abc,cde->abde', 'abc->abc'), /layer 'result' \(EinsumDense\): expected an equation for an input with 3 axes for 'equation', got "abc->abc"$/],
    ['an equation of fewer axes', 'FORMAT', () => described('einsum-lstm', 'abc,cde->abde', 'bc,cde->bde'), /expected an equation for an input with 3 axes/],
    ['a kernel of other axes', 'FORMAT', () => described('einsum-lstm', 'abc,cde->abde', 'abc,cd->abd'), /layer 'result' \(EinsumDense\): expected a kernel with 2 axes, got 3$/],
    ['a sum that is no dense layer', 'UNSUPPORTED', () => described('einsum-lstm', 'abc,cde->abde', 'abc,cde->ade'), /layer 'result' \(EinsumDense\): the equation 'abc,cde->ade', which is no dense layer$/],
    ['a product along an axis that stays', 'UNSUPPORTED', () => described('einsum-lstm', 'abc,cde->abde', 'abc,cbd->abd'), /which is no dense layer$/],
    ['low-rank additions', 'UNSUPPORTED', () => described('einsum-lstm', '"equation": "abc,cde->abde"', '"equation": "abc,cde->abde", "lora_rank": 2'), /low-rank additions \(lora_rank\)/],
  ])('%s', (_what, code, file, message) => {
    expectError(() => readKeras(file()), code, message)
  })

  it('weights alone, which no state dict has', () => {
    expectError(() => readKerasWeights(readFileSync(new URL('int8.keras', folder))), 'UNSUPPORTED', /^Keras: the weights of 'dense' are quantised: no state dict has them; load the whole model/)
  })
})
