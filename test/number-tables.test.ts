// Numbers that stand both in assembly/ and in src/: a kernel must be asked for what its caller means.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { findFunction } from '../src/ops/elementwise/functions.ts'
import { addAllOperators } from '../src/ops/all.ts'
import { FUNCTION_NAMES } from '../src/ops/elementwise/function-table.ts'
import { CELL_FIELDS } from '../src/ops/recurrent/cell.ts'
import { CALL_FIELDS } from '../src/ops/recurrent/plan.ts'

addAllOperators()

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

/** `const NAME: i32 = 3` of a file of the kernels. */
function constants(path: string): Map<string, number> {
  return new Map([...read(path).matchAll(/^(?:export )?const ([A-Z0-9_]+): i32 = (\d+)$/gm)].map(([, name, value]) => [name as string, Number(value)]))
}

/** The text between what `begin` finds and the bracket that closes it. */
function literal(path: string, begin: string): string {
  const text = read(path)
  const at = text.indexOf(begin)
  if (at < 0) throw new Error(`${path} has no '${begin}'`)
  const from = at + begin.length
  return text.slice(from, from + text.slice(from).search(/[}\]]/))
}

const entries = (path: string, begin: string): Map<string, number> => (
  new Map([...literal(path, begin).matchAll(/(\w+): (\d+)/g)].map(([, name, value]) => [name as string, Number(value)]))
)
const list = (path: string, begin: string): string[] => [...literal(path, begin).matchAll(/'(\w+)'/g)].map(([, name]) => name as string)
const camel = (name: string): string => name.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())

describe('numbers of the kernels are those of their callers', () => {
  it('functions of one variable, and of rows', () => {
    const OWN_NAMES: Readonly<Record<string, string>> = { THRESHOLD: 'thresholdedRelu', CLIP: 'clipped' }
    const kernels = constants('assembly/math/activate.ts')
    expect(kernels.get('FIRST_OF_ROW')).toBe(64)
    kernels.delete('FIRST_OF_ROW')
    const named = [...kernels].map(([name, code]) => [OWN_NAMES[name] ?? camel(name), code])
    const expected = [...FUNCTION_NAMES, 'softmax', 'logSoftmax', 'sparsemax'].map((name) => [name, findFunction(name)?.code])
    expect(named).toEqual(expected)
  })

  it('functions of two variables', () => {
    const kernels = constants('assembly/arrays/broadcast.ts')
    const own = entries('src/ops/layout/broadcast.ts', 'export const BINARY = {')
    expect(own.size).toBe(16)
    const OWN_NAMES: Readonly<Record<string, string>> = { MOD: 'modulo' }
    for (const [name, code] of kernels) {
      if (['INT32', 'UINT8'].includes(name)) continue
      expect(own.get(OWN_NAMES[name] ?? camel(name)), name).toBe(code)
    }
    // The one that has no name there: `moduloF32` and `divideI32` take it for what is left.
    expect(own.get('remainder')).toBe(10)
    expect([...own.values()].sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, n) => n))
    const dtypes = entries('src/ops/layout/broadcast.ts', 'const DTYPE_CODES: Readonly<Record<DType, number>> = {')
    expect([...dtypes]).toEqual([['float32', 0], ['int32', kernels.get('INT32')], ['uint8', kernels.get('UINT8')]])
  })

  it('reductions of scattered elements', () => {
    const kernels = constants('assembly/arrays/gather.ts')
    expect(list('src/ops/movement/scatter.ts', 'const REDUCTIONS = [')).toEqual(['none', 'add', 'mul', 'max', 'min'])
    expect([...kernels]).toEqual([['ADD', 1], ['MULTIPLY', 2], ['LARGEST', 3]])
  })

  it('kinds of elements', () => {
    const kernels = constants('assembly/arrays/cast.ts')
    expect([...kernels.keys()].map((name) => name.toLowerCase())).toEqual(list('src/ops/elementwise/cast.ts', 'const KINDS = ['))
    expect([...kernels.values()]).toEqual([0, 1, 2, 3])
  })

  it('reductions, and what becomes of them', () => {
    expect([...constants('assembly/arrays/reduce.ts')]).toEqual([['SUM', 0], ['MAX', 1], ['MIN', 2], ['SQUARES', 4], ['DIVIDED', 1], ['ROOT', 2]])
    const text = read('src/ops/reduction/reduce.ts')
    const settings = new Map([...text.matchAll(/reduction\('(\w+)', \{ code: (\d), next: (\d), finishing: (\d)/g)].map(([, name, ...codes]) => [name, codes.join('')]))
    expect(Object.fromEntries(settings)).toEqual({
      reduceSum: '000', reduceMean: '001', reduceL2: '402', reduceL1: '000', reduceLogSum: '000', reduceSumSquare: '400', reduceMax: '110', reduceMin: '220',
      reduceProd: '330', reduceLogSumExp: '110',
    })
  })

  /** `name: type` of a class of the kernels. */
  const fieldsOf = (path: string, name: string): string[][] => {
    const text = read(path)
    const body = text.slice(text.indexOf(`class ${name} {`), text.indexOf('\n}', text.indexOf(`class ${name} {`)))
    return [...body.matchAll(/^ {2}(\w+): (\w+)(?: \| null)?$/gm)].map(([, field, type]) => [field as string, type === 'f32' ? 'float' : 'int'])
  }

  it('records of cells and calls: fields, their order and their types', () => {
    const general = fieldsOf('assembly/recurrent/lstm-general.ts', 'GeneralLstmCell')
    expect(general.length).toBe(21)
    expect(Object.entries(CELL_FIELDS)).toEqual(general)
    expect(fieldsOf('assembly/recurrent/lstm.ts', 'LstmCell')).toEqual(general.slice(0, 3))
    const call = fieldsOf('assembly/recurrent/recurrence.ts', 'Recurrence')
    expect(call.length).toBe(13)
    expect(Object.entries(CALL_FIELDS)).toEqual(call)
  })

  it('rules of masks and coupled gates', () => {
    const members = (path: string, name: string): string[][] => (
      [...literal(path, `const enum ${name} {`).matchAll(/^ {2}(\w+) = (\d+)/gm)].map(([, member, code]) => [member as string, code as string])
    )
    const own = (path: string, begin: string): string[][] => [...entries(path, begin)].map(([name, code]) => [name, String(code)])
    expect(members('assembly/recurrent/mask.ts', 'MaskRule')).toEqual(own('src/ops/recurrent/plan.ts', 'const MASK_CODES = {'))
    expect(members('assembly/recurrent/lstm-general.ts', 'Coupling')).toEqual(own('src/ops/recurrent/cell.ts', 'const COUPLING_CODES = {'))
  })

  it('terms of a sum', () => {
    expect(read('src/ops/products/packed.ts')).toContain(`const SUM_LENGTH = ${constants('assembly/products/sums.ts').get('SUM_LENGTH')}\n`)
  })
})
