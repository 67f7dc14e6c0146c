// Files that are no models for this library: each is told what it is, and what to do.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { PbfWriter } from 'pbf'
import { describe, expect, it } from 'vitest'
import { load } from '../../src/model/load.ts'
import { LstmError } from '../../src/errors.ts'

const pathOf = (name: string): string => fileURLToPath(new URL(`../golden/foreign/${name}`, import.meta.url))

async function refusalOf(source: string | Uint8Array): Promise<{ code: string, message: string }> {
  const error: unknown = await load(source).then(() => undefined, (reason: unknown) => reason)
  if (!(error instanceof LstmError)) throw new Error(`expected an LstmError, got ${String(error)}`)
  expect(error.message.length).toBeLessThan(600)
  return { code: error.code, message: error.message.replace(/^expected a model file \([^)]*\), got /, '') }
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const latin = (value: string): Uint8Array => Uint8Array.from(value, (char) => char.charCodeAt(0))
const json = (value: unknown): Uint8Array => text(JSON.stringify(value))

/** A protocol buffer: numbers, texts and messages by field. */
function proto(fields: readonly (readonly [number, number | string | Uint8Array])[]): Uint8Array {
  const pbf = new PbfWriter()
  for (const [field, value] of fields) {
    if (typeof value === 'number') pbf.writeVarintField(field, value)
    else if (typeof value === 'string') pbf.writeStringField(field, value)
    else pbf.writeBytesField(field, value)
  }
  return pbf.finish()
}

describe('files that frameworks wrote', () => {
  it.each([
    ['optimiser.pt', 'UNSUPPORTED', /^torch: this is the state of an optimiser .*torch\.save\(model\.state_dict\(\), path\)$/],
    ['checkpoint-1.index', 'UNSUPPORTED', /^this is a checkpoint of TensorFlow 2 .*model\.load_weights\('ckpt'\); model\.save\('model\.keras'\)$/],
    ['checkpoint-1.data-00000-of-00001', 'FORMAT', /^the elements of a TensorFlow checkpoint, .*"checkpoint-1\.index"$/],
    ['frozen.pb', 'FORMAT', /^a graph of TensorFlow \(GraphDef, \.pb\).*python -m tf2onnx\.convert --saved-model FOLDER --output model\.onnx$/],
    ['model.tflite', 'FORMAT', /^a TensorFlow Lite model: .*model\.save\('model\.keras'\)/],
    ['topology.json', 'FORMAT', /^the architecture of a Keras model without its weights .*the option architecture/],
  ])('%s', async (name, code, message) => {
    const refusal = await refusalOf(pathOf(name))
    expect(refusal.message).toMatch(message)
    expect(refusal.code).toBe(code)
  })
})

describe('files by their first bytes', () => {
  it.each<[string, Uint8Array, RegExp]>([
    ['a SavedModel', proto([[1, 1], [2, proto([[1, proto([[4, 'serve']])]])]]), /^a SavedModel of TensorFlow: convert its folder: python -m tf2onnx/],
    ['a tensor', proto([[1, 2], [2, 1], [8, 'input_0'], [9, Uint8Array.of(0, 0, 128, 63, 0, 0, 0, 64)]]), /^a tensor of ONNX \(TensorProto, \.pb\), not a model: .*onnx\.load_tensor/],
    ['a tensor without axes', proto([[2, 7], [7, Uint8Array.of(3)]]), /^a tensor of ONNX/],
    ['a Core ML model', proto([[1, 4], [2, proto([[1, 'x']])], [500, proto([[1, 'layers']])]]), /^a Core ML model/],
    ['an .ort file', latin('\x20\0\0\0ORTM\0\0\0\0'), /^a model of onnxruntime \(\.ort\): load the \.onnx file/],
    ['a program of ExecuTorch', latin('\x20\0\0\0ET12\0\0\0\0'), /^a program of ExecuTorch/],
    ['GGUF', latin('GGUF\x03\0\0\0\0\0\0\0'), /^a model of llama\.cpp/],
    ['an older GGML', latin('lmgg\0\0\0\0\0\0\0\0'), /^a model of llama\.cpp/],
    ['an array', latin('\x93NUMPY\x01\0v\0{}'), /^an array of NumPy \(\.npy\), not a model: lstm-wasm run MODEL --input/],
    ['a pickle', latin('\x80\x04\x95\x05\0\0\0}\x94.'), /^a Python pickle/],
    ['gzip', gzipSync('model'), /gunzip FILE/],
    ['bzip2', latin('BZh91AY&SY'), /bunzip2 FILE/],
    ['xz', latin('\xfd7zXZ\0\0\x04'), /unxz FILE/],
    ['7-Zip', latin("7z\xbc\xaf'\x1c\0\x04"), /^a 7-Zip archive/],
    ['tar', Uint8Array.from({ length: 512 }, (_, n) => 'ustar'.charCodeAt(n - 257) || 0), /tar xf FILE/],
    ['MATLAB', latin('MATLAB 5.0 MAT-file, Platform: GLNXA64'), /exportONNXNetwork/],
    ['a zip archive cut off', latin('PK\x03\x04\x14\0\0\0rest'), /^a zip archive that is cut off after 12 bytes/],
    ['a zip archive of something else', latin('PK\x03\x04\x14\0\0\0notes.txtPK\x05\x06'.padEnd(60, '\0')), /^a zip archive without a model that is known/],
    ['brain.js', json({ type: 'LSTM', options: { inputSize: 3 }, input: {}, hiddenLayers: [] }), /^a network of brain\.js/],
    ['sketch-rnn.js', json([{ version: 6 }, [[4, 3]], ['AAAA']]), /^a model of sketch-rnn\.js/],
    ['the index of safetensors', json({ metadata: {}, weight_map: { a: 'model-00001-of-00002.safetensors' } }), /readSafetensors of lstm-wasm\/safetensors$/],
    ['JSON cut off', text('{"modelTopology": {"class_'), /^JSON that is cut off or broken, after 26 bytes$/],
    ['a list of checkpoints', text('model_checkpoint_path: "model.ckpt-7"\n'), /load the \.index file of one: "model\.ckpt-7\.index"$/],
    ['Git LFS', text('version https://git-lfs.github.com/spec/v1\noid sha256:1\n'), /git lfs pull/],
    ['HTML', text('<!DOCTYPE html><title>Not found'), /^a page of HTML/],
    ['other text', text('hello'), /^5 bytes of text: "hello"$/],
    ['other bytes', latin('GIF89a\0\x01\0\x01'), /^10 bytes that begin with 47 49 46 38 39 61 00 01$/],
    ['nothing', new Uint8Array(0), /^an empty file$/],
  ])('%s', async (_what, bytes, message) => {
    const refusal = await refusalOf(bytes)
    expect(refusal.message).toMatch(message)
    expect(refusal.code).toBe('FORMAT')
  })
})

describe('files that are models', () => {
  it('are models whatever they are called', async () => {
    const source = readFileSync(new URL('../golden/onnx/classifier-last.onnx', import.meta.url))
    const folder = mkdtempSync(join(tmpdir(), 'lstm-wasm-names-'))
    try {
      for (const name of ['model.bin', 'model.data-00000-of-00001', 'group1-shard1of1']) {
        writeFileSync(join(folder, name), source)
        const model = await load(join(folder, name))
        expect(model.inputs.length, name).toBeGreaterThan(0)
        model.dispose()
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
