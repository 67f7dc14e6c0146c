// Products and cells of every binary beside their plain twins, which debug.wasm has: products to the bit.
import { beforeEach, expect, it } from 'vitest'
import { GruCell } from '../../src/contract/recurrent/gru.ts'
import { LstmCell } from '../../src/contract/recurrent/lstm.ts'
import { RnnCell } from '../../src/contract/recurrent/rnn.ts'
import { pseudoRandom } from '../random.ts'
import { dotDistance, LSTM_KERNEL_DISTANCE } from '../tolerance.ts'
import { debugBinary, describeBinaries } from '../variants.ts'
import { Arena } from './arena.ts'
import { placeProduct } from './product-calls.ts'
import { placeCall, placeGates } from './recurrences.ts'

/** What debug.wasm exports beside the kernels. */
type Twins = Readonly<Record<'referenceProduct' | 'referenceLstm' | 'referenceGru' | 'referenceRnn', (...numbers: number[]) => void>>

const PAGES = 64
const plain = new Arena(debugBinary(), PAGES)
const twins = plain.kernels as unknown as Twins

const far = (got: Float32Array, expected: Float32Array): number => (
  got.reduce((most, value, n) => (Math.abs(value - (expected[n] as number)) <= most ? most : Math.abs(value - (expected[n] as number))), 0)
)

describeBinaries('products', (binary) => {
  const arena = new Arena(binary, PAGES)
  beforeEach(() => {
    arena.clear()
    plain.clear()
  })

  // Around the lengths at which sums are cut, tiles end, groups begin and rows are packed.
  it.each([
    [1, 1, 1], [1, 3, 17], [2, 5, 33], [3, 127, 16], [5, 128, 5], [6, 129, 48], [7, 131, 97], [13, 257, 31], [1, 300, 129], [25, 385, 50], [64, 260, 260],
  ])('of %i rows, %i terms and %i columns are those of the twin', (rows, k, columns) => {
    const [a, weight, bias] = [pseudoRandom(1, rows * k, 1), pseudoRandom(2, columns * k, 1), pseudoRandom(3, columns, 1)]
    const outPtr = plain.allocate(rows * columns * 4)
    twins.referenceProduct(rows, k, columns, plain.floats(a), plain.floats(weight), plain.floats(bias), outPtr)
    const expected = plain.read(outPtr, rows * columns)
    const packedPtr = arena.allocate(arena.kernels.packedDenseBytes(k, columns))
    arena.kernels.packDenseF32(packedPtr, arena.floats(weight), arena.floats(bias), k, columns)
    const [aPtr, gotPtr] = [arena.floats(a), arena.allocate(rows * columns * 4)]
    arena.kernels.gemmF32(placeProduct(arena, rows, k, columns), packedPtr, aPtr, gotPtr, 0)
    const got = arena.read(gotPtr, rows * columns)
    if (binary.name === 'relaxed-simd') expect(far(got, expected)).toBeLessThan(2 * dotDistance(k + 1, k))
    else expect(got).toEqual(expected)
  })
})

interface Weights {
  readonly w: Float32Array
  readonly u: Float32Array
  readonly bi: Float32Array
  readonly bh: Float32Array
}

interface Sizes {
  readonly T: number
  readonly B: number
  readonly F: number
  readonly H: number
}

const SIZES: readonly Sizes[] = [
  { T: 3, B: 1, F: 1, H: 1 }, { T: 7, B: 1, F: 5, H: 3 }, { T: 5, B: 3, F: 3, H: 17 }, { T: 4, B: 2, F: 33, H: 16 }, { T: 9, B: 7, F: 16, H: 5 },
  { T: 3, B: 13, F: 131, H: 133 }, { T: 17, B: 1, F: 130, H: 259 },
]

