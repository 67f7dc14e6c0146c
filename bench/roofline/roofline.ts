// Measures the engine's peak: the most multiply-adds per second, and bytes per second by size of what is read.
import { readBytes } from '../files.ts'
import { ROOT } from '../places.ts'

/** Where data begins in the module's memory, and the operands of multiplyAdds: x = x a + a stays near 1. */
const DATA = 1024
const OPERANDS = [0.5, 1]
const PAGE = 65536

/** One measurement lasts about this long; the best of a few counts, as the peak is what is undisturbed. */
const SLICE_MS = 1.5
const TRIES = 3
const WARM_UP_MS = 60

export interface Roofline { peakGflops(): number, gigabytesPerSecond(bytes: number): number }

/**
 * @param variant `simd` or `relaxed-simd`
 * @param now milliseconds
 */
export async function openRoofline(variant: string, now: () => number = () => performance.now()): Promise<Roofline> {
  const { instance } = await WebAssembly.instantiate(await readBytes(new URL(`build/bench/roofline-${variant}.wasm`, ROOT)), {})
  const { memory, multiplyAdds, loads, flopsPerTurn } =
    (instance.exports as unknown) as { memory: WebAssembly.Memory } & Record<string, (...numbers: number[]) => number>

  /** Makes room for a block. */
  const reserve = (bytes: number) => {
    const missing = DATA + bytes - memory.buffer.byteLength
    if (missing <= 0) return
    memory.grow(Math.ceil(missing / PAGE))
    // Untouched pages are one page of zeros to the system: they would all be read from L1.
    new Float32Array(memory.buffer, DATA).fill(1)
  }
  /** Rewritten each time: the blocks of loads begin here too. */
  const setOperands = () => new Float32Array(memory.buffer, DATA, 8).set(OPERANDS.flatMap((value) => [value, value, value, value]))
  const flops = flopsPerTurn()
  reserve(PAGE)
  /** Best rate of a few runs, each as many turns as fill the slice. */
  const best = (run: (turns: number) => unknown, workPerTurn: number) => {
    let turns = 1
    let rate = 0
    for (let tries = 0; tries < TRIES;) {
      const start = now()
      run(turns)
      const elapsed = now() - start
      if (elapsed < SLICE_MS / 2) {
        turns *= 2
        continue
      }
      rate = Math.max(rate, turns * workPerTurn / elapsed / 1e6)
      tries++
    }
    return rate
  }
  // Short calls at first, so that engines that compile twice have done so before it counts.
  setOperands()
  for (const begin = now(); now() - begin < WARM_UP_MS;) {
    multiplyAdds(1000, DATA)
    loads(DATA, PAGE / 2, 1)
  }
  return {
    peakGflops() {
      setOperands()
      return best((turns) => multiplyAdds(turns, DATA), flops)
    },
    gigabytesPerSecond(bytes) {
      const whole = Math.max(128, Math.floor(bytes / 128) * 128)
      reserve(whole)
      return best((turns) => loads(DATA, whole, turns), whole)
    },
  }
}
