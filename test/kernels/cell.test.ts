import { beforeEach, expect, it } from 'vitest'
import { pseudoRandom } from '../random.ts'
import { CELL_UPDATE_LEAST, CELL_UPDATE_RELATIVE } from '../tolerance.ts'
import { describeBinaries } from '../variants.ts'
import { Arena } from './arena.ts'
import { placeCall, placeLstm } from './recurrences.ts'

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/** Gates before activation of one unit, in the order i, f, g, o, and its c. */
type Unit = readonly [i: number, f: number, g: number, o: number, c: number]

describeBinaries('the cell update of lstmForwardF32', (binary) => {
  const arena = new Arena(binary, 16)
  const { kernels } = arena
  beforeEach(() => arena.clear())

  /** One step of a cell whose weights are zeros and whose biases are the gates. */
  function update(units: readonly Unit[], clips: { readonly clip?: number, readonly cellClip?: number } = {}): { c: Float32Array, h: Float32Array } {
    const hiddenSize = units.length
    const cellPtr = placeLstm(arena, {
      inputWeights: new Float32Array(4 * hiddenSize), recurrentWeights: new Float32Array(4 * hiddenSize * hiddenSize),
      biases: [Float32Array.from([0, 1, 2, 3].flatMap((gate) => units.map((unit) => unit[gate] as number)))],
    }, 1, hiddenSize, clips)
    const hPtr = arena.floats(new Float32Array(hiddenSize))
    const cPtr = arena.floats(units.map((unit) => unit[4]))
    const workspacePtr = arena.allocate(kernels.recurrentWorkspaceBytes(1, 1, 1, hiddenSize, hiddenSize, 4, 0))
    const callPtr = placeCall(arena, { timesteps: 1, rowEnd: 1, xStepBytes: 4, xRowBytes: 4, chunkSteps: 1, cellPtr })
    kernels.lstmForwardF32(callPtr, arena.floats([0]), hPtr, cPtr, 0, 0, 0, workspacePtr)
    return { c: arena.read(cPtr, hiddenSize), h: arena.read(hPtr, hiddenSize) }
  }

  it.each([1e-6, 1e-3, 0.3, 3, 20])('is as precise as its terms for gates and states up to %f', (scale) => {
    const numbers = pseudoRandom(1, 5 * 77, scale)
    const units = Array.from({ length: 77 }, (_, n) => Array.from(numbers.subarray(5 * n, 5 * n + 5)) as unknown as Unit)
    const { c, h } = update(units)
    units.forEach(([i, f, g, o, c0], n) => {
      const [kept, added] = [sigmoid(f) * c0, sigmoid(i) * Math.tanh(g)]
      const [gotC, gotH] = [c[n] as number, h[n] as number]
      expect(Math.abs(gotC - (kept + added)), `c[${n}]`).toBeLessThanOrEqual(CELL_UPDATE_RELATIVE * (Math.abs(kept) + Math.abs(added)) + CELL_UPDATE_LEAST)
      const expected = sigmoid(o) * Math.tanh(gotC)
      expect(Math.abs(gotH - expected), `h[${n}]`).toBeLessThanOrEqual(CELL_UPDATE_RELATIVE * Math.abs(expected) + CELL_UPDATE_LEAST)
    })
  })

  it.each([{ clip: 0.7 }, { cellClip: 0.4 }, { clip: 2, cellClip: 1.5 }])('clips gates before activation, and c before it is stored: %j', (clips) => {
    const { clip = Infinity, cellClip = Infinity } = clips
    const clamp = (x: number, limit: number): number => Math.max(-limit, Math.min(limit, x))
    const numbers = pseudoRandom(4, 5 * 77, 3)
    const units = Array.from({ length: 77 }, (_, n) => Array.from(numbers.subarray(5 * n, 5 * n + 5)) as unknown as Unit)
    const { c, h } = update(units, clips)
    // As float32 has the limits.
    const [gateLimit, cellLimit] = [Math.fround(clip), Math.fround(cellClip)]
    units.forEach(([i, f, g, o, c0], n) => {
      const [kept, added] = [sigmoid(clamp(f, gateLimit)) * c0, sigmoid(clamp(i, gateLimit)) * Math.tanh(clamp(g, gateLimit))]
      const [gotC, gotH] = [c[n] as number, h[n] as number]
      expect(Math.abs(gotC - clamp(kept + added, cellLimit)), `c[${n}]`).toBeLessThanOrEqual(CELL_UPDATE_RELATIVE * (Math.abs(kept) + Math.abs(added)))
      expect(Math.abs(gotC), `c[${n}]`).toBeLessThanOrEqual(cellLimit)
      const expected = sigmoid(clamp(o, gateLimit)) * Math.tanh(gotC)
      expect(Math.abs(gotH - expected), `h[${n}]`).toBeLessThanOrEqual(CELL_UPDATE_RELATIVE * Math.abs(expected))
    })
    const reached = 'cellClip' in clips ? c.filter((value) => Math.abs(value) === cellLimit) : units.flat().filter((x) => Math.abs(x) > gateLimit)
    expect(reached.length).toBeGreaterThan(5)
  })

  it('has the same bits with clips that nothing reaches', () => {
    const numbers = pseudoRandom(5, 5 * 77, 200)
    const units = Array.from({ length: 77 }, (_, n) => Array.from(numbers.subarray(5 * n, 5 * n + 5)) as unknown as Unit)
    const plain = update(units)
    for (const clips of [{ clip: 201 }, { clip: 88.9 }, { cellClip: 202 }, { clip: 1e30, cellClip: 1e30 }]) {
      expect(update(units, clips), JSON.stringify(clips)).toEqual(plain)
    }
  })

  it('keeps c to the bit where the forget gate is open and the input gate shut', () => {
    const states = pseudoRandom(2, 9, 100)
    const { c } = update(Array.from(states, (state): Unit => [-Infinity, 30, 1, 0, state]))
    expect(c).toEqual(states)
  })

  it.each([{}, { clip: 9000 }, { cellClip: 9 }])('saturates exactly, and lets NaN through from every gate: %j', (clips) => {
    const { c, h } = update([
      [Infinity, -Infinity, Infinity, Infinity, 7], [-1000, -1000, 5, 5, -3], [1000, 1000, -1000, 1000, 1], [0, 0, 0, -1000, 1],
      [NaN, 0, 0, 0, 1], [0, NaN, 0, 0, 1], [0, 0, NaN, 0, 1], [0, 0, 0, NaN, 1], [0, 0, 0, 0, NaN],
    ], clips)
    expect([...c.subarray(0, 3)]).toEqual([1, 0, 0])
    expect(h[0]).toBeCloseTo(Math.tanh(1), 6)
    expect([...h.subarray(1, 4)]).toEqual([0, 0, 0])
    expect([...c.subarray(4)].map(Number.isNaN)).toEqual([true, true, true, false, true])
    expect([...h.subarray(4)].map(Number.isNaN)).toEqual([true, true, true, true, true])
  })
})
