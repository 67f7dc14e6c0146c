import { checkKind, count, type Kind } from '../options.ts'
import { makeDisposable } from '../runtime/dispose.ts'
import type { Variant } from '../runtime/kernels.ts'
import { PAGE_BYTES } from '../runtime/memory.ts'
import { FIRST_NUMBER, PageTable } from '../runtime/threads/page-table.ts'
import { isNode, whenWorkersEnd } from '../runtime/threads/workers.ts'
import type { PlatformDisposable } from '../values/platform.ts'

/** A thread that has opened a shared model. */
export interface Caller {
  /** Its number: what `openShared` was given, or one that no other thread has. */
  readonly caller: number
  /** In Node, where `openShared` was given no number: that of its thread, `worker.threadId`. */
  readonly thread: number | undefined
  /** Bytes of the shared memory that are its own, in pages of 64 KiB. */
  readonly bytes: number
}

/** The number of a caller, as programs give it, and all that there are. */
export const CALLER: Kind = count(0, FIRST_NUMBER - 1)
const ANY_CALLER: Kind = count(0, 2 * FIRST_NUMBER - 2)

/** Of models that are shared here: workers of Node that end without `dispose` are seen. */
const watched: Set<PageTable> = new Set()
let isWatching = false

function watch(table: PageTable): void {
  watched.add(table)
  if (isWatching) return
  isWatching = true
  whenWorkersEnd((thread) => {
    for (const one of watched) {
      one.releaseAll(FIRST_NUMBER + thread)
      forgetOver(one)
    }
  })
}

/** Nobody comes any more, and all have gone. */
function forgetOver(table: PageTable): void {
  if (table.isClosed && table.counts().size === 0) watched.delete(table)
}

/**
 * A model whose weights are in shared memory: `postMessage` and `workerData` carry it to other threads, which open it with `openShared`. Its memory
 * is the engine's again when no thread has it any more.
 */
export class SharedModel {
  /** What threads are sent. Internal. */
  readonly content: object
  /** The binary that runs. */
  readonly variant: Variant
  readonly #table: PageTable

  /** Use `share`. */
  constructor(content: object, variant: Variant, pages: Int32Array) {
    this.content = content
    this.variant = variant
    this.#table = new PageTable(pages)
    watch(this.#table)
  }

  /** Bytes of the packed weights, which are there once, in pages of 64 KiB. */
  get weightBytes(): number {
    return this.#table.ownedPages * PAGE_BYTES
  }

  /** Who has it open, and what each has of the memory. */
  callers(): readonly Caller[] {
    return [...this.#table.counts()].map(([caller, pages]) => (
      { caller, thread: isNode() && caller >= FIRST_NUMBER ? caller - FIRST_NUMBER : undefined, bytes: pages * PAGE_BYTES }
    ))
  }

  /**
   * Takes the memory of a caller whose thread has ended without `dispose()`; returns how many bytes that is. Node tells when workers end that this
   * thread has started after `share`, and it is done by itself.
   * @param caller its number; its thread must have ended: whoever goes on to use memory that others get gives wrong numbers
   * @throws LstmError `VALUE` for what can be no number
   */
  reclaim(caller: number): number {
    checkKind(caller, ANY_CALLER, 'reclaim', 'caller')
    return this.#table.releaseAll(caller) * PAGE_BYTES
  }

  /** No thread can open it any more. Those that have it open go on, until they dispose their models. Calling it again does nothing. */
  dispose(): void {
    this.#table.close()
    forgetOver(this.#table)
  }
}

/** With `using`, nobody can open it after its block. */
export interface SharedModel extends PlatformDisposable {
  /** The binary that runs. */
  readonly variant: Variant
}
makeDisposable(SharedModel)
