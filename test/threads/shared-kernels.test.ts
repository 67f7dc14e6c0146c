// Which kernels are called, and how often: a call that is made twice gives the same numbers, and takes twice the time.
import { describe, expect, it } from 'vitest'
import { ProductCall } from '../../src/contract/products/gemm.ts'
import { Matrix } from '../../src/contract/products/layout.ts'
import { LstmCell } from '../../src/contract/recurrent/lstm.ts'
import { Recurrence } from '../../src/contract/recurrent/recurrence.ts'
import { ConvolveCall } from '../../src/contract/windows/convolve.ts'
import type { ThreadKernels } from '../../src/contract/thread-kernels.ts'
import type { Kernels } from '../../src/runtime/kernels.ts'
import { Way, type Crew, type Site } from '../../src/runtime/threads/crew.ts'
import { SharedKernels } from '../../src/runtime/threads/shared-kernels.ts'
import type { RecordFields } from '../../src/values/record.ts'

const [CALL, MATRIX, CELL, CREW] = [64, 512, 768, 4096]

/** A crew that says how every call is made, and notes what it is asked and told; and kernels that note that they are called. */
function made(way: number, results: Readonly<Record<string, number>> = {}) {
  const called: string[] = []
  const ints = new Int32Array(2048)
  const plain = new Proxy({}, {
    get: (_, name: string) => () => {
      called.push(name)
      return results[name] ?? 1
    },
    ownKeys: () => [],
  }) as Kernels & ThreadKernels
  const sites: Site[] = []
  const crew = {
    ptr: CREW, ints, threads: 3, least: 1000, scratchPtr: 0, scratchStride: 0,
    begin(site: Site) {
      sites.push(site)
      return way
    },
    ended: (isDone: boolean) => called.push(isDone ? 'ended' : 'broken off'),
    reserve: () => undefined,
  } as unknown as Crew
  const write = <Fields extends RecordFields>(ptr: number, fields: Fields, values: Partial<Record<keyof Fields & string, number>>) => {
    for (const [name, value] of Object.entries(values)) ints[ptr / 4 + Object.keys(fields).indexOf(name)] = value as number
  }
  write(MATRIX, Matrix, { k: 20, columns: 30 })
  write(CALL, ProductCall, { steps: 1, rows: 7 })
  return { shared: new SharedKernels(plain, crew), called, sites, write, ints }
}

describe('a product', () => {
  it.each([
    [Way.unmeasured, ['gemmF32']],
    [Way.alone, ['gemmF32', 'ended']],
    [Way.shared, ['shareGemmF32', 'ended']],
    [Way.waking, ['shareGemmF32', 'ended']],
  ])('is made once, whichever way: %i', (way, expected) => {
    const { shared, called, sites } = made(way)
    shared.kernels.gemmF32(CALL, MATRIX, 0, 0, 0)
    expect(called).toEqual(expected)
    expect(sites.map(({ multiplyAdds }) => multiplyAdds)).toEqual([7 * 20 * 30])
  })

  it('is told to have broken off where a part is missing', () => {
    const { shared, called } = made(Way.shared, { shareGemmF32: 0 })
    shared.kernels.gemmF32(CALL, MATRIX, 0, 0, 0)
    expect(called).toEqual(['shareGemmF32', 'broken off'])
  })

  it('that is too small is no question for the crew', () => {
    const { shared, called, sites, write } = made(Way.shared)
    write(CALL, ProductCall, { rows: 1 })
    shared.kernels.gemmF32(CALL, MATRIX, 0, 0, 0)
    expect([called, sites]).toEqual([['gemmF32'], []])
  })
})

describe('a convolution', () => {
  it.each([
    [Way.unmeasured, 1, ['convolveF32']],
    [Way.alone, 1, ['convolveF32', 'ended']],
    [Way.shared, 1, ['shareConvolveF32', 'ended']],
    [Way.waking, 0, ['shareConvolveF32', 'broken off']],
  ])('is made once, whichever way: %i', (way, shareConvolveF32, expected) => {
    const { shared, called, sites, write } = made(way, { shareConvolveF32 })
    write(CALL, ConvolveCall, { outHeight: 3, outWidth: 5 })
    shared.kernels.convolveF32(CALL, MATRIX, 0, 0, 0)
    expect(called).toEqual(expected)
    expect(sites.map(({ multiplyAdds }) => multiplyAdds)).toEqual([15 * 20 * 30])
  })
})

describe('a layer', () => {
  const call = (way: number, rows: number, name: 'lstmForwardF32' | 'gruF32', maskPtr = 0) => {
    const test = made(way, { leadLstmF32: 0, addLayer: 2 })
    test.write(CALL, Recurrence, { rowBegin: 0, rowEnd: rows, cellPtr: CELL })
    test.write(CELL, LstmCell, { hiddenSize: 64 })
    const kernels = test.shared.kernelsFor(5000)
    kernels[name](CALL, 0, 0, 0, 0, maskPtr, 0, 0)
    return test
  }

  it('that is too small for threads has the kernels themselves, and nobody is asked', () => {
    const { shared, called, sites, write } = made(Way.shared)
    write(CALL, Recurrence, { rowBegin: 0, rowEnd: 4 })
    shared.kernelsFor(999).lstmForwardF32(CALL, 0, 0, 0, 0, 0, 0, 0)
    expect([called, sites]).toEqual([['lstmForwardF32'], []])
  })

  it.each([
    [Way.unmeasured, ['lstmForwardF32']],
    [Way.alone, ['lstmForwardF32', 'ended']],
    [Way.shared, ['setBuffers', 'addLayer', 'runTasks', 'ended']],
    [Way.waking, ['setBuffers', 'addLayer', 'runTasks', 'ended']],
  ])('of several rows is made once, whichever way: %i', (way, expected) => {
    const { called, sites } = call(way, 4, 'lstmForwardF32')
    expect(called).toEqual(expected)
    expect(sites.map(({ multiplyAdds }) => multiplyAdds)).toEqual([5000])
  })

  it('of one row shares its units, where there is no mask and it is an LSTM; otherwise the crew is not asked', () => {
    expect(call(Way.shared, 1, 'lstmForwardF32').called).toEqual(['setBuffers', 'leadLstmF32', 'ended'])
    expect(call(Way.shared, 1, 'lstmForwardF32', 8).called).toEqual(['lstmForwardF32'])
    expect(call(Way.shared, 1, 'gruF32').called).toEqual(['gruF32'])
  })

  it('in both directions is collected, and run at the end, if the two are shared; alone, neither asks again', () => {
    for (const [way, expected] of [
      [Way.unmeasured, ['lstmForwardF32', 'lstmForwardF32']],
      [Way.alone, ['lstmForwardF32', 'lstmForwardF32', 'ended']],
      [Way.shared, ['setBuffers', 'addLayer', 'setBuffers', 'addLayer', 'runTasks', 'ended']],
    ] as const) {
      const { shared, called, sites, write } = made(way, { addLayer: 2 })
      write(CALL, Recurrence, { rowBegin: 0, rowEnd: 1, cellPtr: CELL })
      const kernels = shared.kernelsFor(5000)
      const both = shared.together(5000, 2)
      both.begin()
      kernels.lstmForwardF32(CALL, 0, 0, 0, 0, 8, 0, 0)
      kernels.lstmForwardF32(CALL, 0, 0, 0, 0, 8, 0, 0)
      both.end()
      expect([way, called]).toEqual([way, expected])
      expect(sites.length).toBe(1)
    }
  })
})
