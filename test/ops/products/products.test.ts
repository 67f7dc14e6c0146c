import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NdArray } from '../../../src/values/ndarray.ts'
import { expectError } from '../../expect-error.ts'
import { at, broadcast, bytes, expectClose, expectSame, floats, indicesOf, ints, random, rowOf, tabulate } from '../reference.ts'
import { buildNode, foldNode, modelOf, runNode } from '../one-node.ts'

const size = fc.constantFrom(1, 2, 3, 5, 17)

/** An index with another position along one axis. */
function along(index: readonly number[], axis: number, position: number): number[] {
  return index.map((n, other) => (other === axis ? position : n))
}

/** numpy's matmul of operands with at least two axes. */
function product(a: NdArray, b: NdArray): [number[], Float64Array] {
  const [m, k, n] = [a.shape.at(-2) as number, a.shape.at(-1) as number, b.shape.at(-1) as number]
  const shape = [...broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2)), m, n]
  return [shape, tabulate(shape, (...index) => {
    const batch = index.slice(0, -2)
    let sum = 0
    for (let i = 0; i < k; i++) sum += at(a, [...batch, index.at(-2), i]) * at(b, [...batch, i, index.at(-1)])
    return sum
  })]
}

describe('matMul', () => {
  const batches = fc.constantFrom<[number[], number[]]>(
    [[], []], [[3], []], [[], [3]], [[3], [3]], [[3], [1]], [[2, 3], [2, 3]], [[2, 1], [3]], [[1, 3], [2, 1]],
  )

  it('agrees with float64 over stacks that broadcast; constants on either side and folding change no bit', () => {
    fc.assert(fc.property(batches, size, size, size, fc.nat(99), ([aBatch, bBatch], m, k, n, seed) => {
      const [a, b] = [random(seed, [...aBatch, m, k]), random(seed + 1, [...bBatch, k, n])]
      const [shape, expected] = product(a, b)
      const got = runNode('matMul', [a, b])
      expectClose(got, shape, expected, 1e-5)
      expectSame(runNode('matMul', [a, b], { constants: [1] }), got)
      expectSame(runNode('matMul', [a, b], { constants: [0] }), got)
      expectSame(foldNode('matMul', [a, b]), got)
    }), { numRuns: 60, seed: 1 })
  })

  it('vectors are a row on the left and a column on the right', () => {
    const [a, b, matrix] = [random(1, [150]), random(2, [150]), random(3, [150, 3])]
    const [, dot] = product(a.reshape([1, 150]), b.reshape([150, 1]))
    const [, row] = product(a.reshape([1, 150]), matrix)
    for (const constants of [[], [1]]) {
      expectClose(runNode('matMul', [a, b], { constants }), [], dot, 1e-5)
      expectClose(runNode('matMul', [a, matrix], { constants }), [3], row, 1e-5)
      expectSame(runNode('matMul', [random(3, [5, 150]), b], { constants }), new NdArray(runNode('matMul', [random(3, [5, 150]), b.reshape([150, 1])]).data, [5]))
    }
    expectSame(foldNode('matMul', [a, b]), runNode('matMul', [a, b]))
  })

  it('runs again with other sizes, its constant packed once', () => {
    const b = random(2, [5, 7])
    const model = modelOf('matMul', [random(1, [1, 5]), b], { constants: [1], shapes: [['batch', 5]] })
    for (const batch of [1, 4, 2]) {
      const a = random(batch, [batch, 5])
      expectClose(model.run({ x0: a }).y as NdArray, ...product(a, b), 1e-6)
    }
    model.dispose()
  })

  it('a row alone is the row of a batch', () => {
    const [a, b] = [random(1, [5, 3, 130]), random(2, [5, 130, 9])]
    const all = runNode('matMul', [a, b])
    for (let row = 0; row < 5; row++) expectSame(runNode('matMul', [rowOf(a, row), rowOf(b, row)]), rowOf(all, row))
  })

  it('says what does not fit, and knows the shapes', () => {
    expectError(() => runNode('matMul', [random(1, [2, 3]), random(1, [4, 2])]), 'SHAPE', "matMul 'node': expected as many columns as rows, got [2, 3] and [4, 2]")
    expectError(() => runNode('matMul', [floats([1], []), random(1, [1, 1])]), 'SHAPE', "matMul 'node': expected at least one axis, got [] and [1, 1]")
    expectError(() => runNode('matMul', [ints([1]), ints([1])]), 'VALUE', "matMul 'node': expected float32 input, got int32 [1]")
    const builder = buildNode('matMul', [random(1, [1, 1, 3]), random(2, [3, 4])], { shapes: [['batch', 'timesteps', 3]], constants: [1] })
    expect(builder.types.get('y')?.shape).toEqual(['batch', 'timesteps', 4])
  })
})

