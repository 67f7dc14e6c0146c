import { beforeEach, expect, it } from 'vitest'
import { MaskRule } from '../../src/contract/recurrent/mask.ts'
import { pseudoRandom } from '../random.ts'
import { referenceLstm, type ReferenceCell, type ReferenceResult } from '../reference.ts'
import { LSTM_KERNEL_DISTANCE } from '../tolerance.ts'
import { describeBinaries } from '../variants.ts'
import { Arena, rowRanges, type Range } from './arena.ts'
import { placeCall, placeLstm } from './recurrences.ts'

const SIZES = [1, 3, 5, 16, 17, 33]

interface Setup {
  readonly inputSize: number
  readonly hiddenSize: number
  readonly batch: number
  readonly timesteps: number
}

interface Call {
  readonly timeMajor?: boolean
  /** Walk from the last step to the first, of x and of y. */
  readonly backwards?: boolean
  readonly rows?: readonly [begin: number, end: number]
  readonly chunkSteps?: number
  /** The first of all. */
  readonly steps?: number
  /** (T, B): 0 where a step is padding. */
  readonly mask?: readonly number[]
  readonly maskRule?: number
  readonly wantOutput?: boolean
  /** Elements from one output row to the next; more than hiddenSize leaves gaps. */
  readonly outputWidth?: number
}

/** What a test brings itself: an arena, the states before, the last recurrent weight. */
interface Own {
  readonly room?: Arena
  readonly h0?: Float32Array
  readonly weight?: number
}

type Cell = { readonly [Weight in keyof ReferenceCell]-?: Float32Array }

function randomCell({ inputSize, hiddenSize }: Setup): Cell {
  const scale = 1 / Math.sqrt(hiddenSize)
  return {
    inputWeights: pseudoRandom(1, 4 * hiddenSize * inputSize, scale),
    recurrentWeights: pseudoRandom(2, 4 * hiddenSize * hiddenSize, scale),
    inputBias: pseudoRandom(3, 4 * hiddenSize, scale),
    recurrentBias: pseudoRandom(4, 4 * hiddenSize, scale),
  }
}

function expectClose(got: Float32Array, expected: Float64Array, what: string): void {
  expect(got.length, what).toBe(expected.length)
  // NaN is far from everything.
  const far = got.findIndex((value, n) => !(Math.abs(value - (expected[n] as number)) <= LSTM_KERNEL_DISTANCE))
  if (far >= 0) expect.fail(`${what}[${far}]: ${got[far]}, expected ${expected[far]} within ${LSTM_KERNEL_DISTANCE}`)
}

