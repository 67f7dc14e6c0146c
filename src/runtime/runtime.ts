import { instantiate } from '@assemblyscript/loader'
import { LstmError } from '../errors.ts'
import { createData, dtypeOfData, isDType, type DType } from '../values/dtype.ts'
import { checkData, fillFromNested, type Nested } from '../values/ndarray.ts'
import { checkShape, formatShape, lengthOf, shapeOfNested, type Shape } from '../values/shape.ts'
import { KERNEL_ARITIES, type Kernels } from './kernels.ts'
import { LinearMemory, MAX_MEMORY_BYTES } from './memory.ts'
import { Tensor, type TensorCount } from './tensor.ts'
import { chooseBinary, type Variant } from './variant.ts'

export interface RuntimeOptions {
  /** Which binary to run. Default `'auto'`: the fastest this engine accepts. */
  readonly variant?: Variant | 'auto'
  /** Limit of the linear memory in bytes, at least 64 KiB; whole pages of 64 KiB count. Default 4 GiB. */
  readonly maxMemoryBytes?: number
  /**
   * A compiled module of one of the package's .wasm files, for places that forbid compiling from
   * bytes (Cloudflare Workers). `variant` is then not looked at.
   */
  readonly module?: WebAssembly.Module
}

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

/** One WebAssembly instance and its one linear memory, in which tensors and models live. */
export class Runtime {
  /** The binary that runs: `'simd'`, `'relaxed-simd'`, or `'custom'` for a module given by the caller. */
  readonly variant: Variant | 'custom'
  /** Kernels of the binary. Internal: their signatures change between versions. */
  readonly kernels: Kernels
  /** The linear memory. Internal. */
  readonly linearMemory: LinearMemory
  readonly #tensors: TensorCount = { live: 0 }

  /** Use `createRuntime`. */
  constructor(variant: Variant | 'custom', kernels: Kernels, memory: LinearMemory) {
    this.variant = variant
    this.kernels = kernels
    this.linearMemory = memory
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
    if (!isDType(type)) throw new LstmError('VALUE', `dtype: expected 'float32', 'int32' or 'uint8', got ${JSON.stringify(type)}`)
    const isView = ArrayBuffer.isView(source)
    const own = shape ?? (isView ? [source.length] : shapeOfNested(source))
    checkShape(own, 'tensor')
    let data = createData(type, 0)
    if (isView) {
      checkData(source, type, 'tensor')
      if (source.length !== lengthOf(own)) {
        throw new LstmError('SHAPE', `tensor: expected ${lengthOf(own)} elements for shape ${formatShape(own)}, got ${source.length}`)
      }
      data = source
    } else if (source !== null) {
      data = createData(type, lengthOf(own))
      fillFromNested(data, type, source, own, 'tensor')
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

/**
 * Makes a runtime. Models that are to share tensors share one; otherwise each may have its own.
 *
 * @throws LstmError `ENVIRONMENT` where the engine cannot run it, `VALUE` for options that are not accepted
 */
export async function createRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const { variant = 'auto', maxMemoryBytes = MAX_MEMORY_BYTES, module } = options
  if (typeof maxMemoryBytes !== 'number' || !(maxMemoryBytes >= 65536)) {
    throw new LstmError('VALUE', `maxMemoryBytes: expected a number >= 65536, got ${String(maxMemoryBytes)}`)
  }
  if (module !== undefined && !(module instanceof WebAssembly.Module)) {
    throw new LstmError('VALUE', 'module: expected a WebAssembly.Module compiled from one of the .wasm files of this package')
  }
  const chosen = module === undefined ? chooseBinary(variant) : undefined
  const memory = new LinearMemory(maxMemoryBytes)
  const { instance } = await instantiate(chosen?.bytes ?? (module as WebAssembly.Module), { env: { memory: memory.wasm } })
    .catch((cause: unknown) => {
      throw new LstmError('ENVIRONMENT', `the WebAssembly module does not start: ${String(cause)}`, { cause })
    })
  // The instance's own exports: the loader's are wrapped, to tell optional arguments, which kernels have none of.
  const kernels = instance.exports as unknown as Kernels
  for (const name of Object.keys(KERNEL_ARITIES) as (keyof Kernels)[]) {
    if (typeof kernels[name] !== 'function' || kernels[name].length !== KERNEL_ARITIES[name]) {
      throw new LstmError('VALUE', `module: expected a .wasm file of this version of lstm-wasm, but its export '${name}' is missing or different`)
    }
  }
  return new Runtime(chosen?.variant ?? 'custom', kernels, memory)
}

let shared: Promise<Runtime> | undefined

/** The runtime that `load` and `compile` use when none is given: made at the first call, then shared. */
export function defaultRuntime(): Promise<Runtime> {
  shared ??= createRuntime().catch((error: unknown) => {
    shared = undefined
    throw error
  })
  return shared
}
