import { expect } from 'vitest'
import type { Kernels } from '../../src/runtime/kernels.ts'
import { FIRST_BLOCK_PTR } from '../../src/runtime/memory.ts'
import { encodeRecord, type RecordFields, type RecordPointer, type RecordValues } from '../../src/values/record.ts'
import type { Binary } from '../variants.ts'

/** Bytes [ptr, ptr + bytes) that a kernel may change. */
export type Range = readonly [ptr: number, bytes: number]

const ALIGNMENT = 64
/** A NaN, and no byte of it like another: whatever reads it is poisoned, whatever overwrites it is seen. */
const UNTOUCHED = 0x7fc1a5e7
/** Every second word of a guard zone: a number, since what is added to a NaN leaves it as it was. */
const GUARD_NUMBER = 0x41c1a5e7
const guardWord = (at: number): number => (at % 2 === 0 ? UNTOUCHED : GUARD_NUMBER)

/** Bytes before and behind every block that nothing may write. */
const GUARD = 64
/** Kernels write whole vectors: the padding of a block up to here is theirs. */
const VECTOR = 16
/** What memory is before any block is put there. */
const UNTOUCHED_PAGE = new Uint8Array(new Uint32Array(16384).fill(UNTOUCHED).buffer)

/**
 * A binary's kernels and a linear memory full of NaN. Blocks are aligned and padded as in the
 * runtime, with NaN in the padding and between them. After every call of a kernel, the guard zones around all blocks are looked at.
 */
export class Arena {
  readonly kernels: Kernels
  readonly #memory: WebAssembly.Memory
  #end = FIRST_BLOCK_PTR
  /** Zones between blocks, from and to. */
  #guards: [begin: number, end: number][] = []
  /** Where `call` keeps what memory was: made once, since new pages cost more than the copy. */
  #before: Uint8Array | undefined

  /** @param pages of 64 KiB */
  constructor({ module }: Binary, pages: number = 8) {
    this.#memory = new WebAssembly.Memory({ initial: pages })
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.#memory } })
    this.kernels = Object.fromEntries(Object.entries(exports).map(([name, kernel]) => (
      [name, typeof kernel === 'function' ? this.#guarded(name, kernel as (...numbers: number[]) => unknown) : kernel]
    ))) as unknown as Kernels
    this.clear()
  }

  /** Everything is NaN again, and all blocks are free. */
  clear(): void {
    new Uint32Array(this.#memory.buffer, FIRST_BLOCK_PTR).fill(UNTOUCHED)
    this.#end = FIRST_BLOCK_PTR
    this.#guards = []
  }

  allocate(bytes: number): number {
    const ptr = Math.ceil((this.#end + GUARD) / ALIGNMENT) * ALIGNMENT
    this.#guards.push([this.#end, ptr])
    this.#end = Math.ceil((ptr + bytes) / VECTOR) * VECTOR
    expect(this.#end + GUARD, 'arena').toBeLessThanOrEqual(this.#memory.buffer.byteLength)
    const words = new Uint32Array(this.#memory.buffer)
    for (const [begin, end] of [[ptr - GUARD, ptr], [this.#end, this.#end + GUARD]] as const) {
      for (let at = begin / 4; at < end / 4; at++) words[at] = guardWord(at)
    }
    // What the zone before was, as far as it is block now.
    words.fill(UNTOUCHED, ptr / 4, this.#end / 4)
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

  int8s(values: Int8Array): number {
    const ptr = this.allocate(values.length)
    new Int8Array(this.#memory.buffer, ptr, values.length).set(values)
    return ptr
  }

  record<Fields extends RecordFields>(fields: Fields, values: RecordValues<Fields>): RecordPointer<Fields> {
    const bytes = encodeRecord(fields, values)
    const ptr = this.allocate(bytes.length)
    new Uint8Array(this.#memory.buffer).set(bytes, ptr)
    return ptr
  }

  /** A copy of floats that lie close together. */
  read(ptr: number, length: number): Float32Array {
    return new Float32Array(this.#memory.buffer, ptr, length).slice()
  }

  readInts(ptr: number, length: number): Int32Array {
    return new Int32Array(this.#memory.buffer, ptr, length).slice()
  }

  /** A copy of bytes, for comparing bit by bit. */
  bytes(ptr: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, ptr, length).slice()
  }

  #guarded(name: string, kernel: (...numbers: number[]) => unknown): unknown {
    const call = (...numbers: number[]): unknown => {
      const result = kernel(...numbers)
      this.#checkGuards(name)
      return result
    }
    return Object.defineProperty(call, 'length', { value: kernel.length })
  }

  #checkGuards(name: string): void {
    const words = new Uint32Array(this.#memory.buffer)
    if (this.#guards.length === 0) return
    for (const [, end] of [...this.#guards, [0, this.#end + GUARD] as const]) {
      for (let at = (end - GUARD) / 4; at < end / 4; at++) if (words[at] !== guardWord(at)) expect.fail(`${name} wrote at ${4 * at}, between two blocks`)
    }
  }

  /** Runs a kernel and checks that it changed nothing outside `writable`. */
  call<T>(writable: readonly Range[], run: () => T): T {
    this.#before ??= new Uint8Array(this.#memory.buffer.byteLength)
    // Behind the last block's zone all is as clear() left it.
    const end = Math.min(this.#end + GUARD, this.#before.length)
    this.#before.set(new Uint8Array(this.#memory.buffer, 0, end))
    const result = run()
    const after = new Uint8Array(this.#memory.buffer)
    const before = this.#before.subarray(0, end)
    for (const [ptr, bytes] of writable) before.set(after.subarray(ptr, ptr + bytes), ptr)
    if (Buffer.compare(before, after.subarray(0, end)) !== 0) {
      const at = before.findIndex((byte, n) => byte !== after[n])
      expect.fail(`a kernel wrote at ${at}, expected only ${JSON.stringify(writable)}`)
    }
    for (let begin = end; begin < after.length; begin += UNTOUCHED_PAGE.length) {
      const page = after.subarray(begin, begin + UNTOUCHED_PAGE.length)
      if (Buffer.compare(page, UNTOUCHED_PAGE.subarray(0, page.length)) !== 0) {
        expect.fail(`a kernel wrote behind all blocks, from ${begin} on, expected only ${JSON.stringify(writable)}`)
      }
    }
    return result
  }
}

/** Ranges of `rows` rows of `rowBytes` bytes, each `strideBytes` after the one before. */
export function rowRanges(ptr: number, strideBytes: number, rows: number, rowBytes: number): Range[] {
  return Array.from({ length: rows }, (_, row) => [ptr + row * strideBytes, rowBytes])
}
