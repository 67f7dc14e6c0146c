// What threads of one runtime say to each other, in the memory that they share: the caller's thread, which is thread 0, and workers 1 to
// count - 1. Words that different threads write are on lines of their own.
//
// A thread that waits looks at its word again and again, for some microseconds; then it sleeps (memory.atomic.wait). Whoever writes the word
// pays for waking it only where it says that it sleeps.

/** Tasks that can be given out at once. */
export const MOST_TASKS: i32 = 64
/** Bytes of a task: its kind and arguments, then a record of its own from TASK_RECORD on. */
export const TASK_BYTES: i32 = 128
export const TASK_RECORD: usize = 64
/** Threads of a crew at most. */
export const MOST_THREADS: i32 = 64
/** Bytes of a worker's own words and records. */
const WORKER_BYTES: i32 = 512

// Words, by their distance from the crew, two cache lines apart: some processors fetch them in pairs.
const CLAIM: i32 = 0
const DONE: i32 = 128
/** How many workers sleep. */
export const SLEEPERS_AT: i32 = 256
const BELL: i32 = 384
const INVITATION: i32 = 512
const PROGRESS: i32 = 640
/** A CrewSettings. */
export const SETTINGS_AT: i32 = 768
const WAITING: i32 = 896
const LAYER: i32 = 1024
const BUFFERS: i32 = 1152
const TASKS: i32 = 1280
const WORKERS: i32 = 9472

/** The words that threads share. */
@unmanaged
export class Crew {
  /** How many of the tasks that are given out are claimed, and 256 times how many there are: one word, so that a claim is one exchange. */
  // @ts-ignore: decorator
  @inline
  get claimPtr(): usize {
    return changetype<usize>(this) + CLAIM
  }

  /** How many of them workers have done. */
  // @ts-ignore: decorator
  @inline
  get donePtr(): usize {
    return changetype<usize>(this) + DONE
  }

  /** 1 while thread 0 sleeps until they are done. */
  // @ts-ignore: decorator
  @inline
  get waitingPtr(): usize {
    return changetype<usize>(this) + WAITING
  }

  /** How many workers sleep. */
  // @ts-ignore: decorator
  @inline
  get sleepersPtr(): usize {
    return changetype<usize>(this) + SLEEPERS_AT
  }

  /** What they sleep on: another number each time that it rings. */
  // @ts-ignore: decorator
  @inline
  get bellPtr(): usize {
    return changetype<usize>(this) + BELL
  }

  /** Odd while thread 0 leads a layer that workers may join (units.ts); another number for each. */
  // @ts-ignore: decorator
  @inline
  get invitationPtr(): usize {
    return changetype<usize>(this) + INVITATION
  }

  /** How many steps of that layer are done: by thread 0 where there is one worker, by all where there are more. */
  // @ts-ignore: decorator
  @inline
  get progressPtr(): usize {
    return changetype<usize>(this) + PROGRESS
  }

  /** The arguments of that layer. */
  // @ts-ignore: decorator
  @inline
  get layerPtr(): usize {
    return changetype<usize>(this) + LAYER
  }

  /** What the layer works on that thread 0 shares or leads next. */
  // @ts-ignore: decorator
  @inline
  get buffers(): LayerBuffers {
    return changetype<LayerBuffers>(changetype<usize>(this) + BUFFERS)
  }

  // @ts-ignore: decorator
  @inline
  get settings(): CrewSettings {
    return changetype<CrewSettings>(changetype<usize>(this) + SETTINGS_AT)
  }

  // @ts-ignore: decorator
  @inline
  taskPtr(index: i32): usize {
    return changetype<usize>(this) + TASKS + index * TASK_BYTES
  }

  /** The words of a worker; thread 0 has such records too. */
  // @ts-ignore: decorator
  @inline
  worker(thread: i32): usize {
    return changetype<usize>(this) + WORKERS + thread * WORKER_BYTES
  }
}

/** What a call of a layer has besides its record: see `recur`. */
@unmanaged
export class LayerBuffers {
  xPtr: usize
  hPtr: usize
  cPtr: usize
  yPtr: usize
  maskPtr: usize
  pastPtr: usize
  workspacePtr: usize
}

/** What threads only read. */
@unmanaged
export class CrewSettings {
  /** Threads, with thread 0. */
  threads: i32
  /** Looks at a word in a microsecond. */
  looks: i32
  /** Microseconds that a worker without work looks for some before it sleeps. */
  idleMicroseconds: i32
  /** Whether thread 0 may sleep: a page's may not. */
  mayBlock: i32
  /** Microseconds after which a worker that does not go on is taken for dead. */
  patience: i32
  /** 1: workers return. */
  isOver: i32
  /** Pages of the memory when work was given out last. */
  pages: i32
}

/** To be told before work is given out. */
// @ts-ignore: decorator
@inline
export function tellPages(crew: Crew): void {
  atomic.store<i32>(changetype<usize>(crew.settings), memory.size(), offsetof<CrewSettings>('pages'))
}

/**
 * Whether this thread knows of all pages. Engines tell the size of a memory that has grown to other threads when these come by, and compiled
 * code may keep a size until its function returns; the engine would take addresses beyond it for errors.
 */
// @ts-ignore: decorator
@inline
export function knowsPages(crew: Crew): bool {
  return memory.size() >= atomic.load<i32>(changetype<usize>(crew.settings), offsetof<CrewSettings>('pages'))
}

/** Tells what the layer works on that is shared or led next: the arguments that its kernel has besides the record. */
export function setBuffers(
  crew: Crew, xPtr: usize, hPtr: usize, cPtr: usize, yPtr: usize, maskPtr: usize, pastPtr: usize, workspacePtr: usize,
): void {
  const buffers = crew.buffers
  buffers.xPtr = xPtr
  buffers.hPtr = hPtr
  buffers.cPtr = cPtr
  buffers.yPtr = yPtr
  buffers.maskPtr = maskPtr
  buffers.pastPtr = pastPtr
  buffers.workspacePtr = workspacePtr
}

/** Bytes of the words of a crew. */
export function crewBytes(threads: i32): i32 {
  assert(WORKERS == TASKS + MOST_TASKS * TASK_BYTES && threads <= MOST_THREADS)
  return WORKERS + threads * WORKER_BYTES
}

/** Looks so many times at a word, as threads do that wait; returns how often it was not 0. For whoever measures how long a look takes. */
export function lookAt(ptr: usize, times: i32): i32 {
  let found = 0
  for (; times > 0; times--) if (atomic.load<i32>(ptr)) found++
  return found
}

/** Wakes sleeping workers, if there are any. */
export function ring(crew: Crew, most: i32): void {
  if (atomic.load<i32>(crew.sleepersPtr) == 0) return
  atomic.add<i32>(crew.bellPtr, 1)
  atomic.notify(crew.bellPtr, most)
}
