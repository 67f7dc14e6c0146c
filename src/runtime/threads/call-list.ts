import type { LinearMemory } from '../memory.ts'

/** Words before the numbers: whether all calls were made, where the second binary is and its bytes, and how many numbers there are. */
const HEAD_BYTES = 16

/** A binary that workers need besides their own, in the shared memory. */
export interface SharedBinary {
  readonly ptr: number
  readonly bytes: number
}

/**
 * Calls of kernels, written down in the shared memory so that a worker can make them. Each is the place of the kernel among all of them, the number
 * of its arguments, and these, as float64: the worker's side is in program.ts.
 *
 * What a kernel gives is known only when it is called. All that plans call as they run give nothing, or the place of an element that they refuse,
 * and -1 where there is none; a worker stops at anything else, and `isMade` is false then.
 */
export class CallList<K extends object> {
  /** As those they are made of; while `record` runs, they only write down what they are called with. */
  readonly kernels: K
  readonly #memory: LinearMemory
  readonly #binary: SharedBinary
  #isRecording = false
  #numbers: number[] = []
  #ptr = 0
  #capacity = 0

  constructor(plain: K, memory: LinearMemory, binary: SharedBinary) {
    this.#memory = memory
    this.#binary = binary
    this.kernels = Object.fromEntries(Object.entries(plain).map(([name, kernel], place) => [name, this.#noting(kernel as Kernel, place)])) as K
  }

  /** Where the list is. */
  get ptr(): number {
    return this.#ptr
  }

  /** Whether a worker has made all of the calls. */
  get isMade(): boolean {
    return this.#memory.view('int32', this.#ptr, 1)[0] === 1
  }

  /** Writes down what `run` calls, in the place of what was there. @throws LstmError `MEMORY` */
  record(run: () => void): void {
    this.#numbers.length = 0
    this.#isRecording = true
    try {
      run()
    } finally {
      this.#isRecording = false
    }
    const numbers = new Float64Array(this.#numbers)
    this.#reserve(HEAD_BYTES + numbers.byteLength)
    this.#memory.write(this.#ptr, Int32Array.of(0, this.#binary.ptr, this.#binary.bytes, numbers.length))
    this.#memory.write(this.#ptr + HEAD_BYTES, new Uint8Array(numbers.buffer))
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#capacity) return
    const ptr = this.#memory.allocate(2 * bytes, 'calls of kernels for a thread')
    if (this.#capacity > 0) this.#memory.free(this.#ptr)
    this.#ptr = ptr
    this.#capacity = 2 * bytes
  }

  #noting(kernel: Kernel, place: number): Kernel {
    return (...args) => {
      if (!this.#isRecording) return kernel(...args)
      this.#numbers.push(place, args.length, ...args)
      return NONE_REFUSED
    }
  }
}

type Kernel = (...args: readonly number[]) => number

const NONE_REFUSED = -1
