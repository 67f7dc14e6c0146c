// Steps of optimisers: elementwise passes over parameters, gradients and moments, which all lie in one layout.
//
// Scalars come as float64 and are rounded once, here: 1 - beta2 of a beta2 that was rounded to float32 before is off by 1.3e-5, which
// moves losses by 5e-3 within a hundred steps. No product is fused with a sum: every binary gives the same bits.
// Lengths are in floats, any number; what lies behind the last one stays as it is.
import { storeLanes } from '../simd'

/** What steps of Adam have in common. */
@unmanaged
export class AdamSettings {
  beta1: f64
  beta2: f64
  epsilon: f64
  decay: f64
  /** 1: AdamW. */
  decoupledDecay: i32
  /** From the mean of a gradient to its square's. */
  squaresBytes: i32
}

/**
 * A step of Adam (Kingma and Ba 2015), and with `decoupledDecay` of AdamW (Loshchilov and Hutter 2019), as PyTorch defines them:
 *
 *     g = g + decay p           (Adam with weight decay)
 *     p = p - rate decay p      (AdamW)
 *     m = beta1 m + (1 - beta1) g
 *     v = beta2 v + (1 - beta2) g^2
 *     p = p - rate / correction1 * m / (sqrt(v) / sqrt(correction2) + epsilon)
 *
 * correction1, correction2: 1 - beta1^n and 1 - beta2^n at the n-th step.
 */
export function adamStep(
  settings: AdamSettings, length: i32, parametersPtr: usize, gradientsPtr: usize, meansPtr: usize, rate: f64, correction1: f64, correction2: f64,
): void {
  const beta1 = settings.beta1
  const beta2 = settings.beta2
  const decay = settings.decay
  const decoupledDecay = settings.decoupledDecay
  let squaresPtr = meansPtr + settings.squaresBytes
  const keep1 = f32x4.splat(f32(beta1))
  const take1 = f32x4.splat(f32(1 - beta1))
  const keep2 = f32x4.splat(f32(beta2))
  const take2 = f32x4.splat(f32(1 - beta2))
  const step = f32x4.splat(f32(rate / correction1))
  const root = f32x4.splat(f32(1 / Math.sqrt(correction2)))
  const least = f32x4.splat(f32(settings.epsilon))
  const coupled = f32x4.splat(decoupledDecay ? 0 : f32(decay))
  // Not as p (1 - rate decay): rounding that factor would move p by 3e-8 the same way in every step.
  const shrink = f32x4.splat(decoupledDecay ? f32(rate * decay) : 0)
  for (; length > 0; length -= 4) {
    const p = v128.load(parametersPtr)
    const g = f32x4.add(v128.load(gradientsPtr), f32x4.mul(coupled, p))
    const m = f32x4.add(f32x4.mul(v128.load(meansPtr), keep1), f32x4.mul(g, take1))
    const v = f32x4.add(f32x4.mul(v128.load(squaresPtr), keep2), f32x4.mul(f32x4.mul(g, g), take2))
    storeLanes(meansPtr, m, length)
    storeLanes(squaresPtr, v, length)
    const change = f32x4.div(f32x4.mul(step, m), f32x4.add(f32x4.mul(f32x4.sqrt(v), root), least))
    storeLanes(parametersPtr, f32x4.sub(f32x4.sub(p, f32x4.mul(p, shrink)), change), length)
    parametersPtr += 16
    gradientsPtr += 16
    meansPtr += 16
    squaresPtr += 16
  }
}

/** What steps of gradient descent have in common. */
@unmanaged
export class SgdSettings {
  momentum: f64
  dampening: f64
  decay: f64
  nesterov: i32
}

/**
 * A step of stochastic gradient descent, as PyTorch defines it:
 *
 *     g = g + decay p
 *     b = momentum b + (1 - dampening) g    (b = g at the first step)
 *     p = p - rate b                        (Nesterov: p - rate (g + momentum b); without momentum: p - rate g)
 *
 * @param velocitiesPtr b; 0 without momentum
 */
export function sgdStep(
  settings: SgdSettings, length: i32, parametersPtr: usize, gradientsPtr: usize, velocitiesPtr: usize, rate: f64, first: i32,
): void {
  const momentum = settings.momentum
  const nesterov = settings.nesterov
  const step = f32x4.splat(f32(rate))
  const keep = f32x4.splat(first ? 0 : f32(momentum))
  const take = f32x4.splat(first ? 1 : f32(1 - settings.dampening))
  const ahead = f32x4.splat(f32(momentum))
  const coupled = f32x4.splat(f32(settings.decay))
  for (; length > 0; length -= 4) {
    const p = v128.load(parametersPtr)
    const g = f32x4.add(v128.load(gradientsPtr), f32x4.mul(coupled, p))
    let change = g
    if (velocitiesPtr != 0) {
      const b = f32x4.add(f32x4.mul(v128.load(velocitiesPtr), keep), f32x4.mul(g, take))
      storeLanes(velocitiesPtr, b, length)
      change = nesterov ? f32x4.add(g, f32x4.mul(ahead, b)) : b
      velocitiesPtr += 16
    }
    storeLanes(parametersPtr, f32x4.sub(p, f32x4.mul(step, change)), length)
    parametersPtr += 16
    gradientsPtr += 16
  }
}

