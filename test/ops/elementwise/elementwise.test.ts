import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NdArray } from '../../../src/values/ndarray.ts'
import { lengthOf } from '../../../src/values/shape.ts'
import { expectError } from '../../expect-error.ts'
import { at, broadcast, bytes, expectSame, floats, ints, random, tabulate } from '../reference.ts'
import { buildNode, foldNode, modelOf, runNode } from '../one-node.ts'

const FLOAT = {
  add: (a: number, b: number) => a + b,
  sub: (a: number, b: number) => a - b,
  mul: (a: number, b: number) => a * b,
  div: (a: number, b: number) => a / b,
  min: Math.min,
  max: Math.max,
  sum: (a: number, b: number) => a + b,
} as const

const COMPARISONS = {
  equal: (a: number, b: number) => a === b,
  less: (a: number, b: number) => a < b,
  lessOrEqual: (a: number, b: number) => a <= b,
  greater: (a: number, b: number) => a > b,
  greaterOrEqual: (a: number, b: number) => a >= b,
} as const

const LOGIC = {
  and: (a: number, b: number) => a !== 0 && b !== 0,
  or: (a: number, b: number) => a !== 0 || b !== 0,
  xor: (a: number, b: number) => (a !== 0) !== (b !== 0),
} as const

const pythonMod = (a: number, b: number): number => a - Math.floor(a / b) * b

/** Two shapes that broadcast, up to five axes, sizes 1 to 5. */
const shapes = fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.constantFrom('both', 'both', 'first', 'second')), { maxLength: 5 })
  .chain((axes) => fc.tuple(fc.constant(axes), fc.nat(axes.length), fc.boolean()))
  .map(([axes, missing, which]) => {
    const a = axes.map(([size, where]) => (where === 'second' ? 1 : size))
    const b = axes.map(([size, where]) => (where === 'first' ? 1 : size))
    return which ? [a.slice(missing), b] as const : [a, b.slice(missing)] as const
  })

function whole(seed: number, shape: readonly number[], scale: number = 20): NdArray<'int32'> {
  return new NdArray(Int32Array.from(random(seed, shape, scale).data, Math.trunc), shape)
}

