// The way back through a layer normalisation of a row, in float64. With n = (x - mean) scale and y = n gain + shift:
//
//     dgain = dy n      dshift = dy      dx = scale (dn - mean(dn) - n mean(dn n))      where dn = dy gain
import { elementPtr } from '../../math/activate'
import { meanOf, scaleOf } from '../../recurrent/normalise'

/**
 * dy -> dx, in place; its vectors lie `strideBytes` apart, as those of x do. dgain, dshift: `length` elements each, to which is added; 0 where they are
 * not wanted.
 */
export function normaliseBack(
  gainPtr: usize, epsilon: f32, xPtr: usize, gradientPtr: usize, strideBytes: i32, length: i32, dgainPtr: usize, dshiftPtr: usize,
): void {
  const mean = meanOf(xPtr, strideBytes, length)
  const scale = scaleOf(xPtr, strideBytes, length, mean, epsilon)
  let sum: f64 = 0
  let product: f64 = 0
  for (let n = 0; n < length; n++) {
    const normal = (f32.load(elementPtr(xPtr, strideBytes, n)) as f64 - mean) * scale
    const dy = f32.load(elementPtr(gradientPtr, strideBytes, n))
    const dn = (dy as f64) * (f32.load(gainPtr + n * 4) as f64)
    sum += dn
    product += dn * normal
    if (dgainPtr) f32.store(dgainPtr + n * 4, f32.load(dgainPtr + n * 4) + ((dy as f64) * normal) as f32)
    if (dshiftPtr) f32.store(dshiftPtr + n * 4, f32.load(dshiftPtr + n * 4) + dy)
  }
  for (let n = 0; n < length; n++) {
    const normal = (f32.load(elementPtr(xPtr, strideBytes, n)) as f64 - mean) * scale
    const atPtr = elementPtr(gradientPtr, strideBytes, n)
    const dn = (f32.load(atPtr) as f64) * (f32.load(gainPtr + n * 4) as f64)
    f32.store(atPtr, (scale * (dn - (sum + normal * product) / length)) as f32)
  }
}
