import { Crew as CrewRecord, CrewSettings, SETTINGS_AT, SLEEPERS_AT } from '../../contract/threads/crew.ts'
import type { ThreadKernels } from '../../contract/thread-kernels.ts'
import { LstmError } from '../../errors.ts'
import { encodeRecord, type RecordPointer } from '../../values/record.ts'
import type { LinearMemory } from '../memory.ts'
import { Choice } from './choice.ts'

/** How calls are made. */
export const Way = {
  /** By this thread, at once. */
  unmeasured: 0,
  /** By this thread, and `ended` is told. */
  alone: 1,
  /** With workers that are awake. */
  shared: 2,
  /** With all workers. */
  waking: 3,
} as const

/** Multiply-adds that are worth sharing with threads that are awake: about 5 us. */
const LEAST_SHARED = 150_000
/** And that are worth waking them: about 100 us. */
const LEAST_WAKING = 3_000_000
/** Microseconds that a worker looks for work before it sleeps: longer than the caller is away between two runs. */
const IDLE_MICROSECONDS = 100
/** A worker that has claimed something and does not go on for so long is dead. */
const PATIENCE_MICROSECONDS = 20_000_000

/** What is known of a call at one place in a plan. */
export class Site {
  readonly multiplyAdds: number
  /** Where workers are awake. */
  readonly awake: Choice = new Choice()
  /** Where all of them sleep. */
  readonly asleep: Choice = new Choice()

  constructor(multiplyAdds: number) {
    this.multiplyAdds = multiplyAdds
  }
}

/** The threads of a runtime, as the calling one sees them. */
export class Crew {
  readonly kernels: ThreadKernels
  /** The words that threads share. */
  readonly ptr: RecordPointer<typeof CrewRecord>
  readonly #memory: LinearMemory
  readonly #words: Int32Array
  /** Renewed when the memory has grown. */
  #ints: Int32Array
  #generation: number
  /** Workers that live. */
  #workers = 0
  readonly #isEager: boolean
  #choice: Choice | undefined
  #started = 0
  /** Whether a call that was taken is not over. */
  #isTaken = false
  #scratchPtr = 0
  #scratchStride = 0

  /**
   * @param threads with the calling one
   * @param eager for tests: everything is shared, whatever it costs, and threads wait so many times as long for each other
   */
  constructor(kernels: ThreadKernels, memory: LinearMemory, threads: number, eager: number | undefined) {
    this.kernels = kernels
    this.#memory = memory
    this.#isEager = eager !== undefined
    const bytes = kernels.crewBytes(threads)
    this.ptr = memory.allocate(bytes + 64, 'the words that threads share')
    this.ptr = (this.ptr + 127) & ~127
    // Views of shared memory stay good when it grows.
    this.#words = memory.view('int32', this.ptr, bytes / 4)
    this.#words.fill(0)
    this.#ints = memory.view('int32', 0, memory.totalBytes / 4)
    this.#generation = memory.generation
    memory.write(this.ptr + SETTINGS_AT, encodeRecord(CrewSettings, {
      threads, looks: Math.ceil((eager ?? 1) * measureLooks(kernels, this.ptr)), idleMicroseconds: IDLE_MICROSECONDS,
      mayBlock: Number(mayBlock()), patience: PATIENCE_MICROSECONDS, isOver: 0, pages: 0,
    }))
  }

  /** Threads that work, with the calling one. */
  get threads(): number {
    return this.#workers + 1
  }

  joined(): void {
    this.#workers++
  }

  lost(): void {
    this.#workers = Math.max(0, this.#workers - 1)
  }

  /** Workers return, and nothing is shared any more. */
  end(): void {
    this.#workers = 0
    this.#set('isOver', 1)
    // What workers have claimed they do not finish.
    this.#set('patience', 0)
    this.kernels.ring(this.ptr, 2 ** 30)
  }

  /** Multiply-adds below which a call is never shared. */
  get least(): number {
    return this.#isEager ? 0 : LEAST_SHARED
  }

  /** All of the memory, for reading records. */
  get ints(): Int32Array {
    if (this.#generation !== this.#memory.generation) {
      this.#ints = this.#memory.view('int32', 0, this.#memory.totalBytes / 4)
      this.#generation = this.#memory.generation
    }
    return this.#ints
  }

  /** How a call is to be made; `end` wants to know when it is done, unless it is unmeasured. */
  begin(site: Site): number {
    if (this.#workers === 0 || this.#isTaken) return Way.unmeasured
    if (this.#isEager) return Way.waking
    const { multiplyAdds } = site
    const isAsleep = Atomics.load(this.#words, SLEEPERS_AT / 4) >= this.#workers
    if (isAsleep && multiplyAdds < LEAST_WAKING) return Way.unmeasured
    const choice = isAsleep ? site.asleep : site.awake
    if (choice.skips()) return Way.unmeasured
    this.#choice = choice
    this.#started = performance.now()
    return !choice.isShared ? Way.alone : multiplyAdds < LEAST_WAKING ? Way.shared : Way.waking
  }

  /** After a measured call. @throws LstmError `ENVIRONMENT` where it was not `done` */
  ended(isDone: boolean): void {
    if (!isDone) {
      this.#workers = 0
      throw new LstmError('ENVIRONMENT', 'a thread of this runtime has stopped in the middle of its work, and the outputs of this run are incomplete; the runtime goes on with one thread')
    }
    if (this.#choice === undefined) return
    this.#choice.took(performance.now() - this.#started)
    this.#choice = undefined
  }

  /** The same for a call that goes on over turns of the event loop: until its `release`, nothing else is shared. */
  take(site: Site): number {
    const way = this.begin(site)
    this.#isTaken = way !== Way.unmeasured
    return way
  }

  /** After what was taken, if it was. @param pause milliseconds that it does not count; undefined where it was left */
  release(pause: number | undefined): void {
    if (!this.#isTaken) return
    this.#isTaken = false
    if (pause === undefined) {
      this.#choice = undefined
      return
    }
    this.#started += pause
    this.ended(true)
  }

  /** Memory of workers that nothing else uses, with at least so many bytes for each. It is never freed: a worker may be late. */
  reserve(bytes: number): void {
    if (bytes <= this.#scratchStride) return
    const stride = Math.ceil(Math.max(bytes, 2 * this.#scratchStride) / 64) * 64
    this.#scratchPtr = this.#memory.allocate(stride * this.#workers, 'memory that threads work in')
    this.#scratchStride = stride
  }

  get scratchPtr(): number {
    return this.#scratchPtr
  }

  get scratchStride(): number {
    return this.#scratchStride
  }

  #set(setting: keyof typeof CrewSettings, value: number): void {
    this.#words[SETTINGS_AT / 4 + Object.keys(CrewSettings).indexOf(setting)] = value
  }
}

function mayBlock(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0)
    return true
  } catch {
    return false
  }
}

/** How often a thread that waits looks at its word in a microsecond. Clocks of browsers are coarse, and compilers need some time. */
function measureLooks({ lookAt }: ThreadKernels, ptr: number): number {
  const looks = 4000
  let most = 0
  const begin = performance.now()
  while (performance.now() - begin < 4) {
    const from = performance.now()
    let count = 0
    let time = 0
    do {
      lookAt(ptr, looks)
      count += looks
      time = performance.now() - from
    } while (time < 0.5)
    most = Math.max(most, count / time)
  }
  return Math.max(1, Math.round(most / 1000))
}