describe('arithmetic', () => {
  it.each(Object.entries(FLOAT))('%s rounds like float32 over any shapes that broadcast; folded is the same', (op, f) => {
    fc.assert(fc.property(shapes, fc.nat(1000), ([aShape, bShape], seed) => {
      const [a, b] = [random(seed, aShape), random(seed + 1, bShape)]
      const shape = broadcast(aShape, bShape)
      const expected = new NdArray(Float32Array.from(tabulate(shape, (...index) => f(at(a, index), at(b, index)))), shape)
      expectSame(runNode(op, [a, b]), expected)
      expectSame(foldNode(op, [a, b]), expected)
    }), { numRuns: 40, seed: 7 })
  })

  it.each([
    ...Object.entries(FLOAT).filter(([op]) => op !== 'div'),
    ['div', (a: number, b: number) => (b === 0 ? 0 : Math.trunc(a / b))] as const,
    ['mod', (a: number, b: number) => (b === 0 ? 0 : pythonMod(a, b))] as const,
  ])('%s of int32 too', (op, f) => {
    fc.assert(fc.property(shapes, fc.nat(1000), ([aShape, bShape], seed) => {
      const [a, b] = [whole(seed, aShape), whole(seed + 1, bShape, 4)]
      const shape = broadcast(aShape, bShape)
      const expected = new NdArray(Int32Array.from(tabulate(shape, (...index) => f(at(a, index), at(b, index)))), shape)
      expectSame(runNode(op, [a, b]), expected)
      expectSame(foldNode(op, [a, b]), expected)
    }), { numRuns: 25, seed: 8 })
  })

  it('int32 wraps, and nothing ends the program', () => {
    const [a, b] = [ints([-(2 ** 31), 2 ** 31 - 1, -7, 7, -7]), ints([-1, 2, 0, -2, 2])]
    const cases = {
      add: [2 ** 31 - 1, -(2 ** 31) + 1, -7, 5, -5], mul: [-(2 ** 31), -2, 0, -14, -14],
      div: [-(2 ** 31), 2 ** 30 - 1, 0, -3, -3], mod: [0, 1, 0, -1, 1],
    }
    for (const [op, expected] of Object.entries(cases)) {
      expectSame(runNode(op, [a, b]), ints(expected))
      expectSame(foldNode(op, [a, b]), ints(expected))
    }
    expectSame(runNode('mod', [a, b], { attributes: { fmod: 1 } }), ints([0, 1, 0, 1, -1]))
  })

  it('mod of float32 has the sign of b, with fmod that of a', () => {
    const [a, b] = [floats([5.5, -5.5, 5.5, -5.5, 3, 1e10, NaN, 1]), floats([2, 2, -2, -2, Infinity, 0.375, 1, 0])]
    const remainder = Array.from(a.data, (x, n) => x % (b.data[n] as number))
    const modulo = remainder.map((r, n) => (r !== 0 && (r < 0) !== ((b.data[n] as number) < 0) ? r + (b.data[n] as number) : r))
    for (const [fmod, expected] of [[0, modulo], [1, remainder]] as const) {
      expectSame(runNode('mod', [a, b], { attributes: { fmod } }), floats(expected))
      expectSame(foldNode('mod', [a, b], { fmod }), floats(expected))
    }
  })

  it('min and max give NaN where one is NaN, and take any number of inputs', () => {
    const [a, b, c] = [floats([1, NaN, 3, -0]), floats([2, 1, NaN, 0]), floats([0.5], [1])]
    expectSame(runNode('min', [a, b, c]), floats([0.5, NaN, NaN, -0]))
    expectSame(runNode('max', [a, b, c]), floats([2, NaN, NaN, 0.5]))
    expectSame(runNode('max', [a]), a)
    const [column, row, both] = [random(1, [3, 1]), random(2, [5]), random(3, [2, 3, 5])]
    const expected = Float32Array.from(tabulate([2, 3, 5], (...index) => Math.fround(at(column, index) + at(row, index)) + at(both, index)))
    expectSame(runNode('sum', [column, row, both]), new NdArray(expected, [2, 3, 5]))
    expectSame(foldNode('sum', [column, row, both]), new NdArray(expected, [2, 3, 5]))
  })

  it('clip holds x between scalars that may be absent', () => {
    const x = floats([-3, -1, 0, 2, 5, NaN, 7])
    expectSame(runNode('clip', [x, floats([-1], []), floats([4], [])]), floats([-1, -1, 0, 2, 4, NaN, 4]))
    expectSame(runNode('clip', [x, undefined, floats([1], [])]), floats([-3, -1, 0, 1, 1, NaN, 1]))
    expectSame(runNode('clip', [x, floats([1], [1])]), floats([1, 1, 1, 2, 5, NaN, 7]))
    expectSame(runNode('clip', [x]), x)
    expectSame(foldNode('clip', [x, floats([-1], []), floats([4], [])]), floats([-1, -1, 0, 2, 4, NaN, 4]))
    expectSame(runNode('clip', [ints([-5, 5]), ints([-2], []), ints([3], [])]), ints([-2, 3]))
  })

  it.each([-3, -2, -1, -0.5, 0, 0.3, 0.5, 1, 1.7, 2, 3, 4, 31])('pow with the exponent %f rounds correctly', (exponent) => {
    const x = new NdArray(Float32Array.from(random(5, [3, 7], 3).data, (value) => (Number.isInteger(exponent) ? value : Math.abs(value))), [3, 7])
    const expected = new NdArray(Float32Array.from(x.data, (value) => value ** Math.fround(exponent)), [3, 7])
    for (const y of [floats([exponent], []), new NdArray(new Float32Array(21).fill(exponent), [3, 7])]) {
      expectSame(runNode('pow', [x, y]), expected)
      expectSame(foldNode('pow', [x, y]), expected)
    }
  })

  it('pow has the special cases of C', () => {
    const cases: [number, number, number][] = [
      [0, 0, 1], [NaN, 0, 1], [1, NaN, 1], [-1, Infinity, 1], [2, Infinity, Infinity], [0.5, Infinity, 0], [0.5, -Infinity, Infinity],
      [-8, 1 / 3, NaN], [-2, 5, -32], [-2, 4, 16], [0, -2, Infinity], [-0, -3, -Infinity], [-0, 3, -0], [-0, 2, 0], [-0, 0.5, 0],
      [Infinity, -1, 0], [-Infinity, 3, -Infinity], [-Infinity, 0.5, Infinity], [-Infinity, -3, -0], [NaN, 2, NaN], [10, 39, Infinity], [10, -46, 0],
      [1e-45, 1, 1e-45], [10, -40, Math.fround(1e-40)], [-1, 2 ** 30, 1],
    ]
    const [x, y, expected] = [0, 1, 2].map((column) => floats(cases.map((row) => row[column] as number))) as [NdArray, NdArray, NdArray]
    expectSame(runNode('pow', [x, y]), expected)
    expectSame(foldNode('pow', [x, y]), expected)
  })

  it('pow over the whole range is the correctly rounded power but for rare ties', () => {
    fc.assert(fc.property(fc.float({ noNaN: true, noDefaultInfinity: true, min: 0 }), fc.float({ noNaN: true, min: -40, max: 40 }), (x, y) => {
      expectSame(runNode('pow', [floats([x]), floats([y])]), floats([x ** y]))
    }), { numRuns: 300, seed: 9 })
  })
})

