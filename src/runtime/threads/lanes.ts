// Groups of rows of a training step at the same time: the calling thread runs one, workers those whose calls were written down for them.
import type { GradientKernels } from '../../contract/gradient-kernels.ts'
import type { ThreadKernels } from '../../contract/thread-kernels.ts'
import type { Kernels } from '../kernels.ts'
import type { LinearMemory } from '../memory.ts'
import { CallList, type SharedBinary } from './call-list.ts'
import { Site, Way, type Crew } from './crew.ts'

type TrainingKernels = Kernels & GradientKernels

/** Lanes are numbered from 0, which is the calling thread's. Those of one batch are begun and ended; nothing else is shared meanwhile. */
export class Lanes {
  readonly #kernels: TrainingKernels & ThreadKernels
  readonly #crew: Crew
  readonly #memory: LinearMemory
  readonly #binary: SharedBinary
  /** Of lanes 1, 2, ... */
  readonly #lists: CallList<TrainingKernels>[] = []
  /** Lanes that are given out, and that the calling thread has not taken. */
  #out = 0

  /** @param binary what workers make of the kernels for training */
  constructor(kernels: TrainingKernels & ThreadKernels, crew: Crew, memory: LinearMemory, binary: SharedBinary) {
    this.#kernels = kernels
    this.#crew = crew
    this.#memory = memory
    this.#binary = binary
  }

  /** What is known of batches of one kind. They may wake workers, whatever they cost: whether that pays is measured. */
  site(): Site {
    return new Site(Infinity)
  }

  /** Kernels that plans of a lane but the first are made with. */
  kernelsOf(lane: number): TrainingKernels {
    return this.#list(lane).kernels
  }

  /** The most that a batch can have. */
  get most(): number {
    return this.#crew.threads
  }

  /** How many lanes the next batch has: 1 where that is faster; then `end` must follow. 0: there are none now. */
  begin(site: Site): number {
    const way = this.#crew.take(site)
    return way >= Way.shared ? this.#crew.threads : way === Way.alone ? 1 : 0
  }

  /** Writes down what a lane but the first calls. @throws LstmError `MEMORY` */
  record(lane: number, run: () => void): void {
    this.#list(lane).record(run)
  }

  /** Gives out all lanes but the first of `count`. */
  offer(count: number): void {
    if (count < 2) return
    for (let lane = 1; lane < count; lane++) this.#kernels.setCalls(this.#crew.ptr, lane - 1, this.#list(lane).ptr)
    this.#out = count - 1
    this.#kernels.offerTasks(this.#crew.ptr, count - 1, count - 1)
  }

  /**
   * Runs what no worker has claimed, waits for the others, and runs again what a worker has stopped in: whoever refuses an element says so here.
   * @throws LstmError `ENVIRONMENT` where a worker does not go on; what `run` throws
   */
  finish(count: number, run: (lane: number) => void): void {
    if (count < 2) return
    const own: Set<number> = new Set()
    for (let task = this.#claim(); task >= 0; task = this.#claim()) {
      own.add(task + 1)
      run(task + 1)
    }
    if (!this.#areOthersDone()) this.#crew.ended(false)
    for (let lane = 1; lane < count; lane++) if (!own.has(lane) && !this.#list(lane).isMade) run(lane)
  }

  /** After the last group, or where a batch is left. @param pause milliseconds in which it did not run; undefined where it is not done */
  end(pause: number | undefined): void {
    while (this.#claim() >= 0) continue
    this.#areOthersDone()
    this.#crew.release(pause)
  }

  #list(lane: number): CallList<TrainingKernels> {
    while (this.#lists.length < lane) this.#lists.push(new CallList<TrainingKernels>(this.#kernels, this.#memory, this.#binary))
    return this.#lists[lane - 1] as CallList<TrainingKernels>
  }

  /** A task that nobody has claimed before, or -1. */
  #claim(): number {
    if (this.#out === 0) return -1
    const task = this.#kernels.claimTask(this.#crew.ptr)
    if (task >= 0) this.#out--
    return task
  }

  /** Waits for them. */
  #areOthersDone(): boolean {
    const out = this.#out
    this.#out = 0
    return out === 0 || this.#kernels.awaitTasks(this.#crew.ptr, out) === 1
  }
}
