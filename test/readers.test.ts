// What each reader that can be imported takes: whatever `load` does.
import { readFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { NdArray } from '../src/values/ndarray.ts'
import { readKeras, readKerasWeights } from '../src/readers/keras.ts'
import { namSampleRate, readNam } from '../src/readers/nam.ts'
import { readNpy, writeNpy } from '../src/readers/npy.ts'
import { readOnnx } from '../src/readers/onnx.ts'
import { readRtneural, readRtneuralStateDict } from '../src/readers/rtneural.ts'
import { readSafetensors } from '../src/readers/safetensors.ts'
import { readTensorflow1, readTensorflow1Variables } from '../src/readers/tensorflow1.ts'
import { readTfjs, readTfjsStateDict, readTfjsWeights } from '../src/readers/tfjs.ts'
import { readTorch } from '../src/readers/torch.ts'
import type { ModelSource } from '../src/model/source.ts'
import { expectError, expectRejection } from './expect-error.ts'
import { pseudoRandom } from './random.ts'

const golden = (name: string): string => fileURLToPath(new URL(`golden/${name}`, import.meta.url))
const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
const nested = (seed: number, rows: number, columns: number): number[][] => (
  Array.from({ length: rows }, (_, row) => [...pseudoRandom(seed + row, columns, 0.5)])
)
const NAM = json({ architecture: 'LSTM', config: { input_size: 1, hidden_size: 1, num_layers: 1 }, weights: [...pseudoRandom(1, 16, 0.5)], sample_rate: 44100 })
const STATE_DICT = json({ weight_ih_l0: nested(1, 4, 1), weight_hh_l0: nested(2, 4, 1), bias_ih_l0: [0, 0, 0, 0], bias_hh_l0: [0, 0, 0, 0] })

/** What each reads: bytes, or a file with others beside it. */
const READERS: readonly (readonly [name: string, read: (source: ModelSource) => unknown, file: string | Uint8Array])[] = [
  ['readSafetensors', readSafetensors, 'lines/own.safetensors'],
  ['readTorch', readTorch, 'lines/own.pt'],
  ['readKeras', readKeras, 'keras3/lstm-3-sequences.keras'],
  ['readKerasWeights', readKerasWeights, 'keras3/lstm-3-sequences.weights.h5'],
  ['readOnnx', readOnnx as (source: ModelSource) => unknown, 'onnx/Affine-f.onnx'],
  ['readNpy', readNpy, writeNpy(new NdArray(Float32Array.of(1, 2, 3), [3]))],
  ['readNam', readNam, NAM],
  ['namSampleRate', namSampleRate, NAM],
  ['readRtneural', readRtneural, STATE_DICT],
  ['readRtneuralStateDict', readRtneuralStateDict, STATE_DICT],
  ['readTensorflow1', readTensorflow1, 'tf1/basic-5.index'],
  ['readTensorflow1Variables', readTensorflow1Variables, 'tf1/basic-5.index'],
  ['readTfjs', readTfjs, 'tfjs/lstm-3/model.json'],
  ['readTfjsWeights', readTfjsWeights, 'tfjs/lstm-3/model.json'],
  ['readTfjsStateDict', readTfjsStateDict, 'tfjs/lstm-3/model.json'],
]
const LATE = /^read(Tensorflow1|Tfjs)/

describe.each(READERS)('%s', (name, read, file) => {
  const bytes = typeof file === 'string' ? new Uint8Array(readFileSync(golden(file))) : file

  it.skipIf(typeof file !== 'string')('reads a path and a URL', async () => {
    const result = await read(golden(file as string))
    expect(await read(pathToFileURL(golden(file as string)))).toEqual(result)
    if (!LATE.test(name)) expect(read(bytes)).toEqual(result)
  })

  it.skipIf(LATE.test(name))('reads bytes and buffers at once, Blobs and Responses later', async () => {
    const result = read(bytes)
    expect(result).not.toBeInstanceOf(Promise)
    expect(read(bytes.slice().buffer)).toEqual(result)
    expect(await read(new Blob([bytes as Uint8Array<ArrayBuffer>]))).toEqual(result)
    expect(await read(new Response(bytes as Uint8Array<ArrayBuffer>))).toEqual(result)
  })

  it('fails with errors of this library, that say where', async () => {
    await expectRejection(Promise.resolve(read('no such file')), 'ENVIRONMENT', 'cannot read "no such file": no such file')
    await expectRejection(Promise.resolve(read(5 as unknown as string)), 'VALUE', `${name}: expected a path, URL, bytes, Blob or Response, got 5`)
    const garbage = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9)
    if (LATE.test(name)) await expectRejection(Promise.resolve(read(garbage)), 'FORMAT', /./)
    else expectError(() => read(garbage), 'FORMAT', /./)
  })
})