describeBinaries('lstmForwardF32', (binary) => {
  const arena = new Arena(binary, 16)
  beforeEach(() => arena.clear())

  /** Puts weights, x and states into memory; each run starts from the same states and checks what was written. */
  function setUp(setup: Setup, { room = arena, h0 = pseudoRandom(6, setup.batch * setup.hiddenSize, 1), weight }: Own = {}) {
    const { kernels } = room
    const { inputSize, hiddenSize, batch, timesteps } = setup
    const cell = randomCell(setup)
    if (weight !== undefined) cell.recurrentWeights[cell.recurrentWeights.length - 1] = weight
    const x = pseudoRandom(5, batch * timesteps * inputSize, 2)
    const c0 = pseudoRandom(7, batch * hiddenSize, 1)
    const cellPtr = placeLstm(room, { ...cell, biases: [cell.inputBias, cell.recurrentBias] }, inputSize, hiddenSize)
    const xPtr = room.floats(x)
    const [hBytes, cBytes] = [h0.byteLength, c0.byteLength]

    const run = (call: Call = {}): { y: Float32Array, h: Float32Array, c: Float32Array } => {
      const { timeMajor = true, backwards = false, rows: [begin, end] = [0, batch], chunkSteps = timesteps, wantOutput = true, outputWidth = hiddenSize } = call
      const { steps = timesteps, mask, maskRule = 0 } = call
      const strides = (width: number): [number, number] => (timeMajor ? [batch * width * 4, width * 4] : [width * 4, timesteps * width * 4])
      const [xStep, xRow] = strides(inputSize)
      const [yStep, yRow] = strides(outputWidth)
      const [hPtr, cPtr] = [room.floats(h0), room.floats(c0)]
      const yPtr = room.allocate(batch * timesteps * outputWidth * 4)
      const workspaceBytes = kernels.recurrentWorkspaceBytes(end - begin, chunkSteps, inputSize, hiddenSize, hiddenSize, 4, 0)
      const workspacePtr = room.allocate(workspaceBytes)
      const maskPtr = mask === undefined ? 0 : room.int8s(Int8Array.from(mask))
      const heldPtr = mask === undefined ? 0 : room.floats(new Float32Array(batch * hiddenSize))
      const sign = backwards ? -1 : 1
      const last = backwards ? timesteps - 1 : 0
      const written: Range[] = [
        [workspacePtr, workspaceBytes],
        [hPtr + begin * hiddenSize * 4, (end - begin) * hiddenSize * 4],
        [cPtr + begin * hiddenSize * 4, (end - begin) * hiddenSize * 4],
      ]
      if (mask !== undefined) written.push([heldPtr, hBytes])
      for (let t = 0; wantOutput && t < timesteps; t++) {
        written.push(...rowRanges(yPtr + t * yStep + begin * yRow, yRow, end - begin, hiddenSize * 4))
      }
      const callPtr = placeCall(room, {
        timesteps: steps, rowBegin: begin, rowEnd: end, xStepBytes: sign * xStep, xRowBytes: xRow, yStepBytes: sign * yStep, yRowBytes: yRow, chunkSteps,
        maskStepBytes: batch, maskRowBytes: 1, maskRule, cellPtr,
      })
      room.call(written, () => kernels.lstmForwardF32(
        callPtr, xPtr + last * xStep, hPtr, cPtr, wantOutput ? yPtr + last * yStep : 0, maskPtr, heldPtr, workspacePtr,
      ))
      return { y: room.read(yPtr, batch * timesteps * outputWidth), h: room.read(hPtr, hBytes / 4), c: room.read(cPtr, cBytes / 4) }
    }

    /** The second direction of a bidirectional reference walks backwards. */
    const reference = ({ timeMajor = true, backwards = false }: Call = {}): ReferenceResult => {
      const input = { batch, timesteps, timeMajor, x }
      if (!backwards) return referenceLstm([[cell]], hiddenSize, { ...input, h0, c0 })
      const twice = (state: Float32Array): Float32Array => Float32Array.from([...state, ...state])
      const both = referenceLstm([[cell, cell]], hiddenSize, { ...input, h0: twice(h0), c0: twice(c0) })
      const second = (row: Float64Array): Float64Array => row.subarray(row.length / 2)
      const rows = Array.from({ length: batch * timesteps }, (_, n) => second(both.output.subarray(n * 2 * hiddenSize, (n + 1) * 2 * hiddenSize)))
      return { output: Float64Array.from(rows.flatMap((row) => [...row])), h_n: second(both.h_n), c_n: second(both.c_n) }
    }
    return { run, reference }
  }

  it.each(SIZES.flatMap((units) => (['hold', 'zero', 'multiply'] as const).map((rule) => [units, rule] as const)))(
    '%i units, masked (%s): the bits of each row on its own, as long as it is', (hiddenSize, rule) => {
      const [batch, timesteps] = [4, 5]
      const lengths = [3, 0, 5, 1]
      const mask = Array.from({ length: timesteps * batch }, (_, n) => Number(Math.floor(n / batch) < (lengths[n % batch] as number)))
      const { run } = setUp({ inputSize: 3, hiddenSize, batch, timesteps })
      const masked = run({ mask, maskRule: MaskRule[rule], chunkSteps: 2 })
      const last = run({ mask, maskRule: MaskRule[rule], wantOutput: false })
      expect([last.h, last.c]).toEqual([masked.h, masked.c])
      lengths.forEach((steps, row) => {
        const rowOf = (values: Float32Array, n = row): Float32Array => values.slice(n * hiddenSize, (n + 1) * hiddenSize)
        const own = run({ rows: [row, row + 1], steps })
        expect([rowOf(masked.h), rowOf(masked.c)], `states of row ${row}`).toEqual([rowOf(own.h), rowOf(own.c)])
        for (let t = 0; t < timesteps; t++) {
          const from = t < steps ? t : rule === 'zero' ? -1 : steps - 1
          const expected = from < 0 ? new Float32Array(hiddenSize) : rowOf(own.y, from * batch + row)
          expect(rowOf(masked.y, t * batch + row), `row ${row}, step ${t}`).toEqual(expected)
        }
      })
    },
  )

  it.each(SIZES.flatMap((inputSize) => SIZES.map((hiddenSize) => [inputSize, hiddenSize])) as [number, number][])(
    'agrees with the reference for %i inputs and %i units', (inputSize, hiddenSize) => {
      for (const [batch, timesteps] of [[1, 1], [1, 5], [2, 3], [3, 5], [5, 2]] as const) {
        arena.clear()
        const { run, reference } = setUp({ inputSize, hiddenSize, batch, timesteps })
        for (const backwards of [false, true]) {
          const timeMajor = batch === 3
          const got = run({ backwards, timeMajor })
          const expected = reference({ backwards, timeMajor })
          expectClose(got.y, expected.output, 'y')
          expectClose(got.h, expected.h_n, 'h')
          expectClose(got.c, expected.c_n, 'c')
        }
      }
    },
  )

  it.each([1, 3, 4, 16, 17, 33])('gives the same bits with chunks of %i steps as with one chunk', (chunkSteps) => {
    for (const batch of [1, 3]) {
      arena.clear()
      const { run } = setUp({ inputSize: 3, hiddenSize: 5, batch, timesteps: 17 })
      expect(run({ chunkSteps, timeMajor: false })).toEqual(run({ timeMajor: false }))
    }
  })

  // More than 128 terms and 256 columns: rows are packed in panels of six, and the rest one by one, group by group, before they are multiplied.
  it.each([
    { inputSize: 131, hiddenSize: 65, batch: 1, timesteps: 13 },
    { inputSize: 5, hiddenSize: 133, batch: 9, timesteps: 3 },
    { inputSize: 257, hiddenSize: 133, batch: 15, timesteps: 3 },
    { inputSize: 131, hiddenSize: 64, batch: 135, timesteps: 2 },
  ])('agrees where rows are packed, with the reference, row by row and in chunks: $inputSize inputs, $hiddenSize units, batch $batch', (setup) => {
    const { run, reference } = setUp(setup, { room: new Arena(binary, 256) })
    const { batch, hiddenSize, timesteps } = setup
    for (const call of [{}, { timeMajor: false }, { backwards: true, timeMajor: false }]) {
      const got = run(call)
      const expected = reference(call)
      expectClose(got.y, expected.output, 'y')
      expectClose(got.h, expected.h_n, 'h')
      expectClose(got.c, expected.c_n, 'c')
      for (const chunkSteps of [1, 2, 5]) expect(run({ ...call, chunkSteps: Math.min(chunkSteps, timesteps) })).toEqual(got)
      for (const [begin, end] of [[batch - 1, batch], [0, Math.min(batch, 3)], [batch >> 1, batch]] as const) {
        const part = run({ ...call, rows: [begin, end] })
        expect(part.h.slice(begin * hiddenSize, end * hiddenSize)).toEqual(got.h.slice(begin * hiddenSize, end * hiddenSize))
      }
    }
  })

  it.each([1, 2, 5])('gives the same final states for %i rows whether the outputs are wanted or not', (batch) => {
    const { run } = setUp({ inputSize: 3, hiddenSize: 17, batch, timesteps: 7 })
    const { h, c } = run()
    for (const chunkSteps of [1, 2, 7]) {
      const without = run({ wantOutput: false, chunkSteps })
      expect(without.h).toEqual(h)
      expect(without.c).toEqual(c)
    }
  })

  it('writes one half of wide output rows and leaves the other half alone', () => {
    const { run } = setUp({ inputSize: 3, hiddenSize: 5, batch: 3, timesteps: 4 })
    const narrow = run({ timeMajor: false }).y
    const wide = run({ timeMajor: false, outputWidth: 11 }).y
    for (let row = 0; row < 12; row++) {
      expect(wide.slice(row * 11, row * 11 + 5), `row ${row}`).toEqual(narrow.slice(row * 5, (row + 1) * 5))
      expect(wide.slice(row * 11 + 5, (row + 1) * 11), `row ${row}`).toEqual(new Float32Array(6).fill(NaN))
    }
  })

  it.each([[0, 1], [1, 2], [2, 5], [1, 5], [3, 3]] as const)('works on rows %i to %i only, with the bits that all rows together give', (begin, end) => {
    const [batch, hiddenSize] = [5, 5]
    const { run } = setUp({ inputSize: 3, hiddenSize, batch, timesteps: 4 })
    const all = run()
    const part = run({ rows: [begin, end] })
    const rowsOf = (values: Float32Array): Float32Array => values.slice(begin * hiddenSize, end * hiddenSize)
    expect(rowsOf(part.h)).toEqual(rowsOf(all.h))
    expect(rowsOf(part.c)).toEqual(rowsOf(all.c))
    for (let t = 0; t < 4; t++) {
      const step = (values: Float32Array): Float32Array => rowsOf(values.subarray(t * batch * hiddenSize, (t + 1) * batch * hiddenSize))
      expect(step(part.y), `step ${t}`).toEqual(step(all.y))
    }
  })

  it.each([[1, 5], [3, 17], [4, 133]])('gives %i rows of %i units that begin with zeros the same bits alone and beside a row that does not', (batch, hiddenSize) => {
    const h0 = pseudoRandom(6, batch * hiddenSize, 1).fill(0, 0, (batch - 1) * hiddenSize)
    for (const timesteps of [1, 3]) {
      const own = { room: new Arena(binary, 128), h0 }
      const { run, reference } = setUp({ inputSize: 3, hiddenSize, batch, timesteps }, own)
      const all = run()
      expectClose(all.h, reference().h_n, 'h')
      const part = run({ rows: [0, batch - 1] })
      expect(part.h.slice(0, (batch - 1) * hiddenSize)).toEqual(all.h.slice(0, (batch - 1) * hiddenSize))
      const still = setUp({ inputSize: 3, hiddenSize, batch, timesteps }, { ...own, h0: new Float32Array(batch * hiddenSize) })
      expectClose(still.run().h, still.reference().h_n, 'h from zeros')
    }
  })

  it.each([Infinity, -Infinity, NaN])('multiplies zeros by a recurrent weight of %d too', (weight) => {
    const { run, reference } = setUp({ inputSize: 3, hiddenSize: 5, batch: 2, timesteps: 1 }, { h0: new Float32Array(10), weight })
    const expected = reference()
    expect(expected.h_n.some(Number.isNaN)).toBe(true)
    expect(Array.from(run().h, Number.isNaN)).toEqual(Array.from(expected.h_n, Number.isNaN))
  })

  it('leaves the states as they are when there are no timesteps', () => {
    const setup = { inputSize: 3, hiddenSize: 5, batch: 2, timesteps: 0 }
    const { run } = setUp(setup)
    const { h, c } = run({ chunkSteps: 1 })
    expect(h).toEqual(pseudoRandom(6, 10, 1))
    expect(c).toEqual(pseudoRandom(7, 10, 1))
  })
})

describeBinaries('recurrentChunkSteps', (binary) => {
  const { recurrentChunkSteps } = new Arena(binary).kernels

  it.each([
    // rows, timesteps, inputSize, hiddenSize: 128 kB of gates, and a gap a row
    { sizes: [1, 1000, 64, 64], steps: 120 },
    { sizes: [1, 1000, 256, 256], steps: 31 },
    { sizes: [5, 1000, 64, 64], steps: 24 },
    // input weights of more than 1 MB: 384 rows
    { sizes: [1, 1000, 257, 256], steps: 384 },
    { sizes: [32, 1000, 1024, 1024], steps: 12 },
    { sizes: [1, 1000, 65536, 32768], steps: 384 },
    { sizes: [1, 17, 1024, 1024], steps: 17 },
    { sizes: [1000, 5, 1024, 1024], steps: 1 },
    { sizes: [0, 0, 1, 1], steps: 1 },
  ])('$sizes: $steps', ({ sizes: [rows, timesteps, inputSize, hiddenSize], steps }) => {
    expect(recurrentChunkSteps(rows as number, timesteps as number, inputSize as number, hiddenSize as number, 4)).toBe(steps)
  })
})
