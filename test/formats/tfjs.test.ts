import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { onlyBytes, type KerasDialect, type ModelFiles } from '../../src/formats/reader.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { readTfjsWeights, tfjs } from '../../src/formats/tfjs/index.ts'
import { expectRejection } from '../expect-error.ts'

const golden = (name: string): Uint8Array => readFileSync(new URL(`../golden/tfjs/${name}`, import.meta.url))
const bytesOf = (json: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(json))
const model = JSON.parse(new TextDecoder().decode(golden('lstm-3/model.json'))) as { modelTopology: unknown, weightsManifest: Record<string, unknown>[] }

function files(json: unknown, shard: (name: string) => Uint8Array = (name) => golden(`lstm-3/${name}`)): ModelFiles {
  return { bytes: bytesOf(json), name: 'model.json', sibling: async (name) => shard(name) }
}

/** A manifest of one weight, in 8 bytes. */
function one(weight: unknown, bytes: Uint8Array = new Uint8Array(8)): ModelFiles {
  return files([{ paths: ['a'], weights: [weight] }], () => bytes)
}

it('model.json is told from other JSON', () => {
  expect(tfjs.detect(golden('lstm-3/model.json'))).toBe(true)
  expect(tfjs.detect(golden('basic-lstm-cell/weights_manifest.json'))).toBe(true)
  expect([{ layers: [] }, [1], [], [{ path: 'x' }], { name: { filename: 'x' } }].map((json) => tfjs.detect(bytesOf(json)))).toEqual([false, false, false, false, false])
  expect(tfjs.detect(bytesOf([{ name: 'x' }, { paths: ['a'], weights: [] }]))).toBe(true)
  expect(tfjs.detect(new TextEncoder().encode('{"modelTopology":'))).toBe(false)
})

describe('who trained the model decides', () => {
  const { keras_version: own, ...topology } = model.modelTopology as Record<string, unknown>
  const written = (generatedBy: unknown, version: unknown, dialect?: KerasDialect): Promise<Graph> => (
    tfjs.read(files({ ...model, generatedBy, modelTopology: { ...topology, keras_version: version } }), dialect === undefined ? {} : { dialect })
  )
  const alphaOf = ({ nodes }: Graph): unknown => (nodes.find(({ op }) => op === 'lstm')?.attributes.activationAlpha as number[])[0]

  it.each([
    ['TensorFlow.js tfjs-layers v4.22.0', 'tfjs-layers 4.22.0', 'tfjs', 0.2, 'the file is of TensorFlow.js tfjs-layers v4.22.0'],
    [undefined, 'tfjs-layers 4.22.0', 'tfjs', 0.2, 'the file is of TensorFlow.js tfjs-layers 4.22.0'],
    ['TensorFlow.js tfjs-layers v1.0.0', '2.2.4', 'tfjs', 0.2, 'the file is of TensorFlow.js tfjs-layers v1.0.0'],
    [undefined, undefined, 'tfjs', 0.2, 'the file does not say who wrote it'],
    ['keras v2.15.0', '2.15.0', 'keras2', 0.2, 'the file is of Keras 2.15.0'],
    [undefined, '2.2.4', 'keras2', 0.2, 'the file is of Keras 2.2.4'],
    ['keras v3.15.1', '3.15.1', 'keras3', 1 / 6, 'the file is of Keras 3.15.1'],
    ['keras v3.3.3', undefined, 'keras3.0', 1 / 6, 'the file is of Keras 3.3.3'],
  ])('%s, %s: %s', async (generatedBy, version, dialect, alpha, words) => {
    const graph = await written(generatedBy, version)
    expect(graph.notes?.[0]).toMatch(new RegExp(`^dialect ${dialect}, the numbers of [\\w .]+: ${words}$`))
    expect(alphaOf(graph)).toBe(alpha)
  })

  it('but for the option', async () => {
    expect(alphaOf(await written('keras v2.15.0', '2.15.0', 'keras3'))).toBe(1 / 6)
    await expectRejection(written('keras v2.15.0', '2.15.0', 'keras4' as KerasDialect), 'VALUE', /^TensorFlow.js: expected 'keras2' or /)
    expect(own).toMatch(/^tfjs-layers/)
  })
})

