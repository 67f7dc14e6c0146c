import { readdirSync, readFileSync } from 'node:fs'
import { zipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { sniff, type FormatName } from '../../src/formats/sniff.ts'
import { fileOf } from './traineddata-writer.ts'

const golden = new URL('../golden/', import.meta.url)

/** Files of a folder whose names match. */
function files(folder: string, names: RegExp): string[] {
  return readdirSync(new URL(`${folder}/`, golden)).filter((name) => names.test(name)).map((name) => `${folder}/${name}`)
}

const FORMATS: readonly (readonly [FormatName, readonly string[]])[] = [
  ['safetensors', files('state-dicts', /\.safetensors$/)],
  ['onnx', files('onnx', /\.onnx$/)],
  ['keras', [...files('keras2', /\.(h5|keras)$/), ...files('keras3', /\.(h5|keras)$/)]],
  ['torch', files('pytorch', /\.pth?$/)],
  ['tensorflow1', files('tf1', /\.(index|npz)$/)],
]

describe('sniff', () => {
  it.each(FORMATS)('knows %s files by their content', (format, names) => {
    expect(names.length).toBeGreaterThan(5)
    expect(names.filter((name) => sniff(readFileSync(new URL(name, golden))) !== format)).toEqual([])
  })

  it('knows tfjs models, manifests of weights, and manifests of TensorFlow 1', () => {
    const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
    expect(sniff(json({ modelTopology: {}, weightsManifest: [] }))).toBe('tfjs')
    expect(sniff(json([{ paths: ['a.bin'], weights: [] }]))).toBe('tfjs')
    expect(sniff(json({ a: { filename: 'a', shape: [1] } }))).toBe('tensorflow1')
    expect(sniff(json({ architecture: 'LSTM', weights: [1], config: {} }))).toBe('nam')
    expect(sniff(fileOf(new Map([[17, new Uint8Array(9)]])))).toBe('tesseract')
    expect(sniff(json({ in_shape: [null, null, 1], layers: [] }))).toBe('rtneural')
  })

  it('tells the weights of PyTorch from the variables of TensorFlow 1 in an .npz, by their names', () => {
    const format = (...names: string[]): unknown => sniff(zipSync(Object.fromEntries(names.map((name) => [`${name}.npy`, new Uint8Array(1)]))))
    expect(['weight_ih_l0', 'lstm.weight_hh_l1_reverse', 'cell.weight_ih', 'fc.weight', 'weight'].map((name) => format('a', name))).toEqual(Array(5).fill('torch'))
    expect(['rnn/kernel', 'weights', 'rnn/weight', 'weight_1', 'a.weight_g'].map((name) => format(name))).toEqual(Array(5).fill('tensorflow1'))
  })

  it('knows lists of a state dict, and JSON behind spaces', () => {
    const format = (text: string): unknown => sniff(new TextEncoder().encode(text))
    expect(format('{"rec.weight":[[1]]}')).toBe('rtneural')
    expect(format('{"rec.weight":[[1]],"rec.bias":[1]}')).toBe('rtneural')
    expect(format('{"rec.weight":[[1]],"rec.bias":1}')).toBe(undefined)
    for (const before of [' ', '\n', '\t\r\n  ']) expect(format(`${before}{"layers":[]}`)).toBe('rtneural')
    expect(format('{"model_data":{},"state_dict":{}}')).toBe('rtneural')
    expect(format('{"architecture":"LSTM","weights":[]}')).toBe('nam')
  })

  it('knows nothing of other bytes', () => {
    const texts = ['{}', '[]', '{"architecture":"LSTM"}', '{"model_data":{}}', 'null', '', 'hello', '{"a":1}', '[1,2]', '{', 'PK\x03\x04', '\x08', 'GIF89a'.padEnd(100)]
    expect(texts.map((text) => sniff(new TextEncoder().encode(text)))).toEqual(texts.map(() => undefined))
  })
})