describe('gemm', () => {
  it('agrees with float64 for every transposition, scale and third input', () => {
    const cShapes = fc.constantFrom('none', 'scalar', 'row', 'column', 'full', 'vector')
    const numbers = fc.constantFrom(1, 0.5, -2)
    fc.assert(fc.property(size, size, size, fc.boolean(), fc.boolean(), numbers, numbers, cShapes, (m, k, n, transA, transB, alpha, beta, cShape) => {
      const a = random(1, transA ? [k, m] : [m, k])
      const b = random(2, transB ? [n, k] : [k, n])
      const c = cShape === 'none' ? undefined : random(3, { scalar: [], row: [1, n], column: [m, 1], full: [m, n], vector: [n] }[cShape])
      const expected = tabulate([m, n], (row, column) => {
        let sum = 0
        for (let i = 0; i < k; i++) sum += at(a, transA ? [i, row] : [row, i]) * at(b, transB ? [column, i] : [i, column])
        return alpha * sum + (c === undefined ? 0 : beta * at(c, [row, column]))
      })
      const attributes = { alpha, beta, transA: Number(transA), transB: Number(transB) }
      const got = runNode('gemm', [a, b, c], { attributes })
      expectClose(got, [m, n], expected, 1e-5)
      expectSame(runNode('gemm', [a, b, c], { attributes, constants: c === undefined ? [1] : [1, 2] }), got)
      if (c !== undefined) expectSame(foldNode('gemm', [a, b, c], attributes), got)
    }), { numRuns: 80, seed: 2 })
  })

  it('says what does not fit', () => {
    expectError(() => runNode('gemm', [random(1, [2, 3]), random(1, [2, 3])]), 'SHAPE', "gemm 'node': expected as many columns as rows, got [2, 3] and [2, 3]")
    expectError(() => runNode('gemm', [random(1, [2, 3]), random(1, [3, 4]), random(1, [3])]), 'SHAPE', /gemm 'node': .*\[2, 4\] and \[3\]/)
    expectError(
      () => runNode('gemm', [random(1, [1, 3]), random(1, [3, 4]), random(1, [2, 4])]), 'SHAPE',
      "gemm 'node': expected a third input that broadcasts to [1, 4], got [2, 4]",
    )
    expectError(() => runNode('gemm', [random(1, [2, 1, 3]), random(1, [3, 4])]), 'SHAPE', "gemm 'node': expected an input with 2 axes, got [2, 1, 3]")
  })
})

const REDUCTIONS: Readonly<Record<string, (x: readonly number[]) => number>> = {
  reduceSum: (x) => x.reduce((a, b) => a + b, 0),
  reduceMean: (x) => x.reduce((a, b) => a + b, 0) / x.length,
  reduceMax: (x) => Math.max(...x),
  reduceMin: (x) => Math.min(...x),
  reduceProd: (x) => x.reduce((a, b) => a * b, 1),
  reduceL2: (x) => Math.sqrt(x.reduce((a, b) => a + b * b, 0)),
  reduceSumSquare: (x) => x.reduce((a, b) => a + b * b, 0),
}

