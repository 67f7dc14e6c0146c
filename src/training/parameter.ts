// What trains: arrays of a model, side by side in an arena, with their gradients in a second one of the same layout.

/** A trained array. */
export interface TrainedParameter {
  /** Name of its constant in the graph. */
  readonly name: string
  readonly shape: readonly number[]
  /** Whether it learns: a frozen one stays as it is. */
  readonly trainable: boolean
  /** Where it begins, in floats from the start of the arena. */
  readonly offset: number
  /** Floats that it takes. Packed layouts are padded with zeros whose gradients are zeros. */
  readonly length: number
  /** Its elements, row-major. */
  read(): Float32Array
  write(data: Float32Array): void
}