describeBinaries('cells', (binary) => {
  const arena = new Arena(binary, PAGES)
  const { kernels } = arena
  beforeEach(() => {
    arena.clear()
    plain.clear()
  })

  /** y of the twin and of the kernel, then the final states. */
  function compare({ T, B, F, H }: Sizes, gates: number, states: number, run: {
    twin(pointers: readonly number[], states: readonly number[], yPtr: number, gatesPtr: number): void
    readonly kernel: 'lstmForwardF32' | 'gruF32' | 'rnnF32'
    /** The record of its cell. */
    cell(weights: Weights): number
  }): void {
    const scale = 1 / Math.sqrt(H)
    const weights = [pseudoRandom(1, gates * H * F, scale), pseudoRandom(2, gates * H * H, scale), pseudoRandom(3, gates * H, 1), pseudoRandom(4, gates * H, 1)]
    const [w, u, bi, bh] = weights as [Float32Array, Float32Array, Float32Array, Float32Array]
    const x = pseudoRandom(5, T * B * F, 1)
    const initial = Array.from({ length: states }, (_, n) => pseudoRandom(6 + n, B * H, 1))

    const [plainStates, plainY] = [initial.map((state) => plain.floats(state)), plain.allocate(T * B * H * 4)]
    run.twin([T, B, F, H, plain.floats(x), ...weights.map((weight) => plain.floats(weight))], plainStates, plainY, plain.allocate(2 * gates * H * 4))

    const [ownStates, ownY] = [initial.map((state) => arena.floats(state)), arena.allocate(T * B * H * 4)]
    const chunkSteps = Math.min(T, 4)
    const callPtr = placeCall(arena, {
      timesteps: T, rowEnd: B, xStepBytes: B * F * 4, xRowBytes: F * 4, yStepBytes: B * H * 4, yRowBytes: H * 4, chunkSteps,
      cellPtr: run.cell({ w, u, bi, bh }),
    })
    const workspacePtr = arena.allocate(kernels.recurrentWorkspaceBytes(B, chunkSteps, F, H, H, gates, 0))
    const [hPtr = 0, cPtr = 0] = ownStates
    kernels[run.kernel](callPtr, arena.floats(x), hPtr, cPtr, ownY, 0, 0, workspacePtr)
    expect(far(arena.read(ownY, T * B * H), plain.read(plainY, T * B * H)), 'y').toBeLessThan(LSTM_KERNEL_DISTANCE)
    ownStates.forEach((ptr, n) => expect(far(arena.read(ptr, B * H), plain.read(plainStates[n] as number, B * H)), `state ${n}`).toBeLessThan(LSTM_KERNEL_DISTANCE))
  }

  it.each(SIZES)(`of an LSTM: T $T, B $B, F $F, H $H: within ${LSTM_KERNEL_DISTANCE} of the twin`, (sizes) => {
    compare(sizes, 4, 2, {
      twin: (pointers, states, yPtr, gatesPtr) => twins.referenceLstm(...pointers, ...states, yPtr, gatesPtr),
      kernel: 'lstmForwardF32',
      cell: ({ w, u, bi, bh }) => {
        const inputWeights = placeGates(arena, w, [bi, bh], sizes.F, sizes.H, 4)
        const recurrentWeights = placeGates(arena, u, [], sizes.H, sizes.H, 4)
        return arena.record(LstmCell, { inputWeights, recurrentWeights, hiddenSize: sizes.H, clip: 0, cellClip: 0 })
      },
    })
  })

  const FUNCTIONS = { clip: 0, gateFunction: 1, gateAlpha: 0, gateBeta: 0, candidateFunction: 2, candidateAlpha: 0, candidateBeta: 0 }

  const FORMS = [{ isPlain: 1, reset: 'after' }, { isPlain: 0, reset: 'after' }, { isPlain: 1, reset: 'before' }] as const
  it.each(SIZES.flatMap((sizes) => FORMS.map((form) => ({ ...sizes, ...form }))))(
    `of a GRU that resets $reset the product, in one pass or not ($isPlain): T $T, B $B, F $F, H $H: within ${LSTM_KERNEL_DISTANCE} of the twin`,
    ({ isPlain, reset, ...sizes }) => {
      const { F, H } = sizes
      compare(sizes, 3, 1, {
        twin: (pointers, states, yPtr, gatesPtr) => twins.referenceGru(...pointers, ...states, yPtr, gatesPtr, Number(reset === 'before')),
        kernel: 'gruF32',
        cell: ({ w, u, bi, bh }) => {
          const count = reset === 'before' ? 2 : 3
          return arena.record(GruCell, {
            inputWeights: placeGates(arena, w, [bi], F, H, 3),
            recurrentWeights: placeGates(arena, u.subarray(0, count * H * H), [bh.subarray(0, count * H)], H, H, count),
            candidateWeights: count === 3 ? 0 : placeGates(arena, u.subarray(2 * H * H), [bh.subarray(2 * H)], H, H, 1),
            hiddenSize: H, isPlain, ...FUNCTIONS,
          })
        },
      })
    },
  )

  it.each(SIZES)(`of a simple recurrent layer: T $T, B $B, F $F, H $H: within ${LSTM_KERNEL_DISTANCE} of the twin`, (sizes) => {
    compare(sizes, 1, 1, {
      twin: (pointers, states, yPtr, gatesPtr) => twins.referenceRnn(...pointers, ...states, yPtr, gatesPtr),
      kernel: 'rnnF32',
      cell: ({ w, u, bi, bh }) => {
        const inputWeights = placeGates(arena, w, [bi, bh], sizes.F, sizes.H, 1)
        const recurrentWeights = placeGates(arena, u, [], sizes.H, sizes.H, 1)
        const { clip, candidateFunction, candidateAlpha, candidateBeta } = FUNCTIONS
        return arena.record(RnnCell, { inputWeights, recurrentWeights, hiddenSize: sizes.H, clip, candidateFunction, candidateAlpha, candidateBeta })
      },
    })
  })
})
