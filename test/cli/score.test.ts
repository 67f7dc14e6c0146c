// What `lstm-wasm score` writes, against model.run, window by window.
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dense, embedding, input, lstm, sequential } from '../../src/layers/index.ts'
import { compile, load } from '../../src/model/load.ts'
import type { Model } from '../../src/model/model.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import { initialStateDict } from '../../src/training/index.ts'
import { pseudoRandom } from '../random.ts'
import { lstmWasm, type Result } from './in-process.ts'
import { csvOf, parquetOf, rowsOfParquet, salesOf } from './tables.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lstm-wasm-score-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const put = (name: string, content: string | Uint8Array): void => writeFileSync(join(folder, name), content)
const pathOf = (name: string): string => join(folder, name)
/** In this thread: the workers of a pool are files of the built package. */
const score = async (...args: string[]): Promise<Result> => lstmWasm(folder, ['score', '--workers', '1', '--variant', 'simd', ...args])
const failure = async (...args: string[]): Promise<string> => {
  const { code, stderr } = await score(...args)
  expect(code).toBeGreaterThan(0)
  return stderr.replace(/^lstm-wasm: /, '').trimEnd()
}

/** A model on the binary that `score` takes here. */
const loaded = async (name: string): Promise<Model> => load(pathOf(name), { runtime: await createRuntime({ variant: 'simd' }) })

/** Saves layers with random weights. */
async function putModel(name: string, layers: Parameters<typeof sequential>[0], seed: number): Promise<Model> {
  const net = sequential(layers)
  const model = await compile(net.loadStateDict(initialStateDict(net.weightSpecs(), {}, seed)))
  put(name, model.save())
  return loaded(name)
}

