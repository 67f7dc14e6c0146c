import { beforeEach, expect, it } from 'vitest'
import { pseudoRandom } from '../random.ts'
import { describeBinaries } from '../variants.ts'
import { Arena } from './arena.ts'

const SIZES = [1, 3, 5, 16, 17, 33]

describeBinaries('packGatesF32', (binary) => {
  const arena = new Arena(binary)
  const { kernels } = arena
  beforeEach(() => arena.clear())

  it.each([1, 2, 3, 4].flatMap((gates) => SIZES.flatMap((k) => SIZES.map((units) => [gates, k, units]))) as [number, number, number][])(
    'lays %i gates of %i inputs and %i units out four units side by side, the biases added', (gates, k, units) => {
      const weight = pseudoRandom(1, gates * units * k, 1)
      const biases = [pseudoRandom(2, gates * units, 1), pseudoRandom(3, gates * units, 1)] as const
      const weightPtr = arena.floats(weight)
      const [firstPtr, secondPtr] = biases.map((bias) => arena.floats(bias)) as [number, number]
      const columns = 4 * gates * Math.ceil(units / 4)
      const bytes = kernels.packedGatesBytes(k, units, gates)
      expect(bytes).toBe(64 + Math.ceil(columns / 16) * (k + 1) * 64)
      for (const [first, second, forgetBias] of [[true, true, 0], [true, false, 0.75], [false, true, 0], [false, false, -1.5]] as const) {
        const packedPtr = arena.allocate(bytes)
        arena.call([[packedPtr, bytes]], () => (
          kernels.packGatesF32(packedPtr, weightPtr, first ? firstPtr : 0, second ? secondPtr : 0, k, units, gates, forgetBias)
        ))
        const expected = new Float32Array(bytes / 4 - 16)
        for (let gate = 0; gate < gates; gate++) {
          for (let unit = 0; unit < units; unit++) {
            const column = Math.floor(unit / 4) * 4 * gates + 4 * gate + unit % 4
            const at = Math.floor(column / 16) * (k + 1) * 16 + column % 16
            const row = gate * units + unit
            const bias = Math.fround((first ? biases[0][row] as number : 0) + (second ? biases[1][row] as number : 0))
            expected[at] = bias + (gate === 1 ? forgetBias : 0)
            for (let n = 0; n < k; n++) expected[at + (n + 1) * 16] = weight[row * k + n] as number
          }
        }
        expect(arena.read(packedPtr + 64, expected.length)).toEqual(expected)
        expect([...new Int32Array(arena.bytes(packedPtr, 16).buffer)]).toEqual([0, k, columns, 1]) // float32, all of them finite
      }
    },
  )

  it.each([Infinity, -Infinity, NaN])('tells a matrix with %d from one whose weights are finite, wherever it is', (weight) => {
    const [k, units, gates] = [3, 5, 3]
    for (let at = 0; at < k * units * gates; at++) {
      arena.clear()
      const weights = pseudoRandom(1, k * units * gates, 1)
      weights[at] = weight
      const packedPtr = arena.allocate(kernels.packedGatesBytes(k, units, gates))
      kernels.packGatesF32(packedPtr, arena.floats(weights), 0, 0, k, units, gates, 0)
      expect(new Int32Array(arena.bytes(packedPtr, 16).buffer)[3], `weight ${at}`).toBe(0)
    }
  })
})
