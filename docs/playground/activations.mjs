// Functions that recurrent layers apply, by the names that graphs have for them. Those that are not here are not drawn.

const sigmoid = (x) => 1 / (1 + Math.exp(-x))

/** Each makes a function of its two constants; defaults as the library has them. */
const MAKERS = {
  sigmoid: () => sigmoid,
  tanh: () => Math.tanh,
  relu: () => (x) => Math.max(0, x),
  linear: () => (x) => x,
  identity: () => (x) => x,
  hardSigmoid: (alpha = 0.2, beta = 0.5) => (x) => Math.max(0, Math.min(1, alpha * x + beta)),
  softsign: () => (x) => x / (1 + Math.abs(x)),
  softplus: () => (x) => Math.log1p(Math.exp(-Math.abs(x))) + Math.max(0, x),
  elu: (alpha = 1) => (x) => (x < 0 ? alpha * Math.expm1(x) : x),
  leakyRelu: (alpha = 0.01) => (x) => (x < 0 ? alpha * x : x),
  affine: (alpha = 1, beta = 0) => (x) => alpha * x + beta,
  scaledTanh: (alpha = 1, beta = 1) => (x) => alpha * Math.tanh(beta * x),
  clipped: (alpha = -1, beta = 1) => (x) => Math.max(alpha, Math.min(beta, x)),
  silu: () => (x) => x * sigmoid(x),
}

/**
 * The functions of one direction of a recurrent node.
 * @param defaults their names, as many as a direction has
 * @throws Error naming a function that is not here
 */
export function functionsOf({ activations, activationAlpha = [], activationBeta = [] }, direction, defaults) {
  return defaults.map((usual, n) => {
    const at = direction * defaults.length + n
    const name = activations?.[at] ?? usual
    const make = MAKERS[name]
    if (make === undefined) throw new Error(`its activation is '${name}'`)
    return make(activationAlpha[at], activationBeta[at])
  })
}
