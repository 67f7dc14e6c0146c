// Every tolerance of the numeric tests, and why it is what it is. All hold for every binary: fusing
// multiply and add only takes roundings away.

/** Half the distance from 1 to the next float32: the largest relative error of one rounding. */
const FLOAT32_ROUNDING: number = 2 ** -24

/**
 * Distance of sigmoid and tanh from the correctly rounded value, in float32 values between them: a
 * polynomial within 1 ULP, then at most an addition, a product and a quotient that round once each. Measured: 2.
 */
export const ACTIVATION_ULP: number = 3

/** torch.nn.LSTM in float32 is itself up to 1.2e-6 away from float64 in the golden cases, on the other side perhaps. */
export const PYTORCH_DISTANCE: number = 5e-6

/**
 * Distance from the float64 reference: PyTorch adds in another order, so either may be the lucky one; twice its
 * own distance is the same class. Below 1e-6 (8 float32 steps at 1) there is no telling them apart, nor below 8 steps at the largest
 * value where that is above 1: gates by functions without bounds grow states.
 */
export function float64Distance(torchDistance: number, largest: number = 1): number {
  return Math.max(2 * torchDistance, 1e-6 * Math.max(1, largest))
}

/**
 * A term of the cell update, relative: rounding z in e^z is an error of |z| 2^-24, with z up to 29 where a sigmoid of -20
 * is small as a whole; the polynomial's is 9e-8, and six roundings come on top.
 */
export const CELL_UPDATE_RELATIVE: number = 30 * 2 ** -24 + 9e-8 + 6 * 2 ** -24

/** Products of two denominators overflow beyond 1e38: what is left of a term below this is 0. */
export const CELL_UPDATE_LEAST: number = 1e-28

/** One layer over few steps, states within [-1, 1], from the float64 reference: a handful of roundings at 1. */
export const LSTM_KERNEL_DISTANCE: number = 1e-6

/** The reference and PyTorch's float64 do the same sums in another order; the samples are stored as float32. */
export const REFERENCE_DISTANCE: number = 1e-7

/** The largest error of adding `terms` products one by one, whatever their signs (Higham 2002, section 3.1). */
export function dotDistance(terms: number, sumOfMagnitudes: number): number {
  const roundings = 2 * terms // unfused, each term rounds twice, though only once at its full weight
  return (roundings * FLOAT32_ROUNDING) / (1 - roundings * FLOAT32_ROUNDING) * sumOfMagnitudes
}

/**
 * Relative error of a softmax element whose input is `below` the maximum: rounding that difference
 * moves e^-below by as many roundings; the sum takes one an addition; e^x and the quotient take the rest.
 */
export function softmaxRelative(below: number, columns: number): number {
  return (below + columns + 8) * FLOAT32_ROUNDING
}

/** A softmax element below the smallest normal float32 is rounded to a multiple of this. */
export const SMALLEST_FLOAT32: number = 2 ** -149

/** Heap bytes per call that count as none: a compiler that finishes in the background allocates a little, once. */
export const STEADY_STATE_BYTES: number = 4

/** Error-to-signal ratio of the amplifier's model on guitar that it was not trained on; the whole of it: 0.0035. */
export const AMPLIFIER_ESR: number = 0.01

/** Cross-entropy of the text generator on text that it was not trained on; the whole of it: 1.365. */
export const CHARRNN_NATS: number = 1.5

/**
 * Distance from the float32 model (root mean square) of a quantised one, times onnxruntime's own. It quantises activations by one scale with a zero point,
 * ours have a scale a row: either may be the lucky one. Measured: 0.73 to 1.15.
 */
export const QUANTIZED_RATIO: number = 1.25
/** The same where weights have zero points that 8 bits without any cannot stand for: they are rounded once more. Measured: 0.81 to 1.44. */
export const REQUANTIZED_RATIO: number = 1.6
/** Weights of 4 bits that onnxruntime widens, where 8 bits are multiplied here: what quantising activations row by row changes. Measured: 0.0035. */
export const ALONE_DISTANCE: number = 0.01

/** Parameters after a hundred steps of an optimiser from PyTorch's float64, relative to the tensor's largest: a hundred roundings of each parameter. */
export const OPTIMIZER_DISTANCE: number = 1e-6

/** Losses and their gradients from float64, relative to the largest: e^x within 1 ULP, a quotient, and the product with the weight. */
export const LOSS_DISTANCE: number = 5e-7

/** Gradients, relative to the largest of their tensor where that is above 1: a handful of roundings of float32, and those of the forward pass. */
export const GRADIENT_DISTANCE: number = 2e-6

/**
 * Distance, relative to the largest output, of the same model written in other operators and read again: sums in another order, gates spelled out.
 * Measured over all golden models and random graphs: 9e-7.
 */
export const REORDERED_DISTANCE: number = 2e-6
