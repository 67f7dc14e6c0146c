import type { BoundFunction } from '../../ops/elementwise/functions.ts'

const near = (a: number, b: number): boolean => Math.abs(a - b) < 1e-6

/** Activations that Keras knows by a name, by the names of ours; those with constants only where these are Keras's. */
const NAMES: Readonly<Record<string, string>> = {
  linear: 'linear', sigmoid: 'sigmoid', tanh: 'tanh', relu: 'relu', softplus: 'softplus', softsign: 'softsign', exp: 'exponential', silu: 'silu', mish: 'mish', gelu: 'gelu',
  hardSwish: 'hard_silu', tanhShrink: 'tanh_shrink', logSigmoid: 'log_sigmoid', sparsePlus: 'sparse_plus', softmax: 'softmax', logSoftmax: 'log_softmax',
}
const WITH_CONSTANTS: readonly (readonly [name: string, alpha: number, beta: number, keras: string])[] = [
  ['hardSigmoid', 1 / 6, 0.5, 'hard_sigmoid'], ['clipped', 0, 6, 'relu6'], ['clipped', -1, 1, 'hard_tanh'], ['elu', 1, 0, 'elu'], ['celu', 1, 0, 'celu'],
  ['selu', 1.6732632423543772, 1.0507009873554805, 'selu'], ['squareplus', 4, 0, 'squareplus'], ['hardShrink', 0.5, 0, 'hard_shrink'],
  ['softShrink', 0.5, 0, 'soft_shrink'], ['leakyRelu', 0.2, 0, 'leaky_relu'],
]

/** What Keras calls a function, or undefined where it has no name for it. */
export function kerasActivation({ name, alpha, beta }: Pick<BoundFunction, 'name' | 'alpha' | 'beta'>): string | undefined {
  if (Object.hasOwn(NAMES, name)) return NAMES[name]
  return WITH_CONSTANTS.find(([own, a, b]) => own === name && near(a, alpha) && near(b, beta))?.[3]
}
