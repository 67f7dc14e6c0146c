// What is trained, and on which numbers: the same in every run and every engine.
import { NdArray } from 'lstm-wasm'
import { pseudoRandom } from '../random.ts'

export interface TrainingCase {
  readonly name: string
  readonly batch: number
  readonly timesteps: number
  readonly features: number
  readonly units: number
  readonly classes: number
  /** A target at every step, or one after the last. */
  readonly everyStep: boolean
}

export const TRAINING_CASES: readonly TrainingCase[] = [
  { name: 'train B128 T28 F28 H32', batch: 128, timesteps: 28, features: 28, units: 32, classes: 10, everyStep: false },
  { name: 'train B128 T28 F28 H128', batch: 128, timesteps: 28, features: 28, units: 128, classes: 10, everyStep: false },
  { name: 'train char-RNN B32 T64 F64 H256', batch: 32, timesteps: 64, features: 64, units: 256, classes: 65, everyStep: true },
  { name: 'train B128 T28 F1 H128', batch: 128, timesteps: 28, features: 1, units: 128, classes: 10, everyStep: false },
]

export interface TrainingData {
  /** An LSTM and a dense layer, with PyTorch's names. */
  readonly weights: Readonly<Record<string, NdArray>>
  /** [batch, timesteps, features] */
  readonly x: NdArray
  /** Classes: [batch, timesteps], or [batch]. */
  readonly y: NdArray
}

const SEED = 700

export function makeTrainingData({ batch, timesteps, features, units, classes, everyStep }: TrainingCase): TrainingData {
  let drawn = 0
  const draw = (scale: number, ...shape: number[]) => new NdArray(pseudoRandom(SEED + drawn++, shape.reduce((a, b) => a * b, 1), scale), shape)
  const scale = 1 / Math.sqrt(units)
  const weights = {
    'lstm.weight_ih_l0': draw(scale, 4 * units, features), 'lstm.weight_hh_l0': draw(scale, 4 * units, units), 'lstm.bias_ih_l0': draw(scale, 4 * units),
    // One bias, as TensorFlow.js has it: the second one is zeros, and frozen.
    'lstm.bias_hh_l0': new NdArray(new Float32Array(4 * units), [4 * units]),
    'dense.weight': draw(scale, classes, units), 'dense.bias': draw(scale, classes),
  }
  const x = draw(1, batch, timesteps, features)
  const chances = draw(1, ...everyStep ? [batch, timesteps] : [batch])
  const y = new NdArray(Int32Array.from(chances.data, (chance) => Math.min(classes - 1, Math.floor((chance + 1) / 2 * classes))), chances.shape)
  return { weights, x, y }
}

/** Additions and multiplications of the products of a step: forwards, and twice as many back. */
export function flopsOfStep({ batch, timesteps, features, units, classes, everyStep }: TrainingCase) {
  return 3 * 2 * batch * (timesteps * 4 * units * (features + units) + (everyStep ? timesteps : 1) * units * classes)
}