describe('windows of rows', () => {
  const lengths = [5, 1, 40, 3, 27, 4]
  const sales = salesOf(lengths)
  let model: Model
  beforeAll(async () => {
    model = await putModel('sales.safetensors', [input(['timesteps', 3]), lstm({ units: 5 }), dense({ units: 2, activation: 'sigmoid' })], 100)
    put('sales.parquet', parquetOf(sales.columns, 37))
    put('sales.csv', csvOf(sales.columns))
  })

  /** Scores of the window that ends at a row. */
  const scoresAt = (row: number, timesteps: number): number[] => {
    const x = Array.from({ length: timesteps }, (_, step) => sales.numbers.map((column) => column[row + 1 - timesteps + step] as number))
    return [...(model.run({ input: [x] }).output as { data: Float32Array }).data]
  }

  /** Rows at which windows end. */
  const endsOf = (timesteps: number, stride: number, ids: readonly number[] = sales.series.map(() => 0)): number[] => (
    ids.flatMap((id, row) => {
      const begin = ids.indexOf(id)
      return row + 1 - begin >= timesteps && (row + 1 - begin - timesteps) % stride === 0 ? [row] : []
    })
  )

  it.each([['parquet', 1], ['parquet', 16], ['csv', 7], ['parquet', 4096]])('of a .%s, in groups of %i, are those of model.run', async (ending, groupRows) => {
    const { code, stdout, stderr } = await score('sales.safetensors', `sales.${ending}`, '-o', 'out.parquet', '--timesteps', '4', '--columns', 'a,b,c', '--by', 'store', '--group-rows', String(groupRows), '--force')
    expect(stderr).toBe('')
    const ends = endsOf(4, 1, sales.series)
    expect([code, stdout]).toEqual([0, `out.parquet: ${ends.length} windows of 80 rows, 5 columns\n`])
    const rows = await rowsOfParquet(pathOf('out.parquet'))
    expect(rows.map(({ row }) => Number(row))).toEqual(ends)
    rows.forEach((row, n) => expect([row.output_0, row.output_1]).toEqual(scoresAt(ends[n] as number, 4)))
    if (ending === 'parquet') expect(rows.map(({ label }) => label)).toEqual(ends.map((row) => sales.columns[5]?.data[row] as unknown))
  })

  it('go on by a stride in each series, and in one series without --by', async () => {
    await score('sales.safetensors', 'sales.parquet', '-o', 'stride.parquet', '--timesteps', '3', '--stride', '5', '--columns', 'a,b,c', '--by', 'store', '--group-rows', '16')
    expect((await rowsOfParquet(pathOf('stride.parquet'))).map(({ row }) => Number(row))).toEqual(endsOf(3, 5, sales.series))
    await score('sales.safetensors', 'sales.parquet', '-o', 'whole.parquet', '--timesteps', '7', '--columns', 'a,b,c', '--stride', '2')
    const rows = await rowsOfParquet(pathOf('whole.parquet'))
    expect(rows.map(({ row }) => Number(row))).toEqual(endsOf(7, 2))
    expect([rows[5]?.output_0, rows[5]?.output_1]).toEqual(scoresAt(16, 7))
  })

  it('have the columns in the order that is asked for', async () => {
    await score('sales.safetensors', 'sales.parquet', '-o', 'order.parquet', '--timesteps', '2', '--columns', 'c,a,b', '--keep', 'none')
    const [first] = await rowsOfParquet(pathOf('order.parquet'))
    const x = [0, 1].map((row) => [2, 0, 1].map((column) => sales.numbers[column]?.[row] as number))
    expect(Object.keys(first ?? {})).toEqual(['output_0', 'output_1'])
    expect(Object.values(first ?? {})).toEqual([...(model.run({ input: [x] }).output as { data: Float32Array }).data])
  })

  it('are written to .csv as they are to .parquet', async () => {
    await score('sales.safetensors', 'sales.parquet', '-o', 'out.csv', '--timesteps', '4', '--columns', 'a,b,c', '--by', 'store', '--keep', 'store,label')
    const lines = readFileSync(pathOf('out.csv'), 'utf8').trimEnd().split('\n')
    expect(lines[0]).toBe('store,label,output_0,output_1')
    const row = endsOf(4, 1, sales.series)[1] as number
    const label = sales.columns[5]?.data[row] as string
    expect(lines[2]).toBe(`${sales.series[row]},"${label.replaceAll('"', '""')}",${scoresAt(row, 4).map((value) => Number(lines[2]?.split(',').at(scoresAt(row, 4).indexOf(value) - 2))).join(',')}`)
    expect(lines[2]?.split(',').slice(-2).map((text) => Math.fround(Number(text)))).toEqual(scoresAt(row, 4))
  })

  it('that lack a number are an error with row and column, or are left out', async () => {
    const columns = sales.columns.map((column) => (column.name === 'b' ? { ...column, nullable: true, data: Array.from(column.data as Float64Array, (value: number, n): number | null => (n === 20 ? null : n === 55 ? NaN : value)) } : column))
    put('nulls.parquet', parquetOf(columns, 37))
    const args = ['sales.safetensors', 'nulls.parquet', '-o', 'nulls.csv', '--timesteps', '4', '--columns', 'a,b,c', '--group-rows', '8']
    expect(await failure(...args)).toBe("nulls.parquet: row 20 (the first is 0), column 'b': expected a number, got null or NaN. --nulls skip leaves out the windows that have such a row")
    expect((await score(...args, '--nulls', 'skip')).stderr).toMatch(/is left of a run with other options: --force begins anew/)
    expect((await score(...args, '--nulls', 'skip', '--force')).code).toBe(0)
    const kept = readFileSync(pathOf('nulls.csv'), 'utf8').trimEnd().split('\n').slice(1).map((line) => Number(line.split(',')[0]))
    expect(kept).toEqual(endsOf(4, 1).filter((row) => ![20, 21, 22, 23, 55, 56, 57, 58].includes(row)))
  })

  it('that lack a number in the first rows leave nothing behind that would stop the next run', async () => {
    const columns = sales.columns.map((column) => (column.name === 'b' ? { ...column, data: Array.from(column.data as Float64Array, (value: number, n): number => (n === 2 ? NaN : value)) } : column))
    put('early.parquet', parquetOf(columns, 37))
    const args = ['sales.safetensors', 'early.parquet', '-o', 'early.csv', '--timesteps', '4', '--columns', 'a,b,c']
    expect(await failure(...args)).toMatch(/row 2 \(the first is 0\), column 'b': .* --nulls skip leaves out/)
    expect((await score(...args, '--nulls', 'skip')).code).toBe(0)
  })

  it('are none where a table has none', async () => {
    put('empty.csv', 'a,b,c\n')
    expect((await score('sales.safetensors', 'empty.csv', '-o', 'none.parquet', '--timesteps', '4', '--columns', 'a,b,c')).stdout).toBe('none.parquet: 0 windows of 0 rows, 2 columns\n')
    expect(await rowsOfParquet(pathOf('none.parquet'))).toEqual([])
    put('short.csv', 'a,b,c\n1,2,3\n4,5,6\n')
    expect((await score('sales.safetensors', 'short.csv', '-o', 'short-out.csv', '--timesteps', '4')).stdout).toBe('short-out.csv: 0 windows of 2 rows, 2 columns\n')
    expect(readFileSync(pathOf('short-out.csv'), 'utf8')).toBe('output_0,output_1\n')
    put('nothing.csv', '')
    expect(await failure('sales.safetensors', 'nothing.csv', '-o', 'x.csv', '--timesteps', '4')).toBe('nothing.csv: expected lines of cells, got an empty file')
  })

  it('refuse columns that there are not, or that do not fit', async () => {
    const args = ['sales.safetensors', 'sales.parquet', '-o', 'x.csv', '--timesteps', '4']
    expect(await failure(...args, '--columns', 'a,b,stor')).toBe("sales.parquet: --columns: no column 'stor' (did you mean 'store'?); columns are 'row', 'store', 'a', 'b', 'c', 'label'")
    expect(await failure(...args, '--columns', 'a,b,label')).toBe("sales.parquet: --columns: the column 'label' holds no numbers: text")
    expect(await failure(...args, '--columns', 'a,b,a')).toBe("sales.parquet: --columns: the column 'a' is given twice")
    expect(await failure(...args)).toBe("sales.parquet: the input 'input' takes 3 numbers of a row, got 5 columns of numbers: 'row', 'store', 'a', 'b', 'c'. "
      + "--columns A,B,... chooses them from 'row', 'store', 'a', 'b', 'c', 'label'")
    expect(await failure(...args, '--columns', 'a,b,c', '--by', 'shop')).toMatch(/--by: no column 'shop'/)
    expect(await failure(...args, '--columns', 'a,b,c', '--keep', 'roww')).toMatch(/--keep: no column 'roww' \(did you mean 'row'\?\)/)
    expect(await failure(...args, '--columns', 'a,b,c', '--only', 'probs')).toBe("sales.parquet: --only: no output 'probs'; the model's are 'output'")
    expect(await failure(...args, '--columns', 'x=a,b,c')).toBe("sales.parquet: --columns: no input 'x'; the model's are 'input'")
    expect(await failure('sales.safetensors', 'sales.parquet', '-o', 'x.csv')).toBe("sales.parquet: the input 'input' takes any number of timesteps, [batch, timesteps, 3]: say how many rows a window has: --timesteps N")
    expect(readdirSync(folder).filter((name) => name.startsWith('x.'))).toEqual([])
  })

  it('refuse series that come again', async () => {
    put('mixed.csv', `id,a,b,c\n${[3, 3, 1, 1, 2, 3].map((id) => `${id},1,2,3`).join('\n')}\n`)
    expect(await failure('sales.safetensors', 'mixed.csv', '-o', 'm.csv', '--timesteps', '2', '--columns', 'a,b,c', '--by', 'id'))
      .toBe("mixed.csv: row 5 (the first is 0), --by: the series '3' comes again after others. Sort the table by that column")
  })

  it('need a command line that says what', async () => {
    expect(await failure('sales.safetensors')).toBe('expected a model file and a table, got 1 name (see lstm-wasm score --help)')
    expect(await failure('sales.safetensors', 'sales.parquet')).toBe('expected -o OUT, the table that is written (see lstm-wasm score --help)')
    expect(await failure('a', 'b.xlsx', '-o', 'c.csv')).toBe("DATA: expected a name that ends in .parquet, .csv or .npy, got 'b.xlsx' (see lstm-wasm score --help)")
    expect(await failure('a', 'b.csv', '-o', 'c.csv', '--nulls', 'zero')).toBe("--nulls: expected skip, got 'zero' (see lstm-wasm score --help)")
    expect(await failure('sales.safetensors', 'sales.csv', '-o', './sales.csv', '--force')).toBe("'./sales.csv' is the table to read: write to another file (see lstm-wasm score --help)")
    expect(await failure('a', 'b.csv', '-o', 'c.csv', '--workers', '0')).toMatch(/--workers: expected a whole number >= 1, got '0'/)
    expect(await failure('sales.safetensors', 'gone.csv', '-o', 'c.csv')).toBe("cannot read 'gone.csv': no such file")
  })
})