describe('shards', () => {
  it('that are missing, short or long are errors', async () => {
    await expectRejection(tfjs.read(onlyBytes(bytesOf(model)), {}), 'ENVIRONMENT', /^the model refers to the file "/)
    await expectRejection(tfjs.read(files(model, (name) => golden(`lstm-3/${name}`).subarray(4)), {}), 'FORMAT', /^TensorFlow\.js: expected 336 bytes in the shards "[^"]*", got 332$/)
    await expectRejection(tfjs.read(files(model, () => new Uint8Array(300)), {}), 'FORMAT', /expected 336 bytes in the shards "[^"]*", got 300$/)
  })

  it('are read once each', async () => {
    const [group] = model.weightsManifest
    await expectRejection(tfjs.read(files({ ...model, weightsManifest: [group, group] }), {}), 'FORMAT', /^TensorFlow\.js: the shard "[^"]*" stands twice in the manifest$/)
  })
})

describe('weights', () => {
  it.each([
    ['float32', { dtype: 'float32', shape: [2] }, Float32Array.of(1.5, -2), [1.5, -2]],
    ['int32', { dtype: 'int32', shape: [2] }, Int32Array.of(7, -2), [7, -2]],
    ['uint8 of float32', { dtype: 'float32', shape: [2], quantization: { dtype: 'uint8', scale: 0.5, min: -1 } }, Uint8Array.of(0, 255), [-1, 126.5]],
    ['uint16 of float32', { dtype: 'float32', shape: [2], quantization: { dtype: 'uint16', scale: 0.25, min: 1 } }, Uint16Array.of(0, 65535), [1, 16384.75]],
    ['uint8 of int32', { dtype: 'int32', shape: [2], quantization: { dtype: 'uint8', scale: 1.5, min: 0 } }, Uint8Array.of(1, 3), [2, 5]],
    ['float16', { dtype: 'float32', shape: [2], quantization: { dtype: 'float16' } }, Uint16Array.of(0x3c00, 0xc000), [1, -2]],
    ['bool', { dtype: 'bool', shape: [2] }, Uint8Array.of(1, 0), [1, 0]],
  ])('as %s', async (_what, spec, stored, expected) => {
    const tensors = await readTfjsWeights(one({ name: 'w', ...spec }, new Uint8Array(stored.buffer)))
    expect([...tensors.get('w')?.data ?? []]).toEqual(expected)
  })

  it.each([
    ['a negative size', { name: 'w', dtype: 'float32', shape: [-1] }, 'FORMAT', /expected a shape for 'w'/],
    ['a size beyond all files', { name: 'w', dtype: 'float32', shape: [2 ** 40, 2 ** 40] }, 'FORMAT', /has more elements than can be$/],
    ['more elements than there are bytes', { name: 'w', dtype: 'float32', shape: [1000000000] }, 'FORMAT', /expected 4000000000 bytes in the shards "a", got 8$/],
    ['another dtype', { name: 'w', dtype: 'complex64', shape: [1] }, 'UNSUPPORTED', /'w' has dtype "complex64"; supported are /],
    ['another quantisation', { name: 'w', dtype: 'float32', shape: [8], quantization: { dtype: 'int4' } }, 'UNSUPPORTED', /'w' is quantised to "int4"/],
    ['no scale', { name: 'w', dtype: 'float32', shape: [8], quantization: { dtype: 'uint8' } }, 'FORMAT', /expected a scale and a min for 'w'/],
    ['no name', { dtype: 'float32', shape: [2] }, 'FORMAT', /expected a weight with a name, got Object$/],
  ] as const)('with %s are refused', async (_what, weight, code, message) => {
    await expectRejection(readTfjsWeights(one(weight)), code, message)
  })
})

describe('what is no layers model is refused', () => {
  it('graph models, with what to do instead', async () => {
    await expectRejection(tfjs.read(files({ format: 'graph-model', modelTopology: {}, weightsManifest: [] }), {}), 'UNSUPPORTED', /this is a graph model, .*tfjs_layers_model/)
  })

  it('weights alone, with the names of the tensors', async () => {
    await expectRejection(tfjs.read(files({ weightsManifest: model.weightsManifest }), {}), 'UNSUPPORTED', /^TensorFlow\.js: this file holds weights, but not how they are connected[^]*recurrent_kernel float32 \[3, 12\]/)
  })

  it('other JSON, and what is none', async () => {
    await expectRejection(tfjs.read(files({}), {}), 'FORMAT', 'TensorFlow.js: expected a weightsManifest, got null')
    await expectRejection(tfjs.read(onlyBytes(new TextEncoder().encode('{')), {}), 'FORMAT', /^TensorFlow\.js: model\.json is not JSON: /)
  })
})

describe('weights that no layer reads', () => {
  const [group] = model.weightsManifest as [{ paths: string[], weights: object[] }]
  const extended = (weight: object): ModelFiles => files(
    { ...model, weightsManifest: [group, { paths: ['more'], weights: [weight] }] }, (name) => (name === 'more' ? new Uint8Array(8) : golden(`lstm-3/${name}`)),
  )

  it('are refused by name', async () => {
    await expectRejection(tfjs.read(extended({ name: 'lstm/extra', shape: [2], dtype: 'float32' }), {}), 'FORMAT', /^Keras: no layer reads 'lstm\/extra', which is a tensor of the file/)
  })

  it('may be the optimizer\'s', async () => {
    const more = extended({ name: 'training/SGD/kernel', shape: [2], dtype: 'float32', group: 'optimizer' })
    expect((await tfjs.read(more, {})).notes).toEqual((await tfjs.read(files(model), {})).notes)
    expect([...(await readTfjsWeights(more)).keys()]).not.toContain('training/SGD/kernel')
  })
})
