// Some units of an LSTM cell as a cell of their own: their columns of both matrices, which stay where they are. Blocks of LSTM gates hold
// four units, so that parts are whole blocks.
import { BLOCK_LENGTH, FLOAT32, Matrix, UNITS_PER_GROUP, groupsOfUnits } from '../products/layout'
import { int8BlockBytes } from '../products/int8/layout'
import { LstmCell } from '../recurrent/lstm'

/** Bytes of a matrix's fields in a part, and of all of a part's records. */
const FIELDS_BYTES: usize = 32
export const PART_BYTES: i32 = 96

/** The cell of a part whose records are at `ptr`. */
// @ts-ignore: decorator
@inline
export function cellOfPart(ptr: usize): LstmCell {
  return changetype<LstmCell>(ptr + 2 * FIELDS_BYTES)
}

/** Copies the records of a part. */
export function copyPart(fromPtr: usize, toPtr: usize): LstmCell {
  memory.copy(toPtr, fromPtr, PART_BYTES)
  // Blocks stay where they are.
  changetype<Matrix>(toPtr).blocksAt += i32(fromPtr - toPtr)
  changetype<Matrix>(toPtr + FIELDS_BYTES).blocksAt += i32(fromPtr - toPtr)
  const own = cellOfPart(toPtr)
  own.inputWeights = changetype<Matrix>(toPtr)
  own.recurrentWeights = changetype<Matrix>(toPtr + FIELDS_BYTES)
  return own
}

/** The first unit of part `part` of `parts`: the end of the last one is the number of units. */
// @ts-ignore: decorator
@inline
export function firstUnit(units: i32, part: i32, parts: i32): i32 {
  return min(units, groupsOfUnits(units) * part / parts * UNITS_PER_GROUP)
}

/** Blocks from `first` on, of as many units. */
function columnsOf(w: Matrix, ptr: usize, first: i32, units: i32): Matrix {
  const own = changetype<Matrix>(ptr)
  own.kind = w.kind
  own.k = w.k
  own.columns = groupsOfUnits(units) * BLOCK_LENGTH
  own.isFinite = w.isFinite
  const blockBytes = w.kind == FLOAT32 ? w.blockBytes : int8BlockBytes(w.k, w.kind)
  own.blocksAt = i32(w.biasPtr - ptr) + first / UNITS_PER_GROUP * blockBytes
  return own
}

/** Writes the records of a part to `ptr`, PART_BYTES bytes; returns its cell. */
export function partOfCell(cell: LstmCell, ptr: usize, part: i32, parts: i32): LstmCell {
  const first = firstUnit(cell.hiddenSize, part, parts)
  const units = firstUnit(cell.hiddenSize, part + 1, parts) - first
  const own = cellOfPart(ptr)
  own.inputWeights = columnsOf(cell.inputWeights, ptr, first, units)
  own.recurrentWeights = columnsOf(cell.recurrentWeights, ptr + FIELDS_BYTES, first, units)
  own.hiddenSize = units
  own.clip = cell.clip
  own.cellClip = cell.cellClip
  return own
}
