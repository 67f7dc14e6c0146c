// Calls of kernels as tasks of rows, of output positions, or of a direction. Rows do not know of each other, so that the results are
// bit-identical however they are split.
import { ProductCall } from '../products/gemm'
import { Matrix, groupsOfUnits } from '../products/layout'
import { GeneralLstmCell } from '../recurrent/lstm-general'
import { GruCell } from '../recurrent/gru'
import { Recurrence, recurrentWorkspaceBytes } from '../recurrent/recurrence'
import { RnnCell } from '../recurrent/rnn'
import { ConvolveCall, convolveWorkspaceBytes } from '../windows/convolve'
import { rowsWorkspaceBytes } from '../products/product'
import { Crew, LayerBuffers, MOST_TASKS } from './crew'
import { TaskKind, runTasks, taskAt } from './tasks'

/** Rows of a part are a multiple of this: whole tiles. */
const TILE_ROWS: i32 = 6
/** And at least so many: fewer would read the weights too often. */
const LEAST_ROWS: i32 = 24
/** Parts of a product or convolution for each thread: whoever is late does fewer. */
const PARTS_A_THREAD: i32 = 4

/** Bytes as blocks of memory are counted. */
// @ts-ignore: decorator
@inline
function aligned(bytes: f64): i32 {
  return i32(ceil(bytes / 64)) * 64
}

/** How many parts of at least `least` rows, whole tiles, and how many rows each but the last one has. */
// @ts-ignore: decorator
@inline
function rowsOfPart(crew: Crew, rows: i32, least: i32): i32 {
  const parts = min(MOST_TASKS, PARTS_A_THREAD * crew.settings.threads)
  return max(least, ((rows + parts - 1) / parts + TILE_ROWS - 1) / TILE_ROWS * TILE_ROWS)
}

/** `gemmF32` by all threads: 1, or 0 where a worker does not go on. workspacePtr: as many times the bytes as there are threads. */
export function shareGemmF32(crew: Crew, wakes: i32, call: ProductCall, w: Matrix, aPtr: usize, outPtr: usize, workspacePtr: usize): i32 {
  const steps = call.steps
  const rows = call.rows
  const stride = aligned(f64(rowsWorkspaceBytes(w, rows)))
  const part = steps > 1 ? rows : rowsOfPart(crew, rows, LEAST_ROWS)
  let count = 0
  for (let step = 0; step < steps; step++) {
    for (let begin = 0; begin < rows; begin += part) {
      const task = taskAt(crew, count++)
      task.kind = TaskKind.gemm
      const own = changetype<ProductCall>(task.recordPtr)
      memory.copy(task.recordPtr, changetype<usize>(call), offsetof<ProductCall>())
      own.steps = 1
      own.rows = min(part, rows - begin)
      task.weights = changetype<usize>(w)
      task.call = task.recordPtr
      task.aPtr = aPtr + step * call.aStepBytes + begin * call.aRowBytes
      task.outPtr = outPtr + (step * rows + begin) * call.outRowBytes
      task.workspacePtr = workspacePtr
      task.workspaceStride = stride
      if (count < MOST_TASKS) continue
      if (!runTasks(crew, count, wakes)) return 0
      count = 0
    }
  }
  return runTasks(crew, count, wakes)
}

/** `convolveF32` by all threads: 1, or 0 where a worker does not go on. workspacePtr: as many times the bytes as there are threads. */
export function shareConvolveF32(crew: Crew, wakes: i32, call: ConvolveCall, w: Matrix, xPtr: usize, outPtr: usize, workspacePtr: usize): i32 {
  const isLine = call.outHeight == 1
  const positions = isLine ? call.outWidth : call.outHeight
  const parts = min(MOST_TASKS, PARTS_A_THREAD * crew.settings.threads)
  const part = isLine ? rowsOfPart(crew, positions, TILE_ROWS) : (positions + parts - 1) / parts
  // As much as the whole call needs, which is not less than a part does.
  const stride = aligned(convolveWorkspaceBytes(call.outHeight * call.outWidth, w.k, 1))
  let count = 0
  for (let begin = 0; begin < positions; begin += part) {
    const task = taskAt(crew, count++)
    // A part of the output is a convolution that starts further down, or further right.
    const own = changetype<ConvolveCall>(task.recordPtr)
    memory.copy(task.recordPtr, changetype<usize>(call), offsetof<ConvolveCall>())
    let at = begin
    if (isLine) {
      own.outWidth = min(part, positions - begin)
      own.padLeft = call.padLeft - begin * call.strideColumns
    } else {
      own.outHeight = min(part, positions - begin)
      own.padTop = call.padTop - begin * call.strideRows
      at = begin * call.outWidth
    }
    task.kind = TaskKind.convolve
    task.weights = changetype<usize>(w)
    task.call = task.recordPtr
    task.aPtr = xPtr
    task.outPtr = outPtr + at * call.outPixelBytes
    task.workspacePtr = workspacePtr
    task.workspaceStride = stride
  }
  return runTasks(crew, count, wakes)
}

/** Bytes that `rows` rows of a layer work in, whatever the kind of its weights is. */
function layerBytes(rows: i32, chunkSteps: i32, w: Matrix, hiddenSize: i32, outputSize: i32): i32 {
  const gates = w.columns / (groupsOfUnits(hiddenSize) * 4)
  return aligned(recurrentWorkspaceBytes(rows, chunkSteps, w.k, hiddenSize, outputSize, gates, 1))
}

/** Appends a layer of which parts of so many batch rows work in `bytes` each. */
function addParts(crew: Crew, first: i32, kind: TaskKind, call: Recurrence, part: i32, bytes: i32): i32 {
  const buffers = crew.buffers
  let count = first
  for (let begin = call.rowBegin; begin < call.rowEnd; begin += part) {
    const task = taskAt(crew, count)
    memory.copy(task.recordPtr, changetype<usize>(call), offsetof<Recurrence>())
    const own = changetype<Recurrence>(task.recordPtr)
    own.rowBegin = begin
    own.rowEnd = min(begin + part, call.rowEnd)
    task.kind = kind
    task.call = task.recordPtr
    memory.copy(changetype<usize>(task.buffers), changetype<usize>(buffers), offsetof<LayerBuffers>())
    task.workspacePtr = buffers.workspacePtr + (count - first) * bytes
    task.workspaceStride = 0
    count++
  }
  return count
}

/**
 * Appends tasks of a layer in one direction to the `first` that there are, its batch rows in at most `parts` parts. Returns how many there are
 * then. kind: of a layer; `setBuffers` has told what it works on.
 */
export function addLayer(crew: Crew, first: i32, parts: i32, kind: TaskKind, call: Recurrence): i32 {
  const part = (call.rowEnd - call.rowBegin + parts - 1) / parts
  const chunkSteps = call.chunkSteps
  let bytes: i32
  if (kind == TaskKind.gru) {
    const cell = changetype<GruCell>(call.cellPtr)
    bytes = layerBytes(part, chunkSteps, cell.inputWeights, cell.hiddenSize, cell.hiddenSize)
  } else if (kind == TaskKind.rnn) {
    const cell = changetype<RnnCell>(call.cellPtr)
    bytes = layerBytes(part, chunkSteps, cell.inputWeights, cell.hiddenSize, cell.hiddenSize)
  } else {
    const cell = changetype<GeneralLstmCell>(call.cellPtr)
    bytes = layerBytes(part, chunkSteps, cell.inputWeights, cell.hiddenSize, kind == TaskKind.lstm ? cell.hiddenSize : cell.outputSize)
  }
  return addParts(crew, first, kind, call, part, bytes)
}
