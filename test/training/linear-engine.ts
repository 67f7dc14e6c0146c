// A trainable that is one linear layer in plain JavaScript, float64: what fit does is tested with it, whatever an engine does.
import type { TrainingRuntime } from '../../src/runtime/gradient-kernels.ts'
import type { Trainable } from '../../src/training/trainable.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { pseudoRandom } from '../random.ts'
import { ParameterArena } from './arena.ts'

export interface LinearEngine extends Trainable {
  /** Rows of x[0] in the order they were trained with. */
  readonly seen: number[]
  /** Sizes of batches that were trained with. */
  readonly sizes: number[]
  /** Makes the losses of a step NaN. */
  spoil: ((step: number) => boolean) | undefined
  disposed: boolean
}

/** y = x W^T + b; losses: cross-entropy of the softmax with a class, or the mean squared error. */
export function linearEngine(runtime: TrainingRuntime, features: number, outputs: number, kind: 'classes' | 'squares'): LinearEngine {
  const arena = new ParameterArena(runtime, { 'dense.weight': [outputs, features], 'dense.bias': [outputs] })
  const [weight, bias] = arena.parameters as [ParameterArena['parameters'][0], ParameterArena['parameters'][0]]
  weight.write(pseudoRandom(3, features * outputs, 0.3))
  const forward = (x: ArrayLike<number>, rows: number): Float64Array => {
    const [w, b] = [weight.read(), bias.read()]
    return Float64Array.from({ length: rows * outputs }, (_, n) => {
      const [row, out] = [Math.floor(n / outputs), n % outputs]
      let sum = b[out] as number
      for (let f = 0; f < features; f++) sum += (x[row * features + f] as number) * (w[out * features + f] as number)
      return sum
    })
  }
  const engine: LinearEngine = {
    runtime, parameters: arena.parameters, valuesPtr: arena.valuesPtr, gradientsPtr: arena.gradientsPtr, length: arena.length,
    inputs: [{ name: 'x', dtype: 'float32' }], seen: [], sizes: [], spoil: undefined, disposed: false,
    shapesOf: ({ x = [0] }) => [{ losses: [x[0] as number], prediction: [x[0] as number, outputs], isLogits: true }],
    run({ x }, [targets], { rows, weights: [weights = new Float32Array(0)], step, training }) {
      const target = targets?.target
      const data = x?.data as Float32Array
      if (training) {
        engine.sizes.push(rows)
        for (let row = 0; row < rows; row++) engine.seen.push(data[row * features] as number)
      }
      const prediction = forward(data, rows)
      const losses = new Float32Array(rows)
      const slopes = new Float64Array(rows * outputs)
      for (let row = 0; row < rows; row++) {
        const y = prediction.subarray(row * outputs, (row + 1) * outputs)
        const sum = y.reduce((total, value) => total + Math.exp(value), 0)
        for (let out = 0; out < outputs; out++) {
          const n = row * outputs + out
          if (kind === 'classes') {
            const isOwn = target?.data[row] === out
            slopes[n] = Math.exp(y[out] as number) / sum - Number(isOwn)
            if (isOwn) losses[row] = Math.log(sum) - (y[out] as number)
          } else {
            const difference = (y[out] as number) - (target?.data[n] as number)
            slopes[n] = 2 * difference / outputs
            losses[row] = (losses[row] as number) + difference * difference / outputs
          }
        }
      }
      if (training && engine.spoil?.(step) === true) losses[rows - 1] = NaN
      if (training) {
        const gradient = [new Float32Array(outputs * features), new Float32Array(outputs)] as const
        for (let out = 0; out < outputs; out++) {
          for (let row = 0; row < rows; row++) {
            const slope = (slopes[row * outputs + out] as number) * (weights[row] as number)
            gradient[1][out] = (gradient[1][out] as number) + slope
            for (let f = 0; f < features; f++) {
              const n = out * features + f
              gradient[0][n] = (gradient[0][n] as number) + slope * (data[row * features + f] as number)
            }
          }
        }
        gradient.forEach((values, n) => arena.setGradient(n, values))
      }
      return { losses: [losses], predictions: [Float32Array.from(prediction)] }
    },
    predict: ({ x }) => ({ output: new NdArray(Float32Array.from(forward(x?.data as Float32Array, x?.shape[0] as number)), [x?.shape[0] as number, outputs]) }),
    dispose() {
      arena.dispose()
      engine.disposed = true
    },
  }
  return engine
}
