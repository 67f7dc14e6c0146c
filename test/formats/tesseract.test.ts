import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { charactersOf } from '../../src/formats/tesseract/line-characters.ts'
import { readTraineddata, tesseract } from '../../src/formats/tesseract/reader.ts'
import { sniff } from '../../src/formats/sniff.ts'
import { Int8Weights } from '../../src/ops/products/narrow-weights.ts'
import { compile, load } from '../../src/model/load.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError, expectRejection } from '../expect-error.ts'
import { pseudoRandom } from '../random.ts'
import { describeBinaries, runtimeOf } from '../variants.ts'
import { reference } from './traineddata-reference.ts'
import {
  componentsOf, convolve, dense, fileOf, input, joined, lstm, matrix, maxpool, series, turned, written, type WrittenFile, type WrittenLayer,
} from './traineddata-writer.ts'

const CHARACTERS = { characters: ['NULL', 'Joined', '|Broken|0|1', 'a', 'b', 'fi', '한'], codes: [[1], [0], [0], [2], [3], [-1, 3], [4, 1, 5]] }

/** The family of Tesseract's own networks, smaller; odd sizes. */
const usual = (kind: 'int8' | 'float64'): WrittenLayer => series(
  input(8), series(convolve(1, 1), dense('Tanh', matrix(1, 3, 10, kind))), maxpool(3, 2), turned('XYTranspose', lstm('SummLSTM', 2, 3, 5, kind)),
  lstm('LSTM', 3, 5, 4, kind), turned('RTLReversed', lstm('LSTM', 4, 4, 3, kind)), dense('Softmax', matrix(5, 6, 4, kind)),
)

/** Everything else that the reader knows: windows of several channels, LSTMs along both axes of pictures, heights that shrink to one row. */
const unusual = (kind: 'int8' | 'float64'): WrittenLayer => series(
  input(9), series(convolve(0, 1), dense('Relu', matrix(1, 2, 4, kind))), series(convolve(2, 1), dense('Logistic', matrix(2, 3, 31, kind))), maxpool(1, 2),
  turned('XYTranspose', turned('RTLReversed', lstm('LSTM', 3, 3, 2, kind))), lstm('LSTM', 4, 2, 3, kind), maxpool(2, 4), dense('Linear', matrix(6, 5, 4, kind)),
  turned('RTLReversed', lstm('LSTM', 7, 5, 4, kind)), dense('Tanh', matrix(8, 4, 5, kind)), dense('Softmax', matrix(9, 6, 5, kind)),
)

const small = (more: Partial<WrittenFile> = {}): WrittenFile => ({ network: usual('int8'), ...CHARACTERS, ...more })

function picture(height: number, width: number): NdArray {
  return new NdArray(pseudoRandom(width, height * width, 1), [1, height, width, 1])
}

function expectedOf(network: WrittenLayer, { data, shape: [, height = 0, width = 0] }: NdArray): number[] {
  return reference(network, Array.from({ length: height }, (_, y) => Array.from({ length: width }, (_x, x) => [data[y * width + x] as number]))).flat(2)
}

describeBinaries('traineddata', (binary) => {
  it.each([['usual', usual, 8], ['unusual', unusual, 9]] as const)('%s layers, of 8 bits and of float64: as in float64', async (_, make, height) => {
    const runtime = await runtimeOf(binary)
    for (const kind of ['int8', 'float64'] as const) {
      const network = make(kind)
      for (const width of [7, 20, 31]) {
        using model = await compile(readTraineddata(written(small({ network })), { weights: 'float32' }).graph, { runtime })
        const pixels = picture(height, width)
        const { probs } = model.run({ pixels })
        const expected = expectedOf(network, pixels)
        expect(probs?.data.length).toBe(expected.length)
        expect(Math.max(...expected.map((value, n) => Math.abs(value - (probs?.data[n] ?? NaN))))).toBeLessThan(2e-6)
      }
    }
  })

  it('with 8 bits kept: products of 8 bits, near to those of float32', async () => {
    const runtime = await runtimeOf(binary)
    using model = await compile(readTraineddata(written(small())).graph, { runtime })
    const pixels = picture(8, 30)
    const { probs } = model.run({ pixels })
    const distances = expectedOf(usual('int8'), pixels).map((value, n) => Math.abs(value - (probs?.data[n] ?? NaN)))
    expect(Math.max(...distances)).toBeLessThan(0.02)
  })
})

