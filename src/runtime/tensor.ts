import { LstmError } from '../errors.ts'
import { bytesOf, type DataOf, type DType } from '../values/dtype.ts'
import { nest, print, type ArrayLike, type Nested } from '../values/ndarray.ts'
import type { PlatformDisposable } from '../values/platform.ts'
import { copyShape, formatShape, lengthOf, type Shape } from '../values/shape.ts'
import { makeDisposable } from './dispose.ts'
import type { LinearMemory } from './memory.ts'

/** A block of linear memory, shared by tensors that are reshapes of each other. */
interface Block {
  readonly ptr: number
  owners: number
}

/** Counts live tensors: `runtime.memory().tensors`. */
export interface TensorCount {
  live: number
}

/**
 * An n-dimensional array in the linear memory of a runtime, row-major. Passed to `model.run` or as
 * `into`, nothing is copied. It holds its memory until `dispose()` (or the end of a `using` block).
 */
export class Tensor<T extends DType = DType> implements ArrayLike {
  /** Type of its elements. */
  readonly dtype: T
  /** Sizes, outermost first. */
  readonly shape: Shape
  /** Number of elements. */
  readonly length: number
  /** The memory it lives in: two tensors belong to the same runtime when these are the same. */
  readonly memory: LinearMemory
  readonly #block: Block
  readonly #count: TensorCount
  #disposed = false
  #view: DataOf<T> | undefined
  #generation = -1

  /** Made by `runtime.tensor()`, which checks the shape. */
  constructor(memory: LinearMemory, count: TensorCount, dtype: T, shape: Shape, shared?: Block) {
    this.dtype = dtype
    this.shape = Object.freeze([...shape])
    this.length = lengthOf(shape)
    this.memory = memory
    this.#count = count
    this.#block = shared ?? {
      ptr: memory.allocate(this.length * bytesOf(dtype), `tensor ${dtype} ${formatShape(shape)}`),
      owners: 0,
    }
    this.#block.owners++
    count.live++
  }

  /** Whether `dispose()` was called. */
  get disposed(): boolean {
    return this.#disposed
  }

  /** Address of the first element. @throws LstmError `DISPOSED` */
  get ptr(): number {
    this.#check()
    return this.#block.ptr
  }

  /**
   * The elements themselves, not a copy: writing here writes the tensor. Ask for it anew after
   * anything that may allocate: when the memory grows, arrays handed out before lose their elements.
   * @throws LstmError `DISPOSED`
   */
  get data(): DataOf<T> {
    this.#check()
    if (this.#view === undefined || this.#generation !== this.memory.generation) {
      this.#view = this.memory.view(this.dtype, this.#block.ptr, this.length)
      this.#generation = this.memory.generation
    }
    return this.#view
  }

  /**
   * The same memory with another shape: both tensors see each other's changes, and each must be
   * disposed; the memory is freed with the last of them.
   * @throws LstmError `SHAPE` when the number of elements differs, `DISPOSED`
   */
  reshape(shape: Shape): Tensor<T> {
    this.#check()
    const own = copyShape(shape, 'reshape')
    if (lengthOf(own) !== this.length) {
      throw new LstmError('SHAPE', `reshape: expected ${this.length} elements as in ${formatShape(this.shape)}, got ${formatShape(own)} with ${lengthOf(own)}`)
    }
    return new Tensor(this.memory, this.#count, this.dtype, own, this.#block)
  }

  /** A copy as nested arrays of numbers. */
  toArray(): Nested {
    return nest(this.data, this.shape)
  }

  /** The dtype, the shape, and the first and last elements of every axis. */
  toString(): string {
    return this.#disposed ? `${this.dtype} ${formatShape(this.shape)} (disposed)` : print(this)
  }

  /** Frees the memory. Calling it again does nothing. */
  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    this.#view = undefined
    this.#count.live--
    if (--this.#block.owners === 0) this.memory.free(this.#block.ptr)
  }

  #check(): void {
    if (this.#disposed) throw new LstmError('DISPOSED', `tensor ${this.dtype} ${formatShape(this.shape)} is disposed`)
  }
}

/** With `using`, a tensor is freed at the end of its block. */
export interface Tensor<T extends DType = DType> extends PlatformDisposable {
  /** Type of its elements. */
  readonly dtype: T
}
makeDisposable(Tensor)
