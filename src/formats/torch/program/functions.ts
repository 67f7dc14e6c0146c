// Functions of one variable as PyTorch calls them, and ours that compute the same.

export interface PlainFunction {
  readonly op: string
  /** Positions of arguments that are alpha and beta, with their defaults; a default alone where it is no argument. */
  readonly alpha?: readonly [position: number | undefined, otherwise: number]
  readonly beta?: readonly [position: number | undefined, otherwise: number]
  /** Arguments that must have this value, by position: other values are not done. */
  readonly must?: Readonly<Record<number, number>>
}

export const FUNCTIONS: Readonly<Record<string, PlainFunction>> = {
  relu: { op: 'relu' }, tanh: { op: 'tanh' }, sigmoid: { op: 'sigmoid' }, silu: { op: 'silu' }, mish: { op: 'mish' }, softsign: { op: 'softsign' },
  log_sigmoid: { op: 'logSigmoid' }, logsigmoid: { op: 'logSigmoid' }, tanhshrink: { op: 'tanhShrink' }, hardswish: { op: 'hardSwish' },
  exp: { op: 'exp' }, log: { op: 'log' }, sqrt: { op: 'sqrt' }, abs: { op: 'abs' }, neg: { op: 'neg' }, sin: { op: 'sin' }, cos: { op: 'cos' }, erf: { op: 'erf' },
  atan: { op: 'atan' }, ceil: { op: 'ceil' }, floor: { op: 'floor' }, round: { op: 'round' }, sign: { op: 'sign' },
  square: { op: 'square' }, reciprocal: { op: 'reciprocal' },
  selu: { op: 'selu' },
  hardsigmoid: { op: 'hardSigmoid', alpha: [undefined, 1 / 6], beta: [undefined, 0.5] },
  relu6: { op: 'clipped', alpha: [undefined, 0], beta: [undefined, 6] },
  hardtanh: { op: 'clipped', alpha: [1, -1], beta: [2, 1] },
  elu: { op: 'elu', alpha: [1, 1], must: { 2: 1, 3: 1 } },
  celu: { op: 'celu', alpha: [1, 1] },
  leaky_relu: { op: 'leakyRelu', alpha: [1, 0.01] },
  hardshrink: { op: 'hardShrink', alpha: [1, 0.5] },
  softshrink: { op: 'softShrink', alpha: [1, 0.5] },
  softplus: { op: 'softplus', must: { 1: 1, 2: 20 } },
}

/** Functions of torch.nn.functional whose arguments stand otherwise than those of the operator of that name: where these are among them. */
export const PYTHON_ORDER: Readonly<Record<string, readonly number[]>> = {
  batch_norm: [0, 3, 4, 1, 2, 5, 6, 7],
  embedding: [1, 0, 2],
  elu: [0, 1],
}

/** Operators that give their first argument as it is, in programs that are not trained. */
export const IDENTITIES: readonly string[] = ['feature_dropout', 'alpha_dropout', 'contiguous', 'detach', 'clone', 'alias', 'identity', 'lift_fresh_copy']

/** Operators whose result has the shape of their first argument. */
export const ELEMENTWISE: readonly string[] = [...Object.keys(FUNCTIONS), ...IDENTITIES, 'gelu', 'prelu', 'add', 'sub', 'mul', 'div', 'softmax', 'log_softmax', 'layer_norm', 'batch_norm', 'group_norm']
/** Operators that change the length of the last axis alone, by these arguments. */
export const LENGTHENING: readonly string[] = ['pad', 'constant_pad_nd', 'avg_pool1d', 'max_pool1d']
