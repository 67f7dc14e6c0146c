import { createData, dtypeOfData, type DataOf, type DType } from '../values/dtype.ts'

/** The `length` elements of `shape` in row-major order, which lie `strides` (in elements, an axis each) apart from `begin` on. */
export function gatherStrided(
  data: DataOf, begin: number, shape: readonly number[], strides: readonly number[], length: number,
): DataOf {
  const result = createData(dtypeOfData(data) as DType, length)
  const index = shape.map(() => 0)
  let from = begin
  for (let to = 0; to < length; to++) {
    result[to] = data[from] as number
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const stride = strides[axis] as number
      from += stride
      index[axis] = (index[axis] as number) + 1
      if (index[axis] !== shape[axis]) break
      from -= stride * (shape[axis] as number)
      index[axis] = 0
    }
  }
  return result
}
