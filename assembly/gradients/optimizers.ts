// Steps of optimisers: elementwise passes over parameters, gradients and moments, which all lie in one layout.
//
// Scalars come as float64 and are rounded once, here: 1 - beta2 of a beta2 that was rounded to float32 before is off by 1.3e-5, which
// moves losses by 5e-3 within a hundred steps.

/**
 * A step of Adam (Kingma and Ba 2015), and with `decoupledDecay` of AdamW (Loshchilov and Hutter 2019), as PyTorch defines them:
 *
 *     g = g + decay p           (Adam with weight decay)
 *     p = p (1 - rate decay)    (AdamW)
 *     m = beta1 m + (1 - beta1) g
 *     v = beta2 v + (1 - beta2) g^2
 *     p = p - rate / correction1 * m / (sqrt(v) / sqrt(correction2) + epsilon)
 *
 * correction1, correction2: 1 - beta1^n and 1 - beta2^n at the n-th step. Memory is in whole vectors.
 */
export function adamStep(
  length: i32, parametersPtr: usize, gradientsPtr: usize, meansPtr: usize, squaresPtr: usize, rate: f64, beta1: f64, beta2: f64, epsilon: f64,
  correction1: f64, correction2: f64, decay: f64, decoupledDecay: i32,
): void {
  const keep1 = f32x4.splat(f32(beta1))
  const take1 = f32x4.splat(f32(1 - beta1))
  const keep2 = f32x4.splat(f32(beta2))
  const take2 = f32x4.splat(f32(1 - beta2))
  const step = f32x4.splat(f32(rate / correction1))
  const root = f32x4.splat(f32(1 / Math.sqrt(correction2)))
  const least = f32x4.splat(f32(epsilon))
  const coupled = f32x4.splat(decoupledDecay ? 0 : f32(decay))
  const shrink = f32x4.splat(decoupledDecay ? f32(1 - rate * decay) : 1)
  for (; length > 0; length -= 4) {
    const p = v128.load(parametersPtr)
    const g = f32x4.add(v128.load(gradientsPtr), f32x4.mul(coupled, p))
    const m = f32x4.add(f32x4.mul(v128.load(meansPtr), keep1), f32x4.mul(g, take1))
    const v = f32x4.add(f32x4.mul(v128.load(squaresPtr), keep2), f32x4.mul(f32x4.mul(g, g), take2))
    v128.store(meansPtr, m)
    v128.store(squaresPtr, v)
    const change = f32x4.div(f32x4.mul(step, m), f32x4.add(f32x4.mul(f32x4.sqrt(v), root), least))
    v128.store(parametersPtr, f32x4.sub(f32x4.mul(p, shrink), change))
    parametersPtr += 16
    gradientsPtr += 16
    meansPtr += 16
    squaresPtr += 16
  }
}
