import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatOf, writeArrayFile, writeNamedArrays } from '../../src/cli/array-files.ts'
import { readInputs, splitName, withBatch } from '../../src/cli/inputs.ts'
import { writeNpy } from '../../src/formats/npy.ts'
import type { ModelPort } from '../../src/model/model.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError, expectRejection } from '../expect-error.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lstm-wasm-'))
})
afterAll(() => rm(folder, { recursive: true }))

const X: ModelPort = { name: 'x', dtype: 'float32', shape: ['batch', 'timesteps', 2] }
const TOKENS: ModelPort = { name: 'tokens', dtype: 'int32', shape: ['batch', 'timesteps'] }
const H: ModelPort = { name: 'h', dtype: 'float32', shape: [2, 'batch', 3], optional: true }

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}

describe('readInputs', () => {
  it('reads .csv, .json and .npy alike', async () => {
    const x = NdArray.from([[[1, 2], [3, 4]]])
    for (const path of [
      await file('x.csv', '1,2\n3,4\n'), await file('x.json', '[[1,2],[3,4]]'), await file('batch.json', '[[[1,2],[3,4]]]'),
      await file('x.npy', writeNpy(NdArray.from([[1, 2], [3, 4]]))), await file('int.NPY', writeNpy(NdArray.from([[1, 2], [3, 4]], 'int32'))),
      await file('named.json', '{"x":[[1,2],[3,4]]}'),
    ]) expect(await readInputs([path], [X, H]), path).toEqual({ x })
  })

  it('makes int32 of whole numbers', async () => {
    const tokens = NdArray.from([[1, 2]], 'int32')
    for (const path of [
      await file('t.csv', '1,2\n'), await file('t.json', '[1,2]'), await file('t.npy', writeNpy(NdArray.from([1, 2]))),
      await file('u.npy', writeNpy(NdArray.from([1, 2], 'uint8'))),
    ]) expect(await readInputs([path], [TOKENS]), path).toEqual({ tokens })
  })

  it('takes several by name, from one file or many', async () => {
    const both = await file('both.json', '{"tokens":[[1]],"x":[[5,6]]}')
    const expected = { tokens: NdArray.from([[1]], 'int32'), x: NdArray.from([[[5, 6]]]) }
    expect(await readInputs([both], [X, TOKENS])).toEqual(expected)
    const x = await file('a=b.csv', '5,6')
    const tokens = await file('tokens.csv', '1')
    expect(await readInputs([`tokens=${tokens}`, `x=${x}`], [X, TOKENS])).toEqual(expected)
  })

  it('says what is wrong with a file, the file first', async () => {
    const cases = [
      ['ragged.json', '[[1,2],[3]]', 'SHAPE', 'expected 2 elements along axis 1 of [2, 2], got 1'],
      ['text.json', '[["1"]]', 'VALUE', 'expected numbers, got "1" at element 0'],
      ['null.json', 'null', 'VALUE', 'expected numbers, got null at element 0'],
      ['latin.csv', Uint8Array.of(0x31, 0x2c, 0xe4), 'FORMAT', 'expected text in UTF-8'],
      ['no.npy', '1,2', 'FORMAT', 'expected a file that begins with 93 4e 55 4d 50 59, got 31 2c 32'],
      ['bad.csv', '1,2\n3', 'FORMAT', 'line 2: expected 2 columns as in line 1, got 1'],
      ['other.json', '{"y":[1]}', 'VALUE', "no input 'y'; the model's are 'x'"],
    ] as const
    for (const [name, content, code, message] of cases) {
      const path = await file(name, content)
      await expectRejection(readInputs([path], [X]), code, `${path}: ${message}`)
    }
    await expectRejection(readInputs([await file('bad.json', '[1,')], [X]), 'FORMAT', /bad\.json: not JSON: /)
    await expectRejection(readInputs([join(folder, 'none.csv')], [X]), 'ENVIRONMENT', /^cannot read ".*none\.csv": no such file$/)
  })

  it('refuses numbers that are no int32, and those that may have been rounded before', async () => {
    const half = await file('half.npy', writeNpy(NdArray.from([1, 2.5])))
    await expectRejection(readInputs([half], [TOKENS]), 'VALUE', `${half}: element 1: expected a whole number (int32), got 2.5`)
    const large = await file('large.npy', writeNpy(NdArray.from([1, 2 ** 24 + 2])))
    await expectRejection(readInputs([large], [TOKENS]), 'VALUE',
      `${large}: element 1: expected whole numbers up to 16777216 in an array of floats, got 16777218; save it as int32`)
  })

  it('asks for names and inputs that are missing', async () => {
    const x = await file('x.csv', '1,2')
    const named = await file('named.json', '{"x":[[1,2]]}')
    await expectRejection(readInputs([x], [X, TOKENS]), 'VALUE',
      `${x}: the model has several inputs, say which: --input NAME=FILE with 'x', 'tokens'`)
    await expectRejection(readInputs([`x=${x}`], [X, TOKENS]), 'VALUE', 'missing: --input tokens=FILE')
    await expectRejection(readInputs([`x=${x}`, x], [X]), 'VALUE', `${x}: the input 'x' is given twice`)
    await expectRejection(readInputs([`y=${x}`], [X, H]), 'VALUE', "no input 'y'; the model's are 'x', 'h'")
    await expectRejection(readInputs([`x=${named}`], [X]), 'VALUE',
      `${named}: expected one array for the input 'x', got an object: leave 'x=' out to take its inputs by name`)
  })
})

