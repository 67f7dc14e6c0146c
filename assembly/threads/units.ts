// An LSTM over one sequence, its units split: all parts of a step need the whole h of the step before. A barrier a step would do on a free
// machine; where the system takes a worker's core away, each of a hundred barriers would wait for it. So nobody ever waits for long:
//
// - thread 0 leads, and begins alone. A worker that is there says so (ready), and is let in between two steps;
// - a worker computes its units of h and c in memory of its own. It takes the step by an exchange of its word, 2 t -> 2 t + 1, copies
//   them, and says that it is done: 2 t + 2;
// - thread 0 waits for a worker only as long as its part should take. Then it takes the step itself, 2 t -> GONE, and that part from there on;
// - a worker that waits too long leaves: 2 t -> ~(2 t). It may have been a step ahead.
//
// Whoever computes a unit sums in the same order: results are bit-identical whatever happens.
//
// This is the worker's side; thread 0's is in lead.ts.
import { Matrix, columnsOfGates } from '../products/layout'
import { multiply, productBytes } from '../products/product'
import { areZeros, gatesRowBytes, paddedBytes } from '../recurrent/recurrence'
import { Crew, knowsPages } from './crew'
import { Found } from './tasks'
import { copyPart, firstUnit } from './part'

/** Words and records of a worker, by their distance from `crew.worker(thread)`; each word on a line of its own. */
export const READY: usize = 0
/** Records of its part, which are the worker's own, ... */
const OWN_PART: usize = 32
export const JOIN: usize = 128
export const WORD: usize = 256
/** ... and thread 0's, of which they are copies. */
export const LEADERS_PART: usize = 384

/** Of JOIN: not let in yet; not let in any more. */
export const PENDING: i32 = -1
const CLOSED: i32 = -2
/** Of WORD: thread 0 has taken its part over. */
export const GONE: i32 = i32.MIN_VALUE

/** Steps whose inputs are projected at once: a part is one piece of work, for which others may have to wait. */
export const CHUNK_STEPS: i32 = 32
/** Microseconds that a thread waits for another one beyond what its work should take, */
export const SLACK: i32 = 20
/** and a worker to be let in. */
const DOORSTEP: i32 = 5000
/** Multiply-adds that take no longer than a microsecond. */
const MULTIPLY_ADDS: i32 = 10_000

/** The layer that workers are invited to. */
@unmanaged
export class SharedLayer {
  units: i32
  timesteps: i32
  chunkSteps: i32
  xPtr: usize
  xStepBytes: i32
  hPtr: usize
  cPtr: usize
  yPtr: usize
  yStepBytes: i32
  /** Two rows of h by turns, where there is no y. */
  ringPtr: usize
  ringBytes: i32
  /** Memory of worker n: n - 1 strides further. Nothing else uses it: a worker may be late. */
  scratchPtr: usize
  scratchStride: i32
  parts: i32
}

/** Where h of step t is; t is -1 for the state before the first step. */
// @ts-ignore: decorator
@inline
export function hAt(t: i32, hPtr: usize, yPtr: usize, yStepBytes: i32, ringPtr: usize, ringBytes: i32): usize {
  return t < 0 ? hPtr : yPtr ? yPtr + t * yStepBytes : ringPtr + (t & 1) * ringBytes
}

/** Bytes that a worker works in, for inputs and states of these sizes. */
export function unitsScratchBytes(chunkSteps: i32, inputSize: i32, hiddenSize: i32): f64 {
  const columns = columnsOfGates(4, hiddenSize)
  const steps = min(CHUNK_STEPS, chunkSteps)
  const panels = max(productBytes(steps, inputSize, columns, true), productBytes(1, hiddenSize, columns, true))
  return (f64(steps) + 1) * f64(gatesRowBytes(columns)) + 2 * f64(paddedBytes(hiddenSize)) + f64(panels)
}