describe('comparison and logic', () => {
  it.each(Object.entries(COMPARISONS))('%s gives 0 or 1, float32 and int32, folded or run', (op, f) => {
    fc.assert(fc.property(shapes, fc.nat(1000), fc.boolean(), ([aShape, bShape], seed, isInt) => {
      const [wholeA, wholeB] = [whole(seed, aShape, 3), whole(seed + 1, bShape, 3)]
      const [a, b] = isInt ? [wholeA, wholeB] : [wholeA, wholeB].map(({ data, shape }) => new NdArray(Float32Array.from(data), shape)) as [NdArray, NdArray]
      const shape = broadcast(aShape, bShape)
      const expected = new NdArray(Uint8Array.from(tabulate(shape, (...index) => Number(f(at(a, index), at(b, index))))), shape)
      expectSame(runNode(op, [a, b]), expected)
      expectSame(foldNode(op, [a, b]), expected)
    }), { numRuns: 40, seed: 10 })
  })

  it('nothing is true beside NaN', () => {
    const [a, b] = [floats([NaN, 1, NaN]), floats([1, NaN, NaN])]
    for (const op of Object.keys(COMPARISONS)) expectSame(runNode(op, [a, b]), bytes([0, 0, 0]))
  })

  it.each(Object.entries(LOGIC))('%s of bytes', (op, f) => {
    fc.assert(fc.property(shapes, fc.nat(1000), ([aShape, bShape], seed) => {
      const [a, b] = [[seed, aShape], [seed + 1, bShape]].map(([s, shape]) => (
        new NdArray(Uint8Array.from(random(s as number, shape as number[], 2).data, (value) => Math.max(0, Math.trunc(value * 3))), shape as number[])
      )) as [NdArray, NdArray]
      const shape = broadcast(aShape, bShape)
      const expected = new NdArray(Uint8Array.from(tabulate(shape, (...index) => Number(f(at(a, index), at(b, index))))), shape)
      expectSame(runNode(op, [a, b]), expected)
      expectSame(foldNode(op, [a, b]), expected)
    }), { numRuns: 25, seed: 11 })
  })

  it('equal compares bytes, not turns truth around', () => {
    expectSame(runNode('equal', [bytes([0, 1, 2, 1, 1]), bytes([1], [1])]), bytes([0, 1, 0, 1, 1]))
    expectSame(runNode('not', [bytes([0, 1, 2, 0, 0, 1], [2, 3])]), bytes([1, 0, 0, 1, 1, 0], [2, 3]))
    expectSame(foldNode('not', [bytes([0, 1, 2])]), bytes([1, 0, 0]))
    const numbers = new NdArray(Float32Array.of(0, NaN, -Infinity, 3.5, NaN, -0, 1e-45), [7])
    expectSame(runNode('isNaN', [numbers]), bytes([0, 1, 0, 0, 1, 0, 0]))
    expectSame(foldNode('isNaN', [numbers]), bytes([0, 1, 0, 0, 1, 0, 0]))
  })
})

