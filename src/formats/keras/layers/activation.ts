import { LstmError } from '../../../errors.ts'
import { bindFunction } from '../../../ops/elementwise/functions.ts'
import { describeValue } from '../../../values/dtype.ts'
import type { Dialect } from '../dialect.ts'
import type { Emitter } from '../emitter.ts'
import { field, type Json } from '../../json.ts'
import { Settings } from '../settings.ts'

/** One of our functions with its constants. */
export interface KerasActivation {
  readonly op: string
  readonly alpha?: number
  readonly beta?: number
}

const NAMES: Readonly<Record<string, KerasActivation>> = {
  linear: { op: 'linear' },
  relu: { op: 'relu' },
  relu6: { op: 'clipped', alpha: 0, beta: 6 },
  sigmoid: { op: 'sigmoid' },
  tanh: { op: 'tanh' },
  elu: { op: 'elu', alpha: 1 },
  selu: { op: 'selu' },
  softplus: { op: 'softplus' },
  softsign: { op: 'softsign' },
  exponential: { op: 'exp' },
  swish: { op: 'silu' },
  silu: { op: 'silu' },
  gelu: { op: 'gelu' },
  gelu_new: { op: 'geluTanh' },
  mish: { op: 'mish' },
  leaky_relu: { op: 'leakyRelu', alpha: 0.2 },
  hard_silu: { op: 'hardSwish' },
  hard_swish: { op: 'hardSwish' },
  hard_tanh: { op: 'clipped', alpha: -1, beta: 1 },
  tanh_shrink: { op: 'tanhShrink' },
  log_sigmoid: { op: 'logSigmoid' },
  celu: { op: 'celu', alpha: 1 },
  squareplus: { op: 'squareplus', alpha: 4 },
  soft_shrink: { op: 'softShrink', alpha: 0.5 },
  hard_shrink: { op: 'hardShrink', alpha: 0.5 },
  sparse_plus: { op: 'sparsePlus' },
  sparse_sigmoid: { op: 'hardSigmoid', alpha: 0.5, beta: 0.5 },
  softmax: { op: 'softmax' },
  log_softmax: { op: 'logSoftmax' },
  sparsemax: { op: 'sparsemax' },
}

/**
 * An activation by name, as a function object, or as a layer; null and nothing are linear.
 * @throws LstmError `UNSUPPORTED` for functions that are not Keras's own
 */
export function readActivation(json: Json | undefined, dialect: Dialect, what: string): KerasActivation {
  if (json === undefined || json === null) return { op: 'linear' }
  if (typeof json === 'string') return byName(json, dialect, what)
  const className = field(json, 'class_name')
  const config = field(json, 'config') ?? null
  if (className === 'function' && typeof config === 'string') return byName(config, dialect, what)
  if (typeof className === 'string') {
    const layer = activationLayer(className, new Settings(config, what), dialect)
    if (layer !== undefined) return layer
    // Keras 3 may write a function as an object of its own.
    const name = field(config, 'name')
    if (typeof name === 'string') return byName(name, dialect, what)
    return byName(className, dialect, what)
  }
  throw new LstmError('FORMAT', `Keras: ${what}: expected an activation, got ${describeValue(json)}`)
}

function byName(given: string, dialect: Dialect, what: string): KerasActivation {
  const name = given.replace(/^.*[.>]/, '').replace(/([a-z])([A-Z])/g, '$1_$2').toLowerCase()
  if (name === 'hard_sigmoid') return { op: 'hardSigmoid', alpha: dialect.hardSigmoidAlpha, beta: 0.5 }
  const known = Object.hasOwn(NAMES, name) ? NAMES[name] : undefined
  if (known === undefined) throw new LstmError('UNSUPPORTED', `${what}: activation ${describeValue(given)}`)
  return known
}

/** Activation layers without weights that are one of our functions; undefined for any other class. */
export function activationLayer(className: string, settings: Settings, dialect: Dialect): KerasActivation | undefined {
  switch (className) {
    case 'Activation': return readActivation(settings.json('activation'), dialect, settings.what)
    case 'ELU': return { op: 'elu', alpha: settings.number('alpha', 1) }
    case 'LeakyReLU': return { op: 'leakyRelu', alpha: settings.number('negative_slope', settings.number('alpha', dialect.leakySlope)) }
    case 'ThresholdedReLU': return { op: 'thresholdedRelu', alpha: settings.number('theta', 1), beta: 0 }
    case 'ReLU': return reluLayer(settings)
    default: return undefined
  }
}

/** ReLU whose settings leave it one of our functions; the others are put together from several. */
function reluLayer(settings: Settings): KerasActivation | undefined {
  const slope = settings.number('negative_slope', 0)
  const limit = settings.json('max_value')
  if (settings.number('threshold', 0) !== 0) return undefined
  if (limit === undefined) return slope === 0 ? { op: 'relu' } : { op: 'leakyRelu', alpha: slope }
  return slope === 0 ? { op: 'clipped', alpha: 0, beta: settings.number('max_value') } : undefined
}

/** Attributes of a recurrent node: the functions of every direction, in the order of its operator. */
export function recurrentActivations(
  functions: readonly KerasActivation[], what: string,
): { activations: string[], activationAlpha: number[], activationBeta: number[] } {
  const bound = functions.map(({ op, alpha, beta }) => bindFunction(op, alpha, beta, what))
  return {
    activations: bound.map(({ name }) => name),
    activationAlpha: bound.map(({ alpha }) => alpha),
    activationBeta: bound.map(({ beta }) => beta),
  }
}

/** An activation as a node of its own; linear adds none. */
export function emitActivation({ emit, path }: { readonly emit: Emitter, readonly path: string }, activation: KerasActivation, value: string): string {
  if (activation.op === 'linear') return value
  const { op, alpha, beta } = activation
  return emit.node(`${path}/${op}`, op, [value], { ...(alpha !== undefined && { alpha }), ...(beta !== undefined && { beta }) })
}
