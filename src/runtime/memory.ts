import { LstmError } from '../errors.ts'
import { ARRAYS, type DataOf, type DType } from '../values/dtype.ts'
import { Allocator, ALIGNMENT } from './allocator.ts'
import type { KernelMemory } from './web-assembly.ts'

export const PAGE_BYTES = 65536
export const MAX_PAGES = 65536

/**
 * Where the allocator starts. Below lie the constants of the kernels, which the binaries bring with them, up to 1024 those of inference, from
 * there on those of training (asconfig.json: memoryBase); address 0 stays free: to kernels it means "absent".
 */
export const FIRST_BLOCK_PTR: number = 2048

/** The largest memory WebAssembly with 32-bit addresses can have: 4 GiB. */
export const MAX_MEMORY_BYTES: number = MAX_PAGES * PAGE_BYTES

/** The most elements a value can have: kernels count them in int32. */
const MOST_ELEMENTS: number = 2 ** 31 - 1

/**
 * Every size is checked here before a kernel gets it: kernels compute in int32, where it would wrap.
 * @throws LstmError `MEMORY` for a size that is no whole number of bytes of a memory with 32-bit addresses
 */
export function checkBytes(bytes: number, what: string): void {
  if (Number.isInteger(bytes) && bytes >= 0 && bytes <= MAX_MEMORY_BYTES) return
  throw new LstmError('MEMORY', `${what}: needs ${bytes} bytes; WebAssembly can address ${MAX_MEMORY_BYTES}`)
}

/** @throws LstmError `MEMORY` for more elements than kernels can count */
export function checkElements(length: number, what: string): void {
  if (length <= MOST_ELEMENTS) return
  throw new LstmError('MEMORY', `${what}: has ${length} elements; a value of a model can have ${MOST_ELEMENTS}`)
}

/**
 * The one linear memory of a runtime. The only place that makes typed-array views of it: a view
 * that is kept is valid as long as `generation` is the same.
 */
export class LinearMemory {
  readonly wasm: KernelMemory
  readonly maxBytes: number
  readonly #allocator: Allocator
  #generation = 0

  /**
   * @param maxBytes limit of the whole memory, a page at least, rounded down to pages of 64 KiB
   * @param wasm a shared one, which workers may have too: views of it stay good when it grows. Default: a new one
   */
  constructor(maxBytes: number, wasm?: KernelMemory) {
    const maximum = Math.min(MAX_PAGES, Math.floor(maxBytes / PAGE_BYTES))
    this.maxBytes = maximum * PAGE_BYTES
    this.wasm = wasm ?? new WebAssembly.Memory({ initial: 1, maximum })
    this.#allocator = new Allocator(FIRST_BLOCK_PTR)
  }

  /** Incremented when the memory grows, which detaches all views made before. */
  get generation(): number {
    return this.#generation
  }

  /** Bytes in use, rounded up to whole blocks. */
  get usedBytes(): number {
    return this.#allocator.usedBytes
  }

  /** Bytes the memory has now; it never shrinks. */
  get totalBytes(): number {
    return this.wasm.buffer.byteLength
  }

  /**
   * A block of at least `bytes` bytes, 64-byte aligned, its contents undefined.
   * Kernels may read and write up to the next multiple of 64 bytes.
   * @throws LstmError `MEMORY` when the limit is reached or the engine refuses; nothing has changed then
   */
  allocate(bytes: number, what: string): number {
    checkBytes(bytes, what)
    // One vector past the last block stays readable: kernels read the last row in whole vectors.
    const needed = this.#allocator.endAfter(bytes) + ALIGNMENT
    if (needed > this.totalBytes) this.#grow(needed, bytes, what)
    return this.#allocator.allocate(bytes)
  }

  free(ptr: number): void {
    if (!this.#allocator.free(ptr)) throw new LstmError('DISPOSED', `memory block at ${ptr} is not in use`)
  }

  view<T extends DType>(dtype: T, ptr: number, length: number): DataOf<T> {
    return new ARRAYS[dtype](this.wasm.buffer, ptr, length) as DataOf<T>
  }

  /** Whether an array is a view of this memory: it loses its elements when the memory grows. */
  owns(data: DataOf): boolean {
    return data.buffer === this.wasm.buffer
  }

  /** Copies data to an address. */
  write(ptr: number, data: DataOf | Int8Array): void {
    new Uint8Array(this.wasm.buffer, ptr, data.byteLength).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  }

  #grow(needed: number, bytes: number, what: string): void {
    const limit = (cause?: unknown): LstmError => new LstmError(
      'MEMORY',
      `${what}: needs ${bytes} bytes; ${this.usedBytes} are in use and maxMemoryBytes is ${this.maxBytes}`,
      { cause },
    )
    if (needed > this.maxBytes) throw limit()
    const current = this.totalBytes
    // Grow by half, so that many small allocations do not detach views many times.
    const wanted = Math.min(this.maxBytes, Math.max(needed, current + Math.floor(current / 2)))
    for (const target of [wanted, needed]) {
      try {
        this.wasm.grow(Math.ceil((target - current) / PAGE_BYTES))
        this.#generation++
        return
      } catch (error) {
        if (target === needed) throw limit(error)
      }
    }
  }
}
