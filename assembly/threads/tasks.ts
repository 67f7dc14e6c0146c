// Tasks: calls of kernels that do not know of each other, which threads claim one by one. Thread 0 gives them out, does its share, and
// waits for what others have claimed.
import { Matrix } from '../products/layout'
import { ProductCall, gemmF32 } from '../products/gemm'
import { lstmGeneralF32 } from '../recurrent/lstm-general'
import { gruF32 } from '../recurrent/gru'
import { lstmForwardF32 } from '../recurrent/lstm'
import { Recurrence } from '../recurrent/recurrence'
import { rnnF32 } from '../recurrent/rnn'
import { ConvolveCall, convolveF32 } from '../windows/convolve'
import { Crew, LayerBuffers, MOST_TASKS, TASK_RECORD, knowsPages, ring, tellPages } from './crew'

/** What a task calls. */
export const enum TaskKind {
  gemm = 0,
  convolve = 1,
  lstm = 2,
  generalLstm = 3,
  gru = 4,
  rnn = 5,
  /** What only JavaScript can do: it makes the calls of the list at `call`. */
  calls = 6,
}

/** A task; what the arguments are, `run` knows. */
@unmanaged
export class Task {
  kind: i32
  /** A record: sizes and strides. */
  call: usize
  /** Of a product or a convolution: the matrix, and where rows are read and written. */
  weights: usize
  aPtr: usize
  outPtr: usize
  /** Memory to work in: that of thread n starts n strides further. */
  workspacePtr: usize
  workspaceStride: i32

  /** Of a layer: what it works on, but for the memory to work in. */
  // @ts-ignore: decorator
  @inline
  get buffers(): LayerBuffers {
    return changetype<LayerBuffers>(changetype<usize>(this) + offsetof<Task>())
  }

  /** Memory for a record of its own. */
  // @ts-ignore: decorator
  @inline
  get recordPtr(): usize {
    return changetype<usize>(this) + TASK_RECORD
  }
}

// @ts-ignore: decorator
@inline
export function taskAt(crew: Crew, index: i32): Task {
  assert(index < MOST_TASKS)
  return changetype<Task>(crew.taskPtr(index))
}

function run(task: Task, thread: i32): void {
  const workspacePtr = task.workspacePtr + thread * task.workspaceStride
  const call = changetype<Recurrence>(task.call)
  const layer = task.buffers
  switch (task.kind) {
    case TaskKind.gemm:
      gemmF32(changetype<ProductCall>(task.call), changetype<Matrix>(task.weights), task.aPtr, task.outPtr, workspacePtr)
      break
    case TaskKind.convolve:
      convolveF32(changetype<ConvolveCall>(task.call), changetype<Matrix>(task.weights), task.aPtr, task.outPtr, workspacePtr)
      break
    case TaskKind.lstm:
      lstmForwardF32(call, layer.xPtr, layer.hPtr, layer.cPtr, layer.yPtr, layer.maskPtr, layer.pastPtr, workspacePtr)
      break
    case TaskKind.generalLstm:
      lstmGeneralF32(call, layer.xPtr, layer.hPtr, layer.cPtr, layer.yPtr, layer.maskPtr, layer.pastPtr, workspacePtr)
      break
    case TaskKind.gru:
      gruF32(call, layer.xPtr, layer.hPtr, layer.cPtr, layer.yPtr, layer.maskPtr, layer.pastPtr, workspacePtr)
      break
    case TaskKind.rnn:
      rnnF32(call, layer.xPtr, layer.hPtr, layer.cPtr, layer.yPtr, layer.maskPtr, layer.pastPtr, workspacePtr)
      break
    default:
      unreachable()
  }
}

/** Whether there is a task that nobody has claimed. */
// @ts-ignore: decorator
@inline
export function isOffered(claim: i32): bool {
  return (claim & 255) < claim >> 8
}

