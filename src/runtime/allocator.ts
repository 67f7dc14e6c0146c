/** Every block starts at a multiple of this many bytes (a cache line), and is as long as a multiple of it. */
export const ALIGNMENT = 64

function alignUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
}

interface FreeBlock {
  ptr: number
  bytes: number
}

/**
 * First-fit allocator over a range of addresses: pure arithmetic, it touches no memory. The
 * same code allocates linear memory and lays out the buffers of a plan before they have addresses.
 * Freed blocks are merged with their neighbours and used again.
 */
export class Allocator {
  readonly #sizes: Map<number, number> = new Map()
  /** Sorted by address; no two of them touch. */
  readonly #free: FreeBlock[] = []
  #end: number
  #usedBytes = 0
  /** No free block is larger. */
  #largest = 0

  constructor(begin: number) {
    this.#end = alignUp(begin)
  }

  /** The address past the last block ever allocated: how much memory the range needs. */
  get end(): number {
    return this.#end
  }

  /** Bytes in allocated blocks. */
  get usedBytes(): number {
    return this.#usedBytes
  }

  /** What `end` would be after `allocate(bytes)`. */
  endAfter(bytes: number): number {
    const size = Math.max(alignUp(bytes), ALIGNMENT)
    return this.#firstFit(size) >= 0 ? this.#end : this.#tailPtr() + size
  }

  allocate(bytes: number): number {
    const size = Math.max(alignUp(bytes), ALIGNMENT)
    const index = this.#firstFit(size)
    let ptr: number
    if (index >= 0) {
      const block = this.#free[index] as FreeBlock
      ptr = block.ptr
      if (block.bytes === size) this.#free.splice(index, 1)
      else this.#free[index] = { ptr: ptr + size, bytes: block.bytes - size }
    } else {
      ptr = this.#tailPtr()
      if (ptr < this.#end) this.#free.pop() // the free tail becomes the start of this block
      this.#end = ptr + size
    }
    this.#sizes.set(ptr, size)
    this.#usedBytes += size
    return ptr
  }

  /** Returns whether `ptr` was a block in use. */
  free(ptr: number): boolean {
    const bytes = this.#sizes.get(ptr)
    if (bytes === undefined) return false
    this.#sizes.delete(ptr)
    this.#usedBytes -= bytes
    const index = this.#firstBehind(ptr)
    const before = this.#free[index - 1]
    const after = this.#free[index]
    const merged = { ptr, bytes }
    let from = index
    let count = 0
    if (before !== undefined && before.ptr + before.bytes === ptr) {
      merged.ptr = before.ptr
      merged.bytes += before.bytes
      from--
      count++
    }
    if (after?.ptr === ptr + bytes) {
      merged.bytes += after.bytes
      count++
    }
    this.#free.splice(from, count, merged)
    this.#largest = Math.max(this.#largest, merged.bytes)
    return true
  }

  /** The index of the first free block that is large enough, or -1; not searched where a search for less found none. */
  #firstFit(size: number): number {
    if (size > this.#largest) return -1
    let largest = 0
    for (let n = 0; n < this.#free.length; n++) {
      const { bytes } = this.#free[n] as FreeBlock
      if (bytes >= size) return n
      largest = Math.max(largest, bytes)
    }
    this.#largest = largest
    return -1
  }

  /** How many free blocks begin before an address. */
  #firstBehind(ptr: number): number {
    let [low, high] = [0, this.#free.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#free[middle] as FreeBlock).ptr < ptr) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Where a block would start that no free block can hold: the free tail, if there is one, or the end. */
  #tailPtr(): number {
    const last = this.#free.at(-1)
    if (!last) return this.#end
    return last.ptr + last.bytes === this.#end ? last.ptr : this.#end
  }
}
