// onnxruntime's LSTM with weights of 8 bits. Inputs as those of LSTM, but W [D, F, 4H] and R [D, H, 4H] are integers with their rows and
// columns exchanged; then scales and zero points of W, and of R: [D], or [D, 4H] where each output has one.
// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.DynamicQuantizeLSTM
import { formatShape } from '../../../values/shape.ts'
import { malformed } from '../../protobuf/wire.ts'
import type { ScaledIntegers } from '../../quantized/scaled-integers.ts'
import type { Conversion } from '../conversion.ts'
import type { ReadMatrix } from '../recurrent-weights.ts'
import { convertKind } from '../recurrent.ts'
import { int8Constant, known, scalesOf } from './integers.ts'

/** Where the scales and zero points of W and R stand. */
const SCALES: Readonly<Record<string, { readonly scale: number, readonly zero: number }>> = { W: { scale: 8, zero: 9 }, R: { scale: 10, zero: 11 } }

const matrix: ReadMatrix = (c, position, name) => {
  const { data, shape, dtype } = known(c, position, name)
  const [directions = 0, columns = 0, rows = 0] = shape
  if (dtype === 'float32' || shape.length !== 3) throw malformed(`${c.label}: expected integers with 3 axes for ${name}, got ${dtype} ${formatShape(shape)}`)
  const positions = SCALES[name] as { scale: number, zero: number }
  const found = scalesOf(c, positions, name, ([of, each = 1, ...more]) => of === directions && [1, rows].includes(each) && more.length === 0)
  const isEach = found.scales.length === directions * rows && found.shape.length === 2
  return {
    shape: [directions, rows, columns],
    add(index, order, what) {
      c.importer.spend(data.length, data.length)
      const block = rows / order.length
      const q = new Int16Array(rows * columns)
      const scales = new Float32Array(rows)
      const zeros = new Int16Array(rows)
      for (let row = 0; row < rows; row++) {
        const from = (order[Math.floor(row / block)] as number) * block + row % block
        for (let k = 0; k < columns; k++) q[row * columns + k] = data[(index * columns + k) * rows + from] as number
        const scale = isEach ? index * rows + from : index
        scales[row] = found.scales[scale] as number
        zeros[row] = found.zeros?.[scale] ?? 0
      }
      const source: ScaledIntegers = { q, shape: [rows, columns], scales, zeros, axis: 0 }
      return int8Constant(c, source, 0, what)
    },
  }
}

export function dynamicQuantizeLstm(c: Conversion): void {
  convertKind(c, 'LSTM', matrix)
}
