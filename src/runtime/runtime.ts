import { INT8_WIDE } from '../contract/products/int8/layout.ts'
import { LstmError } from '../errors.ts'
import { copyData, createData, dtypeOfData, type DType } from '../values/dtype.ts'
import { checkData, dataOfNested, type Nested } from '../values/ndarray.ts'
import { checkShape, copyShape, formatShape, lengthOf, shapeOfNested, type Shape } from '../values/shape.ts'
import type { Kernels, Sharing, Variant } from './kernels.ts'
import type { LinearMemory } from './memory.ts'
import { Tensor, type TensorCount } from './tensor.ts'
import type { KernelModule } from './web-assembly.ts'

/** What `runtime.memory()` counts. */
export interface MemoryUse {
  /** Bytes in use by tensors, weights and buffers of models. */
  readonly usedBytes: number
  /** Bytes of the linear memory; it grows, and never shrinks. */
  readonly totalBytes: number
  /** The limit. */
  readonly maxBytes: number
  /** Tensors made and not yet disposed. */
  readonly tensors: number
}

/** How many threads kernels run on: what `runtime.threads` says. */
export interface Threads {
  /** With the calling one. */
  readonly count: number
  /** Why there are fewer than were asked for; undefined where there are as many. */
  readonly why: string | undefined
}

/** One WebAssembly instance and its one linear memory, in which tensors and models live. */
export class Runtime {
  /** The binary that runs: `'simd'`, `'relaxed-simd'`, or `'custom'` for a module given by the caller. */
  readonly variant: Variant | 'custom'
  /** The compiled binary, which can be posted to other threads. */
  readonly module: KernelModule
  /** Kernels of the binary. Internal: their signatures change between versions. */
  readonly kernels: Kernels
  /** The linear memory. Internal. */
  readonly linearMemory: LinearMemory
  /** Where there are threads. Internal. */
  readonly sharing: Sharing | undefined
  readonly #why: string | undefined
  readonly #tensors: TensorCount = { live: 0 }

  /** Use `createRuntime`. */
  constructor(variant: Variant | 'custom', module: KernelModule, kernels: Kernels, memory: LinearMemory, why?: string, sharing?: Sharing) {
    this.variant = variant
    this.module = module
    this.kernels = kernels
    this.linearMemory = memory
    this.sharing = sharing
    this.#why = why
  }

  /** How many threads its kernels run on, and why there are fewer than were asked for. */
  get threads(): Threads {
    return { count: 1, why: this.#why }
  }

  /** Ends its workers, where there are threads. Models and tensors stay as they are, and go on with one thread. */
  dispose(): void {
    // None.
  }

  /**
   * How layers of 8 bits are multiplied here: `'bytes'`, by a dot of four bytes that was found to be exact, or `'words'`, with 16 bits. The
   * sums are the same whole numbers; bytes are faster.
   */
  get int8Products(): 'bytes' | 'words' {
    return this.kernels.int8Kind(0) === INT8_WIDE ? 'words' : 'bytes'
  }

  /**
   * A tensor with the elements of `source`: nested arrays, a typed array (with its shape), or
   * nothing for zeros.
   *
   * @param dtype default: that of a typed array, else `'float32'`
   * @throws LstmError `SHAPE` when the elements do not fill the shape, `VALUE` for elements or typed arrays of
   *   another dtype, `MEMORY` when the limit is reached
   */
  tensor<T extends DType = 'float32'>(
    source: Nested | Float32Array | Int32Array | Uint8Array | null, shape?: Shape, dtype?: T,
  ): Tensor<T> {
    const type = dtype ?? dtypeOfData(source) ?? 'float32'
    const isView = ArrayBuffer.isView(source)
    // Copies: what the caller hands over is looked at once.
    const own = shape === undefined ? (isView ? [source.length] : shapeOfNested(source, 'tensor')) : copyShape(shape, 'tensor')
    checkShape(own, 'tensor')
    let data = createData(type, 0)
    if (isView) {
      checkData(source, type, 'tensor')
      if (source.length !== lengthOf(own)) {
        throw new LstmError('SHAPE', `tensor: expected ${lengthOf(own)} elements for shape ${formatShape(own)}, got ${source.length}`)
      }
      data = this.linearMemory.owns(source) ? copyData(source) : source // making room may detach it
    } else if (source !== null) {
      data = dataOfNested(source, type, own, 'tensor')
    }
    const tensor = new Tensor(this.linearMemory, this.#tensors, type as T, own)
    if (source === null) tensor.data.fill(0)
    else tensor.data.set(data)
    return tensor
  }

  /** Bytes and tensors in use now: a leak shows as figures that go up from call to call. */
  memory(): MemoryUse {
    const { usedBytes, totalBytes, maxBytes } = this.linearMemory
    return { usedBytes, totalBytes, maxBytes, tensors: this.#tensors.live }
  }
}
