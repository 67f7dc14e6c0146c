import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { onnx } from '../../src/formats/onnx/index.ts'
import { onlyBytes } from '../../src/formats/reader.ts'
import { mutateMany } from './mutate.ts'

const CASES = 10_000
/** A spread: every LSTM input, folded weights, subgraphs, operators of old and new versions, external data. */
const FILES = [
  'peepholes-bidirectional', 'lens-initial-bidirectional', 'alpha-per-direction', 'layout1-initial', 'weights-slice-opset7', 'weights-float16',
  'if-rank', 'if-lstm-inside', 'torch-last-step', 'external-data', 'op-pad-opset7', 'op-slice-negative-step',
  'quantized/lstm-int8-per-channel', 'quantized/lstm-uint8-zero-points', 'quantized/matmul-uint8', 'quantized/qdq-conv-per-channel', 'quantized/nbits-zeros',
  'quantized/dequantize-blocked', 'torch-list-unbind', 'torch-list-append', 'op-sequence', 'op-sequence-split', 'op-lp-pool-2d-ceil',
  'quantized/qlinear-conv', 'quantized/qgemm', 'quantized/int4-column', 'quantized/qattention-past', 'quantized/embedding-after', 'quantized/integers-alone',
]

const golden = (name: string): Uint8Array => readFileSync(new URL(`../golden/${name.includes('/') ? name : `onnx/${name}`}.onnx`, import.meta.url))
const external = readFileSync(new URL('../golden/onnx/external-data.bin', import.meta.url))

describe('broken ONNX files', () => {
  it.each(FILES.map((name, n): [string, number] => [name, n]))('made of %s.onnx are read or refused', async (name, n) => {
    const { read, refused } = await mutateMany(golden(name), Math.ceil(CASES / FILES.length), n * 1_000_000, (bytes) => {
      onnx.detect(bytes)
      return onnx.read({ ...onlyBytes(bytes), sibling: async () => external }, {})
    })
    expect(read + refused).toBeCloseTo(Math.ceil(CASES / FILES.length), 6)
    expect(refused).toBeGreaterThan(50)
  })
})