/** What a worker has found. */
export const enum Found {
  nothing = 0,
  work = 1,
  /** Work, for which it must return first: see `knowsPages`. */
  newPages = 2,
  /** Plus the number of the task, which is claimed: a list of calls, for which it must return too. */
  calls = 3,
}

/** Claims a task and does it, unless JavaScript must. */
export function runOne(crew: Crew, thread: i32): i32 {
  const claim = atomic.load<i32>(crew.claimPtr)
  if (!isOffered(claim)) return Found.nothing
  if (!knowsPages(crew)) return Found.newPages
  // The word is all that a claim depends on: where the exchange succeeds, it is a task of now, whatever has been before.
  if (atomic.cmpxchg<i32>(crew.claimPtr, claim, claim + 1) != claim) return Found.work
  const index = claim & 255
  const task = taskAt(crew, index)
  if (task.kind == TaskKind.calls) return Found.calls + index
  run(task, thread)
  taskDone(crew)
  return Found.work
}

/** What a worker has claimed is done. */
export function taskDone(crew: Crew): void {
  atomic.add<i32>(crew.donePtr, 1)
  if (atomic.load<i32>(crew.waitingPtr)) atomic.notify(crew.donePtr, 1)
}

/**
 * Gives the first `count` tasks out, works, and returns when all are done: 1, or 0 where a worker has claimed one and does not go on.
 * `wakes`: whether workers that sleep are woken.
 */
export function runTasks(crew: Crew, count: i32, wakes: i32): i32 {
  offerTasks(crew, count, wakes ? count - 1 : 0)
  let own = 0
  for (let index = claimTask(crew); index >= 0; index = claimTask(crew)) {
    run(taskAt(crew, index), 0)
    own++
  }
  return awaitTasks(crew, count - own)
}

/** Makes task `index` a list of calls of kernels, which the worker's JavaScript makes: src/runtime/threads/call-list.ts. */
export function setCalls(crew: Crew, index: i32, listPtr: usize): void {
  const task = taskAt(crew, index)
  task.kind = TaskKind.calls
  task.call = listPtr
}

/** Gives the first `count` tasks out, and wakes so many workers that sleep. */
export function offerTasks(crew: Crew, count: i32, woken: i32): void {
  assert(count <= MOST_TASKS)
  tellPages(crew)
  atomic.store<i32>(crew.donePtr, 0)
  atomic.store<i32>(crew.claimPtr, count << 8)
  if (woken) ring(crew, woken)
}

/** The number of a task that thread 0 has claimed, or -1 where all are claimed. */
export function claimTask(crew: Crew): i32 {
  while (true) {
    const claim = atomic.load<i32>(crew.claimPtr)
    if (!isOffered(claim)) return -1
    if (atomic.cmpxchg<i32>(crew.claimPtr, claim, claim + 1) == claim) return claim & 255
  }
}

/** How long thread 0 looks before it sleeps: about as long as waking takes. A worker on the same core goes on only when it sleeps. */
const LOOK_MICROSECONDS: i32 = 30

/** Waits until workers have done so many of the tasks: 1, or 0 where they do not go on. */
export function awaitTasks(crew: Crew, count: i32): i32 {
  const settings = crew.settings
  const looks = settings.looks
  let left = settings.patience
  while (left > 0) {
    for (let n = LOOK_MICROSECONDS * looks; n > 0; n--) if (atomic.load<i32>(crew.donePtr) == count) return 1
    left -= LOOK_MICROSECONDS
    if (!settings.mayBlock) continue
    atomic.store<i32>(crew.waitingPtr, 1)
    const done = atomic.load<i32>(crew.donePtr)
    // 10 ms at a time. 2: nobody has woken it.
    if (done != count && atomic.wait<i32>(crew.donePtr, done, 10_000_000) == 2) left -= 10_000
    atomic.store<i32>(crew.waitingPtr, 0)
  }
  return atomic.load<i32>(crew.donePtr) == count ? 1 : 0
}