describe('traineddata files', () => {
  it('keep their integers and scales, gates in the order i, f, g, o', () => {
    const [narrow, wide] = [readTraineddata(written(small())).graph, readTraineddata(written(small()), { weights: 'float32' }).graph]
    expect([...narrow.constants.keys()]).toEqual([...wide.constants.keys()])
    const of8bits = [...narrow.constants].filter(([, constant]) => constant instanceof Int8Weights).map(([name]) => name)
    expect(of8bits).toEqual([
      'SummLSTM2.inputWeights', 'SummLSTM2.recurrentWeights', 'LSTM3.inputWeights', 'LSTM3.recurrentWeights', 'LSTM4.inputWeights', 'LSTM4.recurrentWeights', 'Softmax.weight',
    ])
    for (const [name, { data }] of narrow.constants) expect([...data]).toEqual([...wide.constants.get(name)?.data ?? []])
  })

  it('say their characters and codes; what stands for no character is never written, nor is what another is written for', () => {
    const { spec, characters, codes, nullCode, height } = readTraineddata(written(small()))
    expect({ spec, nullCode, height }).toEqual({ spec: '[1,8,0,1 a test]', nullCode: 0, height: 8 })
    expect(characters).toEqual([' ', 'Joined', '|Broken|0|1', 'a', 'b', 'fi', '한'])
    expect(codes).toEqual([[1], [], [], [2], [3], [], [4, 1, 5]])
    const later = readTraineddata(written(small({ codes: [[1], [0], [0], [2], [-1, 3], [3], [4, 1, 5]] })))
    expect(later.codes[4]).toEqual([])
    expect(later.codes[5]).toEqual([3])
  })

  it('are told by content, in gzip too, and load; save() keeps the characters', async () => {
    const bytes = written(small())
    expect(sniff(bytes)).toBe('tesseract')
    for (const file of [bytes, new Uint8Array(gzipSync(bytes)), withName(gzipSync(bytes))]) {
      expect(tesseract.detect(file)).toBe(true)
      using model = await load(file)
      expect(model.summary()).toContain("note    Tesseract's recogniser of lines (not pages) [1,8,0,1 a test]: 4 characters")
      using saved = await load(model.save())
      const { graph, height, ...line } = readTraineddata(bytes)
      expect(charactersOf(saved.toGraph())).toEqual(line)
      expect(charactersOf(graph)).toEqual(line)
      expect(height).toBe(8)
      const pixels = picture(8, 20)
      expect(saved.run({ pixels }).probs).toEqual(model.run({ pixels }).probs)
    }
    for (const other of [new Uint8Array(0), new TextEncoder().encode('{"layers":[]}'), gzipSync('other'), gzipSync(new Uint8Array(5000)), bytes.subarray(0, 100), gzipSync(bytes).subarray(0, 15)]) {
      expect(tesseract.detect(other)).toBe(false)
    }
    await expectRejection(load(gzipSync('other')), 'FORMAT', /gunzip/)
    await expectRejection(load(bytes, { unbatched: true }), 'VALUE', /^traineddata: no option 'unbatched'/)
  })

  it.each<[string, WrittenFile | Uint8Array, RegExp]>([
    ['a file of the legacy engine', fileOf(new Map([[1, new Uint8Array(9)], [3, new Uint8Array(70)]])), /^traineddata: a file without a network: it is for Tesseract's legacy engine only, as osd is; take that of a language/],
    ['characters inside the network', fileOf(new Map([...componentsOf(small())].filter(([n]) => n !== 22))), /expected lstm-unicharset and lstm-recoder beside the network: a format before Tesseract 4.0/],
    ['more than one LSTM that is turned', small({ network: series(input(8), turned('RTLReversed', lstm('LSTM', 1, 1, 2), lstm('LSTM', 2, 2, 2))) }), /"RTLReversed" \(RTLReversed\) turns LSTM, LSTM, not one LSTM/],
    ['2-D LSTMs', small({ network: series(input(8), { ...lstm('LSTM', 1, 1, 2), numbers: [1 + 2 * 2] }) }), /"LSTM1" \(LSTM\) is a 2-D LSTM.* \(the network is \[1,8,0,1 a test\]\)$/],
    ['checkpoints', small({ network: { ...usual('int8'), training: 1 } }), /a checkpoint of a training: .*--stop_training/],
    ['other layers', small({ network: series(input(8), { type: 'ParBidiLSTM', stack: [] }) }), /a layer of type "ParBidiLSTM"; supported are layers as in \[1,36,0,1Ct3,3.* \(the network is \[1,8,0,1 a test\]\)$/],
    ['types by number', small({ network: { ...usual('int8'), code: 9 } }), /a layer of type 9, by number: a format before/],
    ['matrices of an old format', small({ network: series(input(8), { ...dense('Tanh', matrix(1, 2, 2)), mode: 5 }) }), /weights of mode 5 in "Tanh" \(Tanh\): a format before Tesseract 4.0/],
    ['colours', small({ network: series(input(8, 3)) }), /pictures of height 8 in 3 colours; supported are grey ones of height 1 to 256/],
    ['any height', small({ network: series(input(0)) }), /pictures of height 0 \(any\)/],
    ['windows over lines', small({ network: series(input(1), lstm('LSTM', 1, 1, 2), maxpool(2, 1)) }), /"Maxpool" \(Maxpool\) slides over a line; supported are/],
    ['a window alone', small({ network: series(input(8), convolve(1, 1), maxpool(2, 2)) }), /"Convolve" \(Convolve\) without a layer with weights after it; supported are/],
    ['sums along lines', small({ network: series(input(8), lstm('SummLSTM', 1, 1, 2)) }), /"SummLSTM1" \(SummLSTM\) runs along x of a picture; supported are/],
    ['turned windows', small({ network: series(input(8), turned('XYTranspose', maxpool(2, 2))) }), /"XYTranspose" \(XYTranspose\) turns Maxpool, not one LSTM; supported are/],
    ['pictures at the end', small({ network: series(input(8), dense('Softmax', matrix(1, 6, 2))) }), /expected a line of probabilities \(Softmax\) at the end, got a height of 8/],
    ['no probabilities', small({ network: series(input(1), lstm('LSTM', 1, 1, 2)) }), /expected a line of probabilities \(Softmax\) at the end, got none/],
  ])('refuse %s by name', (_, file, message) => {
    expectError(() => readTraineddata(file instanceof Uint8Array ? file : written(file)), 'UNSUPPORTED', message)
  })

  it.each<[string, WrittenFile | Uint8Array, RegExp]>([
    ['no file', new Uint8Array(3), /expected the number of components and their offsets/],
    ['more characters than lines', fileOf(componentsOf(small()).set(21, new TextEncoder().encode('900\na 0\n'))), /expected 1 to 2 for the number of characters in lstm-unicharset, got 900/],
    ['endless lines', fileOf(componentsOf(small()).set(21, new Uint8Array(2e6).fill(10))), /lstm-unicharset: a file of \d+ bytes that unpacks to more than \d+ is not read/],
    ['no number of characters', fileOf(componentsOf(small()).set(21, new TextEncoder().encode('x\na 0\n'))), /expected 1 to 2 for the number of characters in lstm-unicharset, got NaN/],
    ['an empty character', small({ characters: [...CHARACTERS.characters.slice(0, 6), ''] }), /lstm-unicharset: expected a character in line 8, got " 0 Common 0"/],
    ['no UTF-8', fileOf(componentsOf(small()).set(21, Uint8Array.of(49, 10, 255, 10))), /expected text in UTF-8 for lstm-unicharset/],
    ['too few codes', small({ codes: CHARACTERS.codes.slice(1) }), /lstm-recoder: expected a code for each of 7 characters, got 6/],
    ['codes of no outputs', small({ codes: CHARACTERS.codes.map((code, n) => (n === 3 ? [6] : code)) }), /expected 0 to 5 for outputs in the code of character 3, got 6/],
    ['endless codes', small({ codes: CHARACTERS.codes.map((code, n) => (n === 3 ? Array<number>(10).fill(1) : code)) }), /expected 0 to 9 for the parts of the code of character 3, got 10/],
    ['a null output that is none', small({ nullCode: 6 }), /expected 0 to 5 for the null output, got 6/],
    ['a huge matrix', small({ network: series(input(8), dense('Tanh', { ...matrix(1, 2, 2), rows: 2 ** 31, columns: 2 ** 31 })) }), /expected 4611686018427388000 bytes of "Tanh" \(Tanh\) at byte \d+, got \d+: the file is cut off, or lies/],
    ['a matrix of nothing', small({ network: series(input(8), dense('Tanh', matrix(1, 2, 1))) }), /expected weights of 2 x 2 in "Tanh" \(Tanh\), got 2 x 1/],
    ['too few scales', small({ network: series(input(8), dense('Tanh', { ...matrix(1, 2, 2), scales: Float64Array.of(1) })) }), /expected 2 to Infinity for the scales of "Tanh" \(Tanh\), got 1/],
    ['no numbers', small({ network: series(input(8), dense('Tanh', { ...matrix(1, 1, 2), scales: Float64Array.of(NaN) })) }), /expected finite numbers in "Tanh" \(Tanh\), got NaN at element 0/],
    ['gates that differ', small({ network: series(input(8), { ...lstm('LSTM', 1, 1, 2), matrices: [2, 2, 3, 2].map((rows) => matrix(1, rows, 4)) }) }), /expected weights of 2 x 4 in "LSTM1" \(LSTM\), got 2 x 4, 2 x 4, 3 x 4, 2 x 4, 3 inputs/],
    ['other inputs than there are', small({ network: series(input(1), dense('Softmax', matrix(1, 6, 3))) }), /expected weights of 6 x 2 in "Softmax" \(Softmax\), got 6 x 3/],
    ['no input', small({ network: series(maxpool(2, 2)) }), /expected one Input, before all others, got "Maxpool" \(Maxpool\)/],
    ['two inputs', small({ network: series(input(8), input(8)) }), /expected one Input, before all others, got "Input" \(Input\)/],
    ['a window that is too high', small({ network: series(input(8), maxpool(2, 9)) }), /expected 1 to 8 for the height of "Maxpool" \(Maxpool\), got 9/],
    ['a window of nothing', small({ network: series(input(8), maxpool(0, 2)) }), /expected 1 to 4096 for the width of "Maxpool" \(Maxpool\), got 0/],
    ['layers after the last', small({ network: series(usual('int8'), dense('Tanh', matrix(1, 2, 7))) }), /expected nothing after the probabilities, got "Tanh" \(Tanh\)/],
    ['an LSTM of other inputs', small({ network: series(input(1), { ...lstm('LSTM', 1, 1, 2), numbers: [4] }) }), /expected weights of 2 x 4 in "LSTM1" \(LSTM\), got 2 x 4, 2 x 4, 2 x 4, 2 x 4, 4 inputs/],
    ['a matrix without rows', small({ network: series(input(8), dense('Tanh', matrix(1, 0, 2))) }), /expected weights of 1 x 2 in "Tanh" \(Tanh\), got 0 x 2/],
    ['windows of less than nothing', small({ network: series(input(8), convolve(-1, -1), dense('Tanh', matrix(1, 2, 2))) }), /expected 0 to 65536 for the sizes of "Convolve" \(Convolve\), got -1/],
    ['floats without columns', small({ network: series(input(8), dense('Tanh', { rows: 2 ** 31, columns: 0, floats: new Float64Array(0) })) }), /expected weights of 2147483648 x 2 in "Tanh" \(Tanh\), got 2147483648 x 0/],
    ['deep networks', small({ network: Array.from({ length: 40 }).reduce<WrittenLayer>((inner) => series(inner), input(8)) }), /expected 0 to 16 for how deep layers are in each other, got 17/],
    ['bytes after the network', fileOf(componentsOf(small()).set(17, joined([componentsOf(small()).get(17) as Uint8Array, Uint8Array.of(1)]))), /expected its end at byte \d+, got 1 bytes more/],
    ['a gzip file that is cut off', new Uint8Array(gzipSync(written(small()))).slice(0, -9), /a gzip file of \d+ bytes that says it unpacks to \d+: it is cut off, or lies/],
  ])('refuse %s', (_, file, message) => {
    expectError(() => readTraineddata(file instanceof Uint8Array ? file : written(file)), 'FORMAT', message)
  })

  it('may say that gzip made them a 32nd of what they are, and no less', () => {
    const saying = (factor: number, more: number): Uint8Array => {
      const file = new Uint8Array(gzipSync(written(small())))
      new DataView(file.buffer).setUint32(file.length - 4, factor * file.length + more, true)
      return file
    }
    expectError(() => readTraineddata(saying(32, 0)), 'FORMAT', /traineddata: gzip/)
    expectError(() => readTraineddata(saying(32, 1)), 'FORMAT', /it is cut off, or lies/)
  })

  it('give layers names of their own', () => {
    const network = series(input(1), { ...lstm('LSTM', 1, 1, 2), name: 'a' }, { ...lstm('LSTM', 2, 2, 2), name: 'a' }, { ...dense('Softmax', matrix(3, 6, 3)), name: '\u0000/"' })
    const { graph } = readTraineddata(written(small({ network })))
    expect(graph.nodes.map(({ name }) => name)).toEqual(['line', 'a', 'a_2', 'layer', 'layer.softmax'])
  })

  it('refuse options that are none', () => {
    expectError(() => readTraineddata(written(small()), { weights: 'int4' as 'int8' }), 'VALUE', /readTraineddata: expected 'int8' or 'float32' for 'weights'/)
  })

  it('say it of graphs without characters, and of those that were changed', () => {
    const { graph } = readTraineddata(written(small()))
    expectError(() => charactersOf({}), 'VALUE', /^recognizeLine: expected a model of a \.traineddata file/)
    for (const text of ['{', 'null', '5', '{}', graph.metadata?.tesseract?.replace('"nullCode":0', '"nullCode":-1') ?? '', graph.metadata?.tesseract?.replace('"a"', '5') ?? '']) {
      expectError(() => charactersOf({ metadata: { tesseract: text } }), 'FORMAT', /^traineddata: the characters in the saved model are/)
    }
  })
})

/** The same gzip file with a name in its header. */
function withName(bytes: Uint8Array): Uint8Array {
  return joined([bytes.subarray(0, 3), Uint8Array.of(8), bytes.subarray(4, 10), new TextEncoder().encode('eng\0'), bytes.subarray(10)])
}