/** What steps of RMSprop have in common. */
@unmanaged
export class RmspropSettings {
  alpha: f64
  epsilon: f64
  momentum: f64
  decay: f64
}

/**
 * A step of RMSprop (Hinton 2012), as PyTorch defines it:
 *
 *     g = g + decay p
 *     s = alpha s + (1 - alpha) g^2
 *     a = alpha a + (1 - alpha) g           (centred)
 *     d = g / (sqrt(s - a^2) + epsilon)     (not centred: a = 0)
 *     b = momentum b + d                    (without momentum: b = d)
 *     p = p - rate b
 *
 * @param meansPtr a; 0 unless centred. s - a^2 below 0, which rounding may make it, is taken as 0
 * @param velocitiesPtr b; 0 without momentum
 */
export function rmspropStep(
  settings: RmspropSettings, length: i32, parametersPtr: usize, gradientsPtr: usize, squaresPtr: usize, meansPtr: usize, velocitiesPtr: usize, rate: f64,
): void {
  const alpha = settings.alpha
  const step = f32x4.splat(f32(rate))
  const keep = f32x4.splat(f32(alpha))
  const take = f32x4.splat(f32(1 - alpha))
  const least = f32x4.splat(f32(settings.epsilon))
  const onward = f32x4.splat(f32(settings.momentum))
  const coupled = f32x4.splat(f32(settings.decay))
  for (; length > 0; length -= 4) {
    const p = v128.load(parametersPtr)
    const g = f32x4.add(v128.load(gradientsPtr), f32x4.mul(coupled, p))
    const s = f32x4.add(f32x4.mul(v128.load(squaresPtr), keep), f32x4.mul(f32x4.mul(g, g), take))
    storeLanes(squaresPtr, s, length)
    let spread = s
    if (meansPtr != 0) {
      const a = f32x4.add(f32x4.mul(v128.load(meansPtr), keep), f32x4.mul(g, take))
      storeLanes(meansPtr, a, length)
      spread = f32x4.max(f32x4.sub(s, f32x4.mul(a, a)), f32x4.splat(0))
      meansPtr += 16
    }
    let change = f32x4.div(g, f32x4.add(f32x4.sqrt(spread), least))
    if (velocitiesPtr != 0) {
      change = f32x4.add(f32x4.mul(v128.load(velocitiesPtr), onward), change)
      storeLanes(velocitiesPtr, change, length)
      velocitiesPtr += 16
    }
    storeLanes(parametersPtr, f32x4.sub(p, f32x4.mul(step, change)), length)
    parametersPtr += 16
    gradientsPtr += 16
    squaresPtr += 16
  }
}

/**
 * The sum of x^2 in float64. Four sums, of the elements n, n + 4, n + 8, ..., are added as (0 + 1) + (2 + 3) at the end. A NaN or an Infinity among the
 * elements makes it one; no finite float32 does.
 */
export function sumOfSquaresF32(ptr: usize, length: i32): f64 {
  let low = f64x2.splat(0)
  let high = f64x2.splat(0)
  for (; length >= 4; length -= 4) {
    const x = v128.load(ptr)
    const first = f64x2.promote_low_f32x4(x)
    const second = f64x2.promote_low_f32x4(i32x4.shuffle(x, x, 2, 3, 2, 3))
    low = f64x2.add(low, f64x2.mul(first, first))
    high = f64x2.add(high, f64x2.mul(second, second))
    ptr += 16
  }
  let sum0 = f64x2.extract_lane(low, 0)
  let sum1 = f64x2.extract_lane(low, 1)
  let sum2 = f64x2.extract_lane(high, 0)
  if (length > 0) sum0 += (f32.load(ptr) as f64) * (f32.load(ptr) as f64)
  if (length > 1) sum1 += (f32.load(ptr, 4) as f64) * (f32.load(ptr, 4) as f64)
  if (length > 2) sum2 += (f32.load(ptr, 8) as f64) * (f32.load(ptr, 8) as f64)
  return (sum0 + sum1) + (sum2 + f64x2.extract_lane(high, 1))
}

/** x = x factor, element by element. */
export function scaleRangeF32(ptr: usize, length: i32, factor: f64): void {
  const by = f32x4.splat(f32(factor))
  for (; length > 0; length -= 4) {
    storeLanes(ptr, f32x4.mul(v128.load(ptr), by), length)
    ptr += 16
  }
}

/** x = min(max(x, -limit), limit), element by element; NaN stays NaN. */
export function clipF32(ptr: usize, length: i32, limit: f64): void {
  const most = f32x4.splat(f32(limit))
  const least = f32x4.neg(most)
  for (; length > 0; length -= 4) {
    storeLanes(ptr, f32x4.min(f32x4.max(v128.load(ptr), least), most), length)
    ptr += 16
  }
}