describe('models of other shapes', () => {
  it('take row by row, and keep what is no feature', async () => {
    const model = await putModel('rows.safetensors', [input([2]), dense({ units: 3 })], 7)
    put('rows.csv', 'id,x,y\nk1,0.5,-1\n"k,2",1.5,2\n')
    expect((await score('rows.safetensors', 'rows.csv', '-o', 'rows-out.parquet')).code).toBe(0)
    const { data } = model.run({ input: [[0.5, -1], [1.5, 2]] }).output as { data: Float32Array }
    expect(await rowsOfParquet(pathOf('rows-out.parquet'))).toEqual([
      { id: 'k1', output_0: data[0], output_1: data[1], output_2: data[2] }, { id: 'k,2', output_0: data[3], output_1: data[4], output_2: data[5] },
    ])
  })

  it('take whole numbers from one column, and refuse others', async () => {
    const model = await putModel('words.safetensors', [input(['timesteps']), embedding(9, 4), lstm({ units: 3 })], 9)
    put('words.csv', 'word\n1\n8\n3\n0\n')
    expect((await score('words.safetensors', 'words.csv', '-o', 'words-out.csv', '--timesteps', '3')).code).toBe(0)
    const lines = readFileSync(pathOf('words-out.csv'), 'utf8').trimEnd().split('\n')
    const { data } = model.run({ input: [[1, 8, 3], [8, 3, 0]] }).output as { data: Float32Array }
    expect(lines.slice(1).flatMap((line) => line.split(',').map((text) => Math.fround(Number(text))))).toEqual([...data])
    put('halves.csv', 'word\n1\n2.5\n3\n')
    expect(await failure('words.safetensors', 'halves.csv', '-o', 'h.csv', '--timesteps', '3'))
      .toBe("halves.csv: row 1 (the first is 0), column 'word': the input 'input' takes whole numbers (int32), got 2.5")
  })

  it('take rows that hold whole windows', async () => {
    copyFileSync(fileURLToPath(new URL('../../examples/digits.safetensors', import.meta.url)), pathOf('digits.safetensors'))
    const images = pseudoRandom(5, 3 * 784, 1)
    put('digits.csv', `${['label', ...Array.from({ length: 784 }, (_, n) => `p${n}`)].join(',')}\n${[0, 1, 2].map((n) => [n + 4, ...images.subarray(n * 784, (n + 1) * 784)].join(',')).join('\n')}\n`)
    expect(await failure('digits.safetensors', 'digits.csv', '-o', 'd.csv', '--keep', 'label')).toMatch(/takes 28 numbers of a row, got 784 columns of numbers: .* and 754 more\. If a row holds a whole window: --wide$/)
    expect((await score('digits.safetensors', 'digits.csv', '-o', 'digits.parquet', '--wide', '--keep', 'label')).code).toBe(0)
    const model = await loaded('digits.safetensors')
    const { data } = model.run({ rows: { dtype: 'float32', shape: [3, 28, 28], data: images } }).probs as { data: Float32Array }
    const rows = await rowsOfParquet(pathOf('digits.parquet'))
    expect(rows.map(({ label }) => label)).toEqual(['4', '5', '6'])
    expect(rows.flatMap((row) => Array.from({ length: 10 }, (_, n) => row[`probs_${n}`]))).toEqual([...data])
  })

  it('write every timestep, or the last', async () => {
    const model = await putModel('steps.safetensors', [input(['timesteps', 1]), lstm({ units: 2, returnSequences: true })], 12)
    put('steps.csv', 'x\n1\n2\n-3\n')
    await score('steps.safetensors', 'steps.csv', '-o', 'steps-all.csv', '--timesteps', '3')
    await score('steps.safetensors', 'steps.csv', '-o', 'steps-last.csv', '--timesteps', '3', '--last')
    const { data } = model.run({ input: [[[1], [2], [-3]]] }).output as { data: Float32Array }
    const [names, values] = readFileSync(pathOf('steps-all.csv'), 'utf8').trimEnd().split('\n')
    expect(names).toBe('output_0_0,output_0_1,output_1_0,output_1_1,output_2_0,output_2_1')
    expect(values?.split(',').map((text) => Math.fround(Number(text)))).toEqual([...data])
    const last = readFileSync(pathOf('steps-last.csv'), 'utf8').trimEnd().split('\n')
    expect([last[0], last[1]]).toEqual(['output_0,output_1', values?.split(',').slice(4).join(',')])
  })

  it('take the columns of each of several inputs, and states whose batch comes second', async () => {
    copyFileSync(fileURLToPath(new URL('../golden/state-dicts/lstm-2layer-bidirectional.safetensors', import.meta.url)), pathOf('lstm.safetensors'))
    const model = await loaded('lstm.safetensors')
    const { shape } = model.inputs[0] as { shape: readonly (string | number)[] }
    const features = shape[2] as number
    const names = Array.from({ length: features }, (_, n) => `f${n}`)
    const data = pseudoRandom(3, 6 * features, 1)
    put('lstm.csv', `${names.join(',')}\n${Array.from({ length: 6 }, (_, row) => data.subarray(row * features, (row + 1) * features).join(',')).join('\n')}\n`)
    expect((await score('lstm.safetensors', 'lstm.csv', '-o', 'lstm-out.parquet', '--timesteps', '5', '--only', 'h_n', '--only', 'output', '--last', '--batch', '4')).stderr).toBe('')
    const rows = await rowsOfParquet(pathOf('lstm-out.parquet'))
    expect(rows).toHaveLength(2)
    rows.forEach((row, n) => {
      const { h_n: states, output } = model.run({ input: { dtype: 'float32', shape: [1, 5, features], data: data.slice(n * features, (n + 5) * features) } }) as Record<string, { data: Float32Array, shape: readonly number[] }>
      const h = Object.keys(row).filter((name) => name.startsWith('h_n_')).map((name) => row[name])
      expect(h).toEqual([...states?.data ?? []])
      expect(Object.keys(row).filter((name) => name.startsWith('output_')).map((name) => row[name])).toEqual([...output?.data.slice(-(output.shape.at(-1) as number)) ?? []])
    })
    const states = `h_0=${names.slice(0, 2).join(',')}`
    expect(await failure('lstm.safetensors', 'lstm.csv', '-o', 'l.csv', '--timesteps', '5', '--columns', states)).toMatch(/the model has several inputs, and 'input' has no columns: --columns input=A,B,\.\.\. says which/)
  })

  it('that remember what they ran before are refused', async () => {
    copyFileSync(fileURLToPath(new URL('../golden/keras3/stateful.keras', import.meta.url)), pathOf('stateful.keras'))
    put('one.csv', 'x\n1\n2\n3\n4\n')
    expect(await failure('stateful.keras', 'one.csv', '-o', 's.csv')).toMatch(/^score: the layer '.*' is stateful/)
  })
})
