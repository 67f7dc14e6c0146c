import { beforeEach, expect, it } from 'vitest'
import { FunctionCode } from '../../src/contract/math/function-code.ts'
import { pseudoRandom } from '../random.ts'
import { describeBinaries } from '../variants.ts'
import { Arena } from './arena.ts'

const LENGTHS = [1, 3, 4, 5, 16, 17, 33]

/** Exact enough to tell the functions, their lanes and their elements apart; accuracy.test.ts measures how exact. */
const RELATIVE = 1e-6

const FUNCTIONS = {
  sigmoid: (x: number) => 1 / (1 + Math.exp(-x)),
  tanh: (x: number) => Math.tanh(x),
  relu: (x: number) => Math.max(0, x),
} as const

describeBinaries('elementwise kernels', (binary) => {
  const arena = new Arena(binary)
  const { kernels } = arena
  beforeEach(() => arena.clear())

  const table = Object.keys(FUNCTIONS).flatMap((name) => LENGTHS.map((length) => [name, length])) as [keyof typeof FUNCTIONS, number][]
  it.each(table)('%s of %i elements stays inside the padded vector, also in place', (name, length) => {
    const x = pseudoRandom(length, length, 8)
    const inPtr = arena.floats(x)
    const outPtr = arena.allocate(length * 4)
    const padded = Math.ceil(length / 4) * 16
    arena.call([[outPtr, padded]], () => kernels.activateF32(FunctionCode[name], 0, 0, inPtr, outPtr, length))
    const got = arena.read(outPtr, length)
    got.forEach((value, n) => {
      const expected = FUNCTIONS[name](x[n] as number)
      expect(Math.abs(value - expected), `${name}(${x[n]})`).toBeLessThanOrEqual(RELATIVE * Math.abs(expected))
    })
    arena.call([[inPtr, padded]], () => kernels.activateF32(FunctionCode[name], 0, 0, inPtr, inPtr, length))
    expect(arena.read(inPtr, length)).toEqual(got)
  })

  it.each(Object.keys(FUNCTIONS) as (keyof typeof FUNCTIONS)[])('%s does nothing for no elements', (name) => {
    arena.call([], () => kernels.activateF32(FunctionCode[name], 0, 0, 64, 64, 0))
  })

  it('relu lets NaN and infinity through, and makes no negative number of anything', () => {
    const inPtr = arena.floats([NaN, -NaN, Infinity, -Infinity, -1e-45, 1e-45, -0])
    kernels.activateF32(FunctionCode.relu, 0, 0, inPtr, inPtr, 7)
    const got = [...arena.read(inPtr, 7)]
    expect(got.slice(0, 6)).toEqual([NaN, NaN, Infinity, 0, 0, Math.fround(1e-45)])
    expect(Math.abs(got[6] as number)).toBe(0)
  })
})