describe('types of elementwise operators', () => {
  const shapeOf = (a: readonly (number | string)[], b: readonly (number | string)[]): readonly (number | string)[] | undefined => (
    buildNode('add', [floats([0], []), floats([0], [])], { shapes: [a, b] }).types.get('y')?.shape
  )

  it('names of sizes broadcast', () => {
    expect(shapeOf(['batch', 1], ['batch', 5])).toEqual(['batch', 5])
    expect(shapeOf(['batch', 'timesteps', 3], [3])).toEqual(['batch', 'timesteps', 3])
    expect(shapeOf([1, 'timesteps'], ['batch', 1])).toEqual(['batch', 'timesteps'])
    expect(shapeOf(['a'], ['b'])).toEqual(['a'])
    expect(shapeOf(['a'], [4])).toEqual([4])
  })

  it('sizes that turn out not to fit are refused when they are known', () => {
    const model = modelOf('add', [random(1, [2, 3]), random(2, [4, 3])], { shapes: [['a', 3], ['b', 3]] })
    expectError(() => model.run({ x0: random(1, [2, 3]), x1: random(2, [4, 3]) }), 'SHAPE', /add 'node'.*\[2, 3\] and \[4, 3\]/)
    expect(lengthOf(model.run({ x0: random(1, [4, 3]), x1: random(2, [1, 3]) }).y?.shape ?? [])).toBe(12)
    model.dispose()
  })

  it('says what does not fit', () => {
    const x = floats([1, 2])
    expectError(() => runNode('add', [x, floats([1, 2, 3])]), 'SHAPE', /add 'node': .*\[2\] and \[3\]/)
    expectError(() => runNode('add', [x]), 'SHAPE', "add 'node': expected 2 inputs, got 1")
    expectError(() => runNode('max', []), 'SHAPE', "max 'node': expected at least one input, got 0")
    expectError(() => runNode('mul', [x, ints([1, 2])]), 'VALUE', "mul 'node': expected float32 input, got int32 [2]")
    expectError(() => runNode('sub', [bytes([1]), bytes([1])]), 'VALUE', "sub 'node': expected float32 or int32 input, got uint8 [1]")
    expectError(() => runNode('pow', [ints([1]), floats([1])]), 'VALUE', "pow 'node': expected float32 input, got int32 [1]")
    expectError(() => runNode('and', [x, x]), 'VALUE', "and 'node': expected uint8 input, got float32 [2]")
    expectError(() => runNode('less', [x]), 'SHAPE', "less 'node': expected 2 inputs, got 1")
    expectError(() => runNode('clip', [x, x]), 'SHAPE', "clip 'node': expected a scalar as input 1, got [2]")
    expectError(() => runNode('mod', [x, x], { attributes: { fmod: 2 } }), 'VALUE', "mod 'node': expected true or false for 'fmod', got 2")
    expectError(() => runNode('add', [x, x], { attributes: { axis: 1 } }), 'UNSUPPORTED', "add 'node': unknown attributes 'axis'; it knows none")
  })

  it('does not fold what would fill the memory', () => {
    expect(foldNode('add', [random(1, [1, 300]), random(2, [300, 1])])).toBeUndefined()
    expect(foldNode('add', [random(1, [300, 300]), floats([1], [])])?.shape).toEqual([300, 300])
  })
})