describe('reductions', () => {
  const tensors = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 })
    .chain((shape) => fc.tuple(fc.constant(shape), fc.subarray([...shape.keys()]), fc.boolean(), fc.boolean()))

  it.each(Object.entries(REDUCTIONS))('%s over any axes agrees with float64, folded or run', (op, f) => {
    fc.assert(fc.property(tensors, fc.nat(99), ([shape, axes, keepdims, fromEnd], seed) => {
      const x = random(seed, shape)
      const gone = new Set(axes.length === 0 ? shape.keys() : axes)
      const reduced = shape.map((_, axis) => gone.has(axis))
      const kept = shape.map((length, axis) => (reduced[axis] ? 1 : length))
      const expected = tabulate(kept, (...index) => (
        f(indicesOf(shape).filter((inner) => inner.every((n, axis) => gone.has(axis) || n === index[axis])).map((inner) => at(x, inner)))
      ))
      const outShape = keepdims ? kept : shape.filter((_, axis) => !reduced[axis])
      const inputs = [x, ...(axes.length > 0 ? [ints(axes.map((axis) => (fromEnd ? axis - shape.length : axis)))] : [])]
      const attributes = { keepdims: Number(keepdims) }
      const got = runNode(op, inputs, { attributes, constants: [1] })
      expectClose(got, outShape, expected, 1e-6)
      expectSame(foldNode(op, inputs, attributes), got)
    }), { numRuns: 40, seed: 3 })
  })

  it.each(['reduceSum', 'reduceMax', 'reduceMin', 'reduceProd'])('%s of int32', (op) => {
    const x = ints([3, -2, 5, 7, 11, -13], [2, 3])
    const rows = [[3, -2, 5], [7, 11, -13]].map((row) => (REDUCTIONS[op] as (x: readonly number[]) => number)(row))
    expectSame(runNode(op, [x, ints([1])], { attributes: { keepdims: 0 }, constants: [1] }), ints(rows))
    expectSame(foldNode(op, [x, ints([1])], { keepdims: 0 }), ints(rows))
  })

  it.each(['reduceMean', 'reduceL1', 'reduceL2', 'reduceSumSquare', 'reduceLogSum', 'reduceLogSumExp'])('%s is of float32 alone', (op) => {
    expectError(() => buildNode(op, [ints([1, 2], [2])]), 'VALUE', `${op} 'node': expected float32 input, got int32 [2]`)
  })

  it.each(['reduceSum', 'argMax'])('%s is computed beforehand up to 65536 elements', (op) => {
    const x = (length: number): NdArray => new NdArray(new Float32Array(length).fill(1), [length])
    expect(foldNode(op, [x(65_536)])?.data[0]).toBe(op === 'reduceSum' ? 65_536 : 0)
    expect(foldNode(op, [x(65_537)])).toBe(undefined)
    expect(runNode(op, [x(65_537)], { constants: [0] }).data[0]).toBe(op === 'reduceSum' ? 65_537 : 0)
  })

  it('empty axes reduce everything, or nothing', () => {
    const x = random(1, [2, 3])
    const axes = new NdArray(new Int32Array(0), [0])
    expect(runNode('reduceSum', [x, axes], { constants: [1] }).shape).toEqual([1, 1])
    expectSame(runNode('reduceSum', [x, axes], { constants: [1], attributes: { noopWithEmptyAxes: 1 } }), x)
    const squares = new NdArray(Float32Array.from(x.data, (value) => value * value), [2, 3])
    expectSame(runNode('reduceSumSquare', [x], { attributes: { noopWithEmptyAxes: 1 } }), squares)
    expectSame(foldNode('reduceSumSquare', [x], { noopWithEmptyAxes: 1 }), squares)
  })

  it('NaN spreads; long sums keep their digits', () => {
    for (const op of Object.keys(REDUCTIONS)) expectSame(runNode(op, [floats([1, NaN, 2, 3, 4])]), floats([NaN]))
    const x = new NdArray(new Float32Array(100_003).fill(0.1), [100_003])
    expectSame(runNode('reduceMean', [x]), floats([0.1]))
  })

  it('an output is the same bits however many are beside it', () => {
    const x = random(1, [5, 23, 7])
    for (const op of Object.keys(REDUCTIONS)) {
      for (const axis of [1, 2]) {
        const axes = ints([axis])
        const all = runNode(op, [x, axes], { constants: [1] })
        for (let row = 0; row < 5; row++) expectSame(runNode(op, [rowOf(x, row), axes], { constants: [1] }), rowOf(all, row))
      }
      // One column alone: the axis that goes is the last one then.
      const column = new NdArray(Float32Array.from({ length: 23 }, (_, n) => at(x, [2, n, 3])), [1, 23, 1])
      const [alone, together] = [runNode(op, [column, ints([1])], { constants: [1] }), runNode(op, [x, ints([1])], { constants: [1] })]
      expect(alone.data[0]).toBe(at(together, [2, 0, 3]))
    }
  })

  it.each([['argMax', Math.max], ['argMin', Math.min]] as const)('%s finds the first or the last of equals along any axis', (op, best) => {
    fc.assert(fc.property(tensors, fc.nat(99), fc.boolean(), ([shape, , keepdims], seed, last) => {
      const axis = seed % shape.length
      const x = new NdArray(Float32Array.from(random(seed, shape, 3).data, Math.trunc), shape)
      const kept = shape.map((length, n) => (n === axis ? 1 : length))
      const expected = tabulate(kept, (...index) => {
        const row = Array.from({ length: shape[axis] as number }, (_, n) => at(x, along(index, axis, n)))
        return last ? row.lastIndexOf(best(...row)) : row.indexOf(best(...row))
      })
      const outShape = keepdims ? kept : shape.filter((_, n) => n !== axis)
      const attributes = { axis: seed % 2 === 0 ? axis : axis - shape.length, keepdims, selectLastIndex: Number(last) }
      const wanted = new NdArray(Int32Array.from(expected), outShape)
      expectSame(runNode(op, [x], { attributes }), wanted)
      expectSame(foldNode(op, [x], attributes), wanted)
      expectSame(runNode(op, [new NdArray(Int32Array.from(x.data), shape)], { attributes }), wanted)
    }), { numRuns: 40, seed: 4 })
  })

  it('says what does not fit', () => {
    const x = random(1, [2, 3])
    const sum = (axes: NdArray, constants = [1]) => (): NdArray => runNode('reduceSum', [x, axes], { constants })
    expectError(sum(ints([2])), 'VALUE', "reduceSum 'node': expected an axis from -2 to 1, got 2")
    expectError(sum(ints([1, -1])), 'VALUE', "reduceSum 'node': expected every axis once, got [1, -1]")
    expectError(sum(floats([1])), 'VALUE', "reduceSum 'node': expected int32 axes, got float32 [1]")
    expectError(sum(ints([1]), []), 'UNSUPPORTED', "reduceSum 'node': axes (input 'x1') must follow from constants and shapes")
    expectError(() => runNode('reduceMean', [ints([1])]), 'VALUE', "reduceMean 'node': expected float32 input, got int32 [1]")
    expectError(() => runNode('reduceMax', [bytes([1])]), 'VALUE', "reduceMax 'node': expected float32 or int32 input, got uint8 [1]")
    expectError(() => runNode('argMax', [x], { attributes: { axis: 0.5 } }), 'VALUE', "argMax 'node': expected a whole number for 'axis', got 0.5")
  })
})