/** A worker's part, from when it is let in until the end, or until it is too late. */
export function help(crew: Crew, thread: i32, invitation: i32): Found {
  const layer = changetype<SharedLayer>(crew.layerPtr)
  const units = layer.units
  const timesteps = layer.timesteps
  const chunkSteps = layer.chunkSteps
  const xPtr = layer.xPtr
  const xStepBytes = layer.xStepBytes
  const hPtr = layer.hPtr
  const cPtr = layer.cPtr
  const yPtr = layer.yPtr
  const yStepBytes = layer.yStepBytes
  const ringPtr = layer.ringPtr
  const ringBytes = layer.ringBytes
  const gatesPtr = layer.scratchPtr + (thread - 1) * layer.scratchStride
  const parts = layer.parts
  const words = crew.worker(thread)
  const own = copyPart(words + LEADERS_PART, words + OWN_PART)
  // Were all these of one invitation? Thread 0 may be further by now. All that is read of the model from here on are numbers: it may be
  // disposed, and its memory something else's, when this thread finds out that it is late.
  if (atomic.load<i32>(crew.invitationPtr) != invitation || thread >= parts) return Found.work
  if (!knowsPages(crew)) return Found.newPages
  atomic.store<i32>(words + JOIN, PENDING)
  atomic.store<i32>(words + READY, invitation)
  let t = awaitJoin(crew, words + JOIN, invitation)
  if (t < 0) return Found.work
  const joined = t

  const first = firstUnit(units, thread, parts)
  const unitsBytes = own.hiddenSize * 4
  const gatesBytes = gatesRowBytes(own.inputWeights.columns)
  const extraPtr = gatesPtr + min(chunkSteps, timesteps) * gatesBytes
  const ownHPtr = extraPtr + gatesBytes
  const ownCPtr = ownHPtr + paddedBytes(own.hiddenSize)
  const panelPtr = ownCPtr + paddedBytes(own.hiddenSize)
  const fromCPtr = cPtr + first * 4
  const looks = (SLACK + microsecondsOf(1, own.recurrentWeights)) * crew.settings.looks
  memory.copy(ownCPtr, fromCPtr, unitsBytes)
  while (t < timesteps) {
    const begin = t
    const end = min(timesteps, (t / chunkSteps + 1) * chunkSteps)
    multiply(own.inputWeights, end - begin, 1, xPtr + begin * xStepBytes, xStepBytes, 0, gatesPtr, gatesBytes, false, panelPtr, 0)
    for (; t < end; t++) {
      if (t > joined && !awaitProgress(crew, t, looks)) {
        atomic.cmpxchg<i32>(words + WORD, 2 * t, ~(2 * t))
        return Found.work
      }
      const toPtr = hAt(t, hPtr, yPtr, yStepBytes, ringPtr, ringBytes)
      const fromPtr = hAt(t - 1, hPtr, yPtr, yStepBytes, ringPtr, ringBytes)
      const isAtRest = t == 0 && own.recurrentWeights.isFinite != 0 && areZeros(hPtr, units)
      const rowPtr = gatesPtr + (t - begin) * gatesBytes
      own.step(1, t, isAtRest, rowPtr, gatesBytes, extraPtr, panelPtr, ownCPtr, ownCPtr, fromPtr, 0, ownHPtr, 0)
      if (atomic.cmpxchg<i32>(words + WORD, 2 * t, 2 * t + 1) != 2 * t) return Found.work
      memory.copy(toPtr + first * 4, ownHPtr, unitsBytes)
      memory.copy(fromCPtr, ownCPtr, unitsBytes)
      atomic.store<i32>(words + WORD, 2 * t + 2)
    }
  }
  return Found.work
}

/** The step to begin with, or a negative number for none. */
function awaitJoin(crew: Crew, ptr: usize, invitation: i32): i32 {
  let looks = DOORSTEP * crew.settings.looks
  while (true) {
    const t = atomic.load<i32>(ptr)
    if (t != PENDING) return t
    if (--looks > 0 && atomic.load<i32>(crew.invitationPtr) == invitation) continue
    return atomic.cmpxchg<i32>(ptr, PENDING, CLOSED) == PENDING ? CLOSED : atomic.load<i32>(ptr)
  }
}

function awaitProgress(crew: Crew, t: i32, looks: i32): bool {
  for (; looks > 0; looks--) if (atomic.load<i32>(crew.progressPtr) >= t) return true
  return false
}

/** Microseconds that a product takes at most, where nothing is in its way. */
// @ts-ignore: decorator
@inline
export function microsecondsOf(rows: i32, w: Matrix): i32 {
  return i32(i64(rows) * w.columns * w.k / MULTIPLY_ADDS)
}
