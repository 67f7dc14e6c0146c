// How cost grows: one size at a time, the others fixed.

export interface Axis {
  readonly name: string
  /** Of the axis. */
  readonly title: string
  /** What is fixed. */
  readonly about: string
  readonly values: readonly number[]
  /** Fewer: each is a new process for every engine. */
  readonly memoryValues: readonly number[]
  /** Batch, timesteps, features, units. */
  readonly sizes: (value: number) => number[]
}

export const AXES: readonly Axis[] = [
  {
    name: 'units', title: 'units (H)', about: 'one LSTM with as many features as units, 20 steps, batch 1',
    values: [8, 16, 32, 64, 128, 256, 512, 1024, 2048], memoryValues: [8, 64, 256, 512, 1024, 2048], sizes: (units) => [1, 20, units, units],
  },
  {
    name: 'timesteps', title: 'timesteps (T)', about: 'one LSTM of 64 units, 64 features, batch 1',
    values: [1, 3, 10, 30, 100, 300, 1000, 3000, 10000], memoryValues: [1, 10, 100, 1000, 10000], sizes: (timesteps) => [1, timesteps, 64, 64],
  },
  {
    name: 'batch', title: 'batch (B)', about: 'one LSTM of 128 units, 64 features, 50 steps',
    values: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512], memoryValues: [1, 8, 32, 128, 512], sizes: (batch) => [batch, 50, 64, 128],
  },
]

/** Engines of the curves: that of TensorFlow.js in JavaScript is slower by orders of magnitude, and would take hours. */
export const CURVE_ENGINES = ['lstm-wasm', 'onnxruntime-web', 'tfjs-wasm', 'onnxruntime-node', 'plain-js']