describe('softmax and logSoftmax', () => {
  it.each(['softmax', 'logSoftmax'])('%s along any axis agrees with float64', (op) => {
    for (const [scale, shape] of [[1, [3, 5, 7]], [30, [3, 5, 7]], [1, [3, 5, 2]], [1, [4, 3, 1]], [1, [2, 1, 2]]] as const) {
      for (const axis of [-1, 0, 1, 2]) {
        const x = random(axis + 9, shape, scale)
        const place = axis < 0 ? axis + 3 : axis
        const expected = tabulate(shape, (...index) => {
          const row = Array.from({ length: shape[place] as number }, (_, n) => at(x, along(index, place, n)))
          const highest = Math.max(...row)
          const sum = row.reduce((total, value) => total + Math.exp(value - highest), 0)
          const shifted = at(x, index) - highest
          return op === 'softmax' ? Math.exp(shifted) / sum : shifted - Math.log(sum)
        })
        expectClose(runNode(op, [x], { attributes: { axis } }), shape, expected, 3e-7)
      }
    }
  })

  it('logSoftmax stays finite where softmax is 0, and is 0 where it is alone', () => {
    expectSame(runNode('logSoftmax', [floats([0, -1000, -3e38])]), floats([0, -1000, -3e38]))
    expectSame(runNode('logSoftmax', [random(1, [5, 1])]), floats([0, 0, 0, 0, 0], [5, 1]))
  })

  it('a row alone is the row of a batch', () => {
    const x = random(1, [5, 9, 3])
    for (const op of ['softmax', 'logSoftmax']) {
      for (const axis of [1, 2]) {
        const all = runNode(op, [x], { attributes: { axis } })
        for (let row = 0; row < 5; row++) expectSame(runNode(op, [rowOf(x, row)], { attributes: { axis } }), rowOf(all, row))
      }
    }
  })

  it('says what does not fit', () => {
    expectError(() => runNode('softmax', [floats([1], [])]), 'SHAPE', "softmax 'node': expected at least one axis, got a scalar")
    expectError(() => runNode('logSoftmax', [floats([1])], { attributes: { axis: 1 } }), 'VALUE', "logSoftmax 'node': expected an axis from -1 to 0, got 1")
  })
})
