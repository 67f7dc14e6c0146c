// What a QuantizeLinear and the DequantizeLinear after it make of activations.

/**
 * out[n] = (clamp(round(in[n] / scale) + zero, least, most) - zero) * scale, each step rounded to float32, halves to even; NaN stays NaN. out may be in.
 * Works in vectors to the end: allocations are padded to whole ones.
 */
export function throughIntegersF32(inPtr: usize, outPtr: usize, length: i32, scale: f32, zero: f32, least: f32, most: f32): void {
  const scales = f32x4.splat(scale)
  const zeros = f32x4.splat(zero)
  const bounds = f32x4.splat(least)
  const limits = f32x4.splat(most)
  for (let n = 0; n < length; n += 4) {
    const whole = f32x4.add(f32x4.nearest(f32x4.div(v128.load(inPtr + n * 4), scales)), zeros)
    const within = f32x4.min(f32x4.max(whole, bounds), limits)
    v128.store(outPtr + n * 4, f32x4.mul(f32x4.sub(within, zeros), scales))
  }
}
