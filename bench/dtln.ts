// DTLN (N. L. Westhausen, MIT, https://github.com/breizhn/DTLN): noise suppression at 16 kHz, a block of 128 samples (8 ms) a call. The first network
// says what share of each frequency is speech, the second works on samples. Fourier transforms around them are the caller's, in every engine.
import { readBytes } from './files.ts'
import { ROOT } from './places.ts'

export const DTLN_BINS = 257
export const DTLN_SAMPLES = 512
const UNITS = 128
/** States of both LSTMs of a network: [1, layers, units, h and c]. */
export const DTLN_STATE = [1, 2, UNITS, 2]

/** Inputs and outputs of each network by name: data, then states. */
export const DTLN_PORTS = [
  { input: 'input_2', before: 'input_3', output: 'activation_2', after: 'tf_op_layer_stack_2', size: DTLN_BINS },
  { input: 'input_4', before: 'input_5', output: 'conv1d_3', after: 'tf_op_layer_stack_5', size: DTLN_SAMPLES },
] as const

const lstmFlops = (inputs: number) => 8 * UNITS * (inputs + UNITS)
/** Multiplications and additions of a block: two LSTMs and a dense layer in each network, an encoder and a decoder of 256 channels in the second. */
export const DTLN_FLOPS = lstmFlops(DTLN_BINS) + lstmFlops(UNITS) + 2 * UNITS * DTLN_BINS
  + lstmFlops(256) + lstmFlops(UNITS) + 2 * UNITS * 256 + 2 * 2 * DTLN_SAMPLES * 256

/** Models of others are not part of the project: these lie beside it, or the case is left out. */
const FOLDER = new URL('../shared/models/dtln/', ROOT)

interface Step {
  readonly mag: readonly number[]
  readonly mask: readonly number[]
  readonly frame: readonly number[]
  readonly out: readonly number[]
}

/**
 * Both networks, and what onnxruntime gave for the first blocks of a recording: inputs are magnitudes and then samples, outputs shares and then samples.
 * @throws Error where the folder is not there
 */
export async function readDtln() {
  const read = (name: string) => readBytes(new URL(name, FOLDER)).catch((cause: unknown) => {
    throw new Error(`there is no ${name} of DTLN in ../shared/models/dtln`, { cause })
  })
  const [first, second, expected] = await Promise.all(['model_1.onnx', 'model_2.onnx', 'expected.json'].map(read))
  const { steps } = JSON.parse(new TextDecoder().decode(expected)) as { steps: Step[] }
  return {
    files: [first, second],
    inputs: steps.map(({ mag, frame }) => Float32Array.from([...mag, ...frame])),
    expected: steps.map(({ mask, out }) => Float64Array.from([...mask, ...out])),
  }
}
