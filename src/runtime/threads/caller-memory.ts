import { LstmError } from '../../errors.ts'
import { Allocator, ALIGNMENT } from '../allocator.ts'
import { checkBytes, FIRST_BLOCK_PTR, LinearMemory, PAGE_BYTES } from '../memory.ts'
import type { KernelMemory } from '../web-assembly.ts'
import { OWNER, type PageTable } from './page-table.ts'

/** Pages in a row, and what is allocated in them. */
interface Region {
  readonly first: number
  readonly pages: number
  readonly end: number
  readonly allocator: Allocator
}

/**
 * The part of a shared memory that one caller allocates in: pages that it claims as it needs them, and gives back. Nobody else writes there, and
 * it writes nowhere else.
 */
export class CallerMemory extends LinearMemory {
  readonly #table: PageTable
  readonly #caller: number
  readonly #mostPages: number
  readonly #regions: Region[] = []
  #isClosed = false

  /**
   * @param wasm all of the memory
   * @param mostPages that this caller may have
   * @throws LstmError `MEMORY` where there is not one page left
   */
  constructor(wasm: KernelMemory, table: PageTable, caller: number, mostPages: number) {
    super(table.pages * PAGE_BYTES, wasm)
    this.#table = table
    this.#caller = caller
    this.#mostPages = mostPages
    // So that it can be seen who is there, before anything is allocated.
    this.#claim(1, PAGE_BYTES, 'openShared')
  }

  /** Bytes in use by this caller, rounded up to whole blocks. */
  override get usedBytes(): number {
    return this.#regions.reduce((sum, { allocator }) => sum + allocator.usedBytes, 0)
  }

  override allocate(bytes: number, what: string): number {
    checkBytes(bytes, what)
    // One vector past the last block of the memory stays readable: kernels read the last row in whole vectors.
    const region = this.#regions.find(({ allocator, end }) => allocator.endAfter(bytes) + ALIGNMENT <= end)
      ?? this.#claim(Math.ceil((Math.ceil(Math.max(1, bytes) / ALIGNMENT) + 1) * ALIGNMENT / PAGE_BYTES), bytes, what)
    return region.allocator.allocate(bytes)
  }

  override free(ptr: number): void {
    const region = this.#regions.find(({ allocator }) => allocator.free(ptr))
    if (region === undefined) return super.free(ptr) // which knows of no block, and says so
    // The first region says that this caller is there.
    if (region.allocator.usedBytes === 0 && (this.#isClosed || region !== this.#regions[0])) this.#release(region)
  }

  /** Gives back what is not in use now, and the rest when it is freed. */
  close(): void {
    this.#isClosed = true
    for (const region of [...this.#regions]) if (region.allocator.usedBytes === 0) this.#release(region)
  }

  get #pages(): number {
    return this.#regions.reduce((sum, { pages }) => sum + pages, 0)
  }

  /** Claims pages: by half more than there are, so that many small blocks need few of these; what stays for ever, no more than is needed. */
  #claim(needed: number, bytes: number, what: string): Region {
    const wanted = this.#caller === OWNER ? needed : Math.max(needed, Math.floor(this.#pages / 2))
    for (const pages of [wanted, needed]) {
      if (this.#pages + pages > this.#mostPages) continue
      const first = this.#table.claim(this.#caller, pages)
      if (first < 0) continue
      const end = (first + pages) * PAGE_BYTES
      if (!this.#reach(end)) {
        this.#table.release(this.#caller, first, pages)
        continue
      }
      const region = { first, pages, end, allocator: new Allocator(Math.max(FIRST_BLOCK_PTR, first * PAGE_BYTES)) }
      this.#regions.push(region)
      return region
    }
    const own = this.#pages * PAGE_BYTES
    throw new LstmError('MEMORY', `${what}: needs ${bytes} bytes; this thread has ${own} of the shared memory and may have ${this.#mostPages * PAGE_BYTES}, all together ${this.maxBytes}`)
  }

  /** Makes the memory as long as that, unless another thread has done it. */
  #reach(end: number): boolean {
    const missing = (): number => Math.ceil((end - this.totalBytes) / PAGE_BYTES)
    // Growing by nothing lets this thread know how far others have grown it: engines tell when they come by.
    if (missing() > 0) this.wasm.grow(0)
    if (missing() <= 0) return true
    try {
      this.wasm.grow(missing())
    } catch {
      // Not enough, or another thread has grown it in between.
      this.wasm.grow(0)
    }
    return missing() <= 0
  }

  #release(region: Region): void {
    this.#regions.splice(this.#regions.indexOf(region), 1)
    this.#table.release(this.#caller, region.first, region.pages)
  }
}