describe('splitName', () => {
  it('knows names with every character, and file names with an equals sign', () => {
    const names = ['x', '/rnn/x:0', 'a=b']
    expect(splitName('x=y.npy', names, 'input')).toEqual({ name: 'x', file: 'y.npy' })
    expect(splitName('/rnn/x:0=y.npy', names, 'input')).toEqual({ name: '/rnn/x:0', file: 'y.npy' })
    expect(splitName('a=b=c=d.npy', names, 'input')).toEqual({ name: 'a=b', file: 'c=d.npy' })
    expect(splitName('./k=v.npy', names, 'input')).toEqual({ name: undefined, file: './k=v.npy' })
    expect(splitName('y.npy', names, 'input')).toEqual({ name: undefined, file: 'y.npy' })
    expectError(() => splitName('k=v.npy', names, 'output'), 'VALUE', "no output 'k'; the model's are 'x', '/rnn/x:0', 'a=b'")
  })
})

describe('withBatch', () => {
  const fitted = (from: number[], to: ModelPort['shape']): readonly number[] =>
    withBatch(new NdArray(new Float32Array(from.reduce((a, b) => a * b, 1)), from), { name: 'x', dtype: 'float32', shape: to }).shape

  it('adds the axis called batch, or a first axis of free size', () => {
    expect(fitted([7, 2], ['batch', 'timesteps', 2])).toEqual([1, 7, 2])
    expect(fitted([7, 2], ['timesteps', 'batch_size', 2])).toEqual([7, 1, 2])
    expect(fitted([2, 3], [2, 'batch', 3])).toEqual([2, 1, 3])
    expect(fitted([7, 2], ['N', 'T', 2])).toEqual([1, 7, 2])
    expect(fitted([7, 2], [1, 7, 2])).toEqual([1, 7, 2])
    expect(fitted([7, 2], [4, 7, 2])).toEqual([7, 2])
    expect(fitted([2], ['batch', 'timesteps', 2])).toEqual([2])
    expect(fitted([5, 7, 2], ['batch', 'timesteps', 2])).toEqual([5, 7, 2])
  })
})

describe('writing arrays', () => {
  it('writes JSON with short numbers', async () => {
    const path = join(folder, 'y.json')
    await writeArrayFile(path, NdArray.from([[0.1, -2], [1e-9, 3]]))
    expect(await readFile(path, 'utf8')).toBe('[[0.1,-2],[1e-9,3]]\n')
    await writeNamedArrays(path, { 'y': NdArray.from([1]), 'a "b"': NdArray.from(2, 'int32') })
    expect(await readFile(path, 'utf8')).toBe('{\n"y": [1],\n"a \\"b\\"": 2\n}\n')
  })

  it('refuses to write what JSON cannot hold, and where there is no folder', async () => {
    const path = join(folder, 'nan.json')
    await expectRejection(writeArrayFile(path, NdArray.from([1, NaN])), 'VALUE',
      `cannot write ${JSON.stringify(path)}: element 1 is NaN, which JSON has no word for; .npy and .csv have`)
    await expectRejection(writeArrayFile(join(folder, 'no/y.npy'), NdArray.from(1)), 'ENVIRONMENT', /^cannot write ".*y\.npy": no such folder$/)
  })

  it('tells formats by the end of the name', () => {
    expect(['a.npy', 'x=a.JSON', 'dir.npy/a.csv'].map(formatOf)).toEqual(['.npy', '.json', '.csv'])
    expect(() => formatOf('a.txt')).toThrow("expected a file name that ends in .npy, .json or .csv, got 'a.txt'")
    expect(() => formatOf('a.npz')).toThrow("got 'a.npz'; an .npz holds several .npy files")
  })
})
