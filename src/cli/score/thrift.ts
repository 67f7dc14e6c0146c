// Thrift's compact protocol, in which a Parquet file says what it is: walked before hyparquet makes values of it, which believes every length.
// Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
import { damaged } from './parquet-runs.ts'

/** A column's statistics in a row group are six deep. */
const MOST_DEPTH = 16
/** 64 bits, seven a byte. */
const MOST_VARINT_BYTES = 10

const [STOP, TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, STRUCT] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12]

/**
 * Walks a struct: every list has the elements that it claims, each at least a byte, and no number is longer than one is.
 * @throws LstmError `FORMAT`
 */
export function checkThrift(bytes: Uint8Array): void {
  let at = 0
  const byte = (): number => {
    if (at >= bytes.length) throw damaged('what describes it ends too early')
    return bytes[at++] as number
  }
  const varint = (): number => {
    let value = 0
    for (let n = 0; n < MOST_VARINT_BYTES; n++) {
      const next = byte()
      value += (next % 128) * 128 ** n
      if (next < 128) return value
    }
    throw damaged('a number of more than 64 bits')
  }
  const skip = (count: number): void => {
    if (count > bytes.length - at) throw damaged(`${count} bytes, of which ${bytes.length - at} are there`)
    at += count
  }
  const list = (depth: number): void => {
    const head = byte()
    const type = head % 16
    const length = head >> 4 === 15 ? varint() : head >> 4
    if (length > bytes.length - at) throw damaged(`a list of ${length}, for which there are ${bytes.length - at} bytes`)
    for (let n = 0; n < length; n++) element(type === TRUE || type === FALSE ? BYTE : type, depth)
  }
  const struct = (depth: number): void => {
    if (depth > MOST_DEPTH) throw damaged('what describes it is nested too deep')
    for (;;) {
      const head = byte()
      const type = head % 16
      if (type === STOP) return
      if (head < 16) varint()
      if (type !== TRUE && type !== FALSE) element(type, depth)
    }
  }
  const element = (type: number, depth: number): void => {
    if (type === BYTE) skip(1)
    else if (type === I16 || type === I32 || type === I64) varint()
    else if (type === DOUBLE) skip(8)
    else if (type === BINARY) skip(varint())
    else if (type === LIST && depth < MOST_DEPTH) list(depth + 1)
    else if (type === STRUCT) struct(depth + 1)
    else throw damaged(`a value of type ${type}`)
  }
  struct(0)
}
