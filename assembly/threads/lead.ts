// Thread 0's side of an LSTM whose units are split: see units.ts.
import { BLOCK_ROW_BYTES, UNITS_PER_GROUP } from '../products/layout'
import { multiply } from '../products/product'
import { LstmCell } from '../recurrent/lstm'
import { Recurrence, areZeros, gatesRowBytes, paddedBytes } from '../recurrent/recurrence'
import { Crew, ring, tellPages } from './crew'
import { PART_BYTES, firstUnit, partOfCell } from './part'
import { CHUNK_STEPS, GONE, JOIN, LEADERS_PART, PENDING, READY, SLACK, SharedLayer, WORD, hAt, microsecondsOf } from './units'

/** Microseconds that the first step waits for workers that are awake. */
const WELCOME: i32 = 2

/** Where the worker of a part is. */
const enum Place {
  /** Not here yet, or asleep. */
  away = 0,
  /** Has been let in. */
  inside = 1,
  /** Has left, or has been too late. */
  gone = 2,
}

/** What thread 0 knows of a part. Part 0 is its own. */
@unmanaged
class Part {
  place: Place
  /** The step at which its worker was let in. */
  joined: i32
  /** The first step of this chunk whose gates of this part are projected here; beyond the last step where none are. */
  projected: i32
  firstUnit: i32
  cell: LstmCell
  /** How often thread 0 looks whether its worker has done a step. */
  looks: i32
}

// @ts-ignore: decorator
@inline
function partAt(crew: Crew, part: i32): Part {
  return changetype<Part>(crew.worker(part) + LEADERS_PART + PART_BYTES)
}

/** Lets workers in that are there: they begin with step t. Returns how many. */
function letIn(crew: Crew, parts: i32, invitation: i32, t: i32): i32 {
  let count = 0
  for (let thread = 1; thread < parts; thread++) {
    const part = partAt(crew, thread)
    const words = crew.worker(thread)
    if (part.place != Place.away || atomic.load<i32>(words + READY) != invitation) continue
    atomic.store<i32>(words + WORD, 2 * t)
    const isIn = atomic.cmpxchg<i32>(words + JOIN, PENDING, t) == PENDING
    part.place = isIn ? Place.inside : Place.gone
    part.joined = t
    if (isIn) count++
  }
  return count
}

/** What has become of a worker's step. */
const enum Outcome {
  done = 0,
  /** Done, but the worker has left. */
  doneAndGone = 1,
  /** Not done. */
  gone = 2,
  /** Begun, and not ended. */
  stuck = 3,
}

/** Waits for step t of a worker. */
function awaitStep(crew: Crew, wordPtr: usize, t: i32, looks: i32): Outcome {
  let patience = i64(crew.settings.patience) * crew.settings.looks
  while (true) {
    const word = atomic.load<i32>(wordPtr)
    if (word < 0) {
      // It has left before this step, which may be one further: it is seen to leave when thread 0 has come as far.
      const left = ~word >> 1
      return left > t + 1 ? Outcome.done : left == t + 1 ? Outcome.doneAndGone : Outcome.gone
    }
    if (word >= 2 * t + 2) return Outcome.done
    if (--looks <= 0 && word == 2 * t && atomic.cmpxchg<i32>(wordPtr, word, GONE) == word) return Outcome.gone
    if (--patience <= 0) return Outcome.stuck
  }
}

/**
 * `lstmForwardF32` of one batch row without a mask, with the workers that come; `setBuffers` has told what it works on. Returns how many steps have been
 * shared, or -1 where a worker has stopped in the middle of a step. scratchPtr: `unitsScratchBytes` for each worker, `scratchStride` apart, which nothing
 * else uses; parts: at least 2, at most one for four units.
 */
