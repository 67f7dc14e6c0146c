import { expect } from 'vitest'
import type { Kernels } from '../../src/runtime/kernels.ts'
import { FIRST_BLOCK_PTR } from '../../src/runtime/memory.ts'
import type { Binary } from '../variants.ts'

/** Bytes [ptr, ptr + bytes) that a kernel may change. */
export type Range = readonly [ptr: number, bytes: number]

const ALIGNMENT = 64
/** A NaN, and no byte of it like another: whatever reads it is poisoned, whatever overwrites it is seen. */
const UNTOUCHED = 0x7fc1a5e7

/**
 * A binary's kernels and a linear memory full of NaN. Blocks are aligned and padded as in the
 * runtime, with NaN in the padding and between them.
 */
export class Arena {
  readonly kernels: Kernels
  readonly #memory: WebAssembly.Memory
  #end = FIRST_BLOCK_PTR

  /** @param pages of 64 KiB */
  constructor({ module }: Binary, pages: number = 8) {
    this.#memory = new WebAssembly.Memory({ initial: pages })
    this.kernels = new WebAssembly.Instance(module, { env: { memory: this.#memory } }).exports as unknown as Kernels
    this.clear()
  }

  /** Everything is NaN again, and all blocks are free. */
  clear(): void {
    new Uint32Array(this.#memory.buffer, FIRST_BLOCK_PTR).fill(UNTOUCHED)
    this.#end = FIRST_BLOCK_PTR
  }

  allocate(bytes: number): number {
    const ptr = this.#end
    // At least one vector of NaN stays behind every block.
    this.#end = Math.ceil((ptr + bytes + 16) / ALIGNMENT) * ALIGNMENT
    expect(this.#end, 'arena').toBeLessThanOrEqual(this.#memory.buffer.byteLength)
    return ptr
  }

  floats(values: ArrayLike<number>): number {
    const ptr = this.allocate(values.length * 4)
    new Float32Array(this.#memory.buffer, ptr, values.length).set(values)
    return ptr
  }

  ints(values: readonly number[]): number {
    const ptr = this.allocate(values.length * 4)
    new Int32Array(this.#memory.buffer, ptr, values.length).set(values)
    return ptr
  }

  /** A copy of floats that lie close together. */
  read(ptr: number, length: number): Float32Array {
    return new Float32Array(this.#memory.buffer, ptr, length).slice()
  }

  /** A copy of bytes, for comparing bit by bit. */
  bytes(ptr: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, ptr, length).slice()
  }

  /** Runs a kernel and checks that it changed nothing outside `writable`. */
  call<T>(writable: readonly Range[], run: () => T): T {
    const before = new Uint8Array(this.#memory.buffer).slice()
    const result = run()
    const after = new Uint8Array(this.#memory.buffer)
    for (const [ptr, bytes] of writable) before.set(after.subarray(ptr, ptr + bytes), ptr)
    if (Buffer.compare(before, after) !== 0) {
      const at = before.findIndex((byte, n) => byte !== after[n])
      expect.fail(`a kernel wrote at ${at}, expected only ${JSON.stringify(writable)}`)
    }
    return result
  }
}

/** Ranges of `rows` rows of `rowBytes` bytes, each `strideBytes` after the one before. */
export function rowRanges(ptr: number, strideBytes: number, rows: number, rowBytes: number): Range[] {
  return Array.from({ length: rows }, (_, row) => [ptr + row * strideBytes, rowBytes])
}
