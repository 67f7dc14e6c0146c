// Parameters and gradients in linear memory, as the engine lays them out.
import type { TrainingRuntime } from '../../src/runtime/gradient-kernels.ts'
import type { TrainedParameter } from '../../src/training/parameter.ts'

/** Parameters of given lengths at multiples of 16 floats, all else zeros. */
export class ParameterArena {
  readonly parameters: readonly (TrainedParameter & { trainable: boolean })[]
  readonly length: number
  readonly valuesPtr: number
  readonly gradientsPtr: number
  readonly #runtime: TrainingRuntime

  constructor(runtime: TrainingRuntime, shapes: Readonly<Record<string, readonly number[]>>) {
    this.#runtime = runtime
    let end = 0
    this.parameters = Object.entries(shapes).map(([name, shape]) => {
      const offset = end
      const length = shape.reduce((product, size) => product * size, 1)
      end = Math.ceil((offset + length) / 16) * 16
      return {
        name, shape, trainable: true, offset, length,
        read: () => this.view(this.valuesPtr).slice(offset, offset + length),
        write: (data) => this.view(this.valuesPtr).set(data, offset),
      }
    })
    this.length = end
    this.valuesPtr = runtime.linearMemory.allocate(4 * end, 'values')
    this.gradientsPtr = runtime.linearMemory.allocate(4 * end, 'gradients')
    this.view(this.valuesPtr).fill(0)
    this.view(this.gradientsPtr).fill(0)
  }

  view(ptr: number): Float32Array {
    return this.#runtime.linearMemory.view('float32', ptr, this.length)
  }

  setGradient(position: number, data: Float32Array): void {
    this.view(this.gradientsPtr).set(data, this.parameters[position]?.offset)
  }

  dispose(): void {
    this.#runtime.linearMemory.free(this.valuesPtr)
    this.#runtime.linearMemory.free(this.gradientsPtr)
  }
}