export function leadLstmF32(crew: Crew, wakes: i32, call: Recurrence, scratchPtr: usize, scratchStride: i32, parts: i32): i32 {
  const cell = changetype<LstmCell>(call.cellPtr)
  const units = cell.hiddenSize
  const timesteps = call.timesteps
  const row = call.rowBegin
  assert(call.rowEnd - row == 1 && parts > 1 && parts <= crew.settings.threads && units >= parts * UNITS_PER_GROUP)
  const buffers = crew.buffers
  const workspacePtr = buffers.workspacePtr
  const gatesBytes = gatesRowBytes(cell.inputWeights.columns)
  const extraPtr = workspacePtr + call.chunkSteps * gatesBytes
  const ringPtr = extraPtr + gatesBytes
  const ringBytes = paddedBytes(units)
  const panelPtr = ringPtr + 2 * ringBytes
  const chunkSteps = min(CHUNK_STEPS, call.chunkSteps)
  const xStepBytes = call.xStepBytes
  const yStepBytes = call.yStepBytes
  const xPtr = buffers.xPtr + row * call.xRowBytes
  const hPtr = buffers.hPtr + row * units * 4
  const cPtr = buffers.cPtr + row * units * 4
  const yPtr = buffers.yPtr ? buffers.yPtr + row * call.yRowBytes : 0

  const layer = changetype<SharedLayer>(crew.layerPtr)
  layer.units = units
  layer.timesteps = timesteps
  layer.chunkSteps = chunkSteps
  layer.xPtr = xPtr
  layer.xStepBytes = xStepBytes
  layer.hPtr = hPtr
  layer.cPtr = cPtr
  layer.yPtr = yPtr
  layer.yStepBytes = yStepBytes
  layer.ringPtr = ringPtr
  layer.ringBytes = ringBytes
  layer.scratchPtr = scratchPtr
  layer.scratchStride = scratchStride
  layer.parts = parts
  for (let n = 0; n < parts; n++) {
    const part = partAt(crew, n)
    part.place = Place.away
    part.firstUnit = firstUnit(units, n, parts)
    part.cell = partOfCell(cell, crew.worker(n) + LEADERS_PART, n, parts)
    part.looks = (SLACK + microsecondsOf(1, part.cell.recurrentWeights)) * crew.settings.looks
  }
  tellPages(crew)
  atomic.store<i32>(crew.progressPtr, 0)
  const invitation = atomic.add<i32>(crew.invitationPtr, 1) + 1
  const isAsleep = atomic.load<i32>(crew.sleepersPtr) >= crew.settings.threads - 1
  if (wakes) ring(crew, parts - 1)
  const isStill = f32.load(hPtr) == 0 && cell.recurrentWeights.isFinite != 0 && areZeros(hPtr, units)
  let inside = 0
  for (let n = isAsleep ? 0 : WELCOME * crew.settings.looks; n > 0 && inside < parts - 1; n--) inside += letIn(crew, parts, invitation, 0)
  let shared = 0
  let isStuck = false
  for (let begin = 0; begin < timesteps && !isStuck; begin += chunkSteps) {
    const end = min(timesteps, begin + chunkSteps)
    if (begin) inside += letIn(crew, parts, invitation, begin)
    // Parts whose gates are not projected here.
    let missing = inside
    if (inside == 0) multiply(cell.inputWeights, end - begin, 1, xPtr + begin * xStepBytes, xStepBytes, 0, workspacePtr, gatesBytes, false, panelPtr, 0)
    for (let n = 0; n < parts; n++) {
      const part = partAt(crew, n)
      part.projected = part.place == Place.inside ? timesteps : begin
      if (inside && part.place != Place.inside) project(part, begin, end, xPtr, xStepBytes, workspacePtr, gatesBytes, panelPtr)
    }
    for (let t = begin; t < end; t++) {
      if (t > begin) inside += letIn(crew, parts, invitation, t)
      const rowPtr = workspacePtr + (t - begin) * gatesBytes
      const fromPtr = hAt(t - 1, hPtr, yPtr, yStepBytes, ringPtr, ringBytes)
      const toPtr = hAt(t, hPtr, yPtr, yStepBytes, ringPtr, ringBytes)
      const isAtRest = t == 0 && isStill
      if (inside == 0 && missing == 0) {
        cell.step(1, t, isAtRest, rowPtr, gatesBytes, extraPtr, panelPtr, cPtr, cPtr, fromPtr, 0, toPtr, 0)
        continue
      }
      step(partAt(crew, 0), t, isAtRest, rowPtr, gatesBytes, extraPtr, panelPtr, cPtr, fromPtr, toPtr)
      if (parts == 2) atomic.store<i32>(crew.progressPtr, t + 1)
      if (inside) shared++
      for (let n = 1; n < parts; n++) {
        const part = partAt(crew, n)
        if (part.place == Place.inside) {
          // Where it has just come, or a chunk begins, it projects first.
          const projects = t == part.joined || t == begin ? microsecondsOf(end - t, part.cell.inputWeights) * crew.settings.looks : 0
          const outcome = awaitStep(crew, crew.worker(n) + WORD, t, part.looks + projects)
          if (outcome != Outcome.done) {
            part.place = Place.gone
            inside--
          }
          isStuck = isStuck || outcome == Outcome.stuck
          if (outcome < Outcome.gone) continue
        }
        if (part.projected > t) {
          project(part, t, end, xPtr, xStepBytes, rowPtr, gatesBytes, panelPtr)
          part.projected = t
          missing--
        }
        step(part, t, isAtRest, rowPtr, gatesBytes, extraPtr, panelPtr, cPtr, fromPtr, toPtr)
      }
      if (parts > 2) atomic.store<i32>(crew.progressPtr, t + 1)
    }
  }
  // Even: nobody is invited.
  atomic.add<i32>(crew.invitationPtr, 1)
  const lastPtr = hAt(timesteps - 1, hPtr, yPtr, yStepBytes, ringPtr, ringBytes)
  if (lastPtr != hPtr) memory.copy(hPtr, lastPtr, units * 4)
  return isStuck ? -1 : shared
}

/** Bytes from the start of a row of gates to those of a part. */
// @ts-ignore: decorator
@inline
function gatesOf(part: Part): i32 {
  return part.firstUnit / UNITS_PER_GROUP * BLOCK_ROW_BYTES
}

/** gates = bias + x @ W of a part, for steps begin <= t < end; those of `begin` are at gatesPtr. */
function project(part: Part, begin: i32, end: i32, xPtr: usize, xStepBytes: i32, gatesPtr: usize, gatesBytes: i32, panelPtr: usize): void {
  multiply(
    part.cell.inputWeights, end - begin, 1, xPtr + begin * xStepBytes, xStepBytes, 0, gatesPtr + gatesOf(part), gatesBytes, false, panelPtr, 0,
  )
}

/** A step of a part. */
function step(
  part: Part, t: i32, isAtRest: bool, gatesPtr: usize, gatesBytes: i32, extraPtr: usize, panelPtr: usize, cPtr: usize, fromPtr: usize, toPtr: usize,
): void {
  const at = part.firstUnit * 4
  part.cell.step(
    1, t, isAtRest, gatesPtr + gatesOf(part), gatesBytes, extraPtr + gatesOf(part), panelPtr, cPtr + at, cPtr + at, fromPtr, 0, toPtr + at, 0,
  )
}
