// The kernels of a runtime with threads: calls that are large enough are shared where that has been found to be faster. All others, and all
// other kernels, are the binary's own.
import { ProductCall } from '../../contract/products/gemm.ts'
import { Matrix } from '../../contract/products/layout.ts'
import { LstmCell } from '../../contract/recurrent/lstm.ts'
import { Recurrence } from '../../contract/recurrent/recurrence.ts'
import type { ThreadKernels } from '../../contract/thread-kernels.ts'
import { TaskKind } from '../../contract/threads/tasks.ts'
import { ConvolveCall } from '../../contract/windows/convolve.ts'
import type { RecordFields } from '../../values/record.ts'
import type { Kernels, Sharing, Together } from '../kernels.ts'
import { Site, Way, type Crew } from './crew.ts'

/** Places in plans that are remembered; plans come and go. */
const MOST_SITES = 4096
/** Units that a part of a layer has at least. */
const LEAST_UNITS = 16
/** A call that is collected: beyond what `Crew.begin` says. */
const COLLECTED = 4

/** The place of a field in its record; all of them have four bytes. */
function at<Fields extends RecordFields>(fields: Fields, name: keyof Fields & string): number {
  return Object.keys(fields).indexOf(name)
}

/** The int32 so many places behind an address. */
const read = (ints: Int32Array, ptr: number, place: number): number => ints[(ptr >> 2) + place] as number

/** A kernel of a layer. */
type LayerKernel = Kernels['lstmForwardF32']

/** A call of a layer, which is the same in every run of a plan. */
class LayerSite extends Site {
  /** Parts that it can be split into; 0 before it is known. */
  most = 0
}

const K = at(Matrix, 'k')
const COLUMNS = at(Matrix, 'columns')
const HIDDEN_SIZE = at(LstmCell, 'hiddenSize')
const CELL = at(Recurrence, 'cellPtr')
const ROW_BEGIN = at(Recurrence, 'rowBegin')
const ROW_END = at(Recurrence, 'rowEnd')
const STEPS = at(ProductCall, 'steps')
const ROWS = at(ProductCall, 'rows')
const OUT_HEIGHT = at(ConvolveCall, 'outHeight')
const OUT_WIDTH = at(ConvolveCall, 'outWidth')

/** Multiply-adds of one row by a packed matrix. */
const terms = (ints: Int32Array, w: number): number => read(ints, w, K) * read(ints, w, COLUMNS)

const aligned = (bytes: number): number => Math.ceil(bytes / 64) * 64

/** Kernels that share their work. */
export class SharedKernels implements Sharing {
  /** What operators call. */
  readonly kernels: Kernels
  readonly #plain: Kernels & ThreadKernels
  readonly #crew: Crew
  /** By the address of the call's record. */
  readonly #sites: Map<number, Site> = new Map()
  /** Tasks that are collected between `begin` and `end`; undefined elsewhere. */
  #collected: number | undefined
  /** Parts that a call of a layer is split into: those of the call that is begun, and of each that is collected. */
  #parts = 1
  #collectedParts = 1
  /** Between `begin` and `end` of calls that are not shared: each would ask for itself. */
  #isAlone = false

  constructor(plain: Kernels & ThreadKernels, crew: Crew) {
    this.#plain = plain
    this.#crew = crew
    this.kernels = {
      ...plain,
      gemmF32: this.#gemm,
      convolveF32: this.#convolve,
      gemmWorkspaceBytes: (w, rows) => this.#forThreads(plain.gemmWorkspaceBytes(w, rows)),
      convolveWorkspaceBytes: (rows, k) => this.#forThreads(plain.convolveWorkspaceBytes(rows, k, 1)),
      recurrentWorkspaceBytes: (...args) => this.#recurrentBytes(...args),
    }
  }

  kernelsFor(multiplyAdds: number): Kernels {
    if (multiplyAdds < this.#crew.least) return this.#plain
    const layer = new LayerSite(multiplyAdds)
    return {
      ...this.kernels,
      lstmForwardF32: this.#layer(layer, 'lstmForwardF32', TaskKind.lstm),
      lstmGeneralF32: this.#layer(layer, 'lstmGeneralF32', TaskKind.generalLstm),
      gruF32: this.#layer(layer, 'gruF32', TaskKind.gru),
      rnnF32: this.#layer(layer, 'rnnF32', TaskKind.rnn),
    }
  }

  /** Steps of a plan around calls of layers that may be made at the same time; each must have a workspace of its own. */
  together(multiplyAdds: number, calls: number): Together {
    const crew = this.#crew
    const site = new Site(multiplyAdds)
    let way: number = Way.unmeasured
    return {
      begin: () => {
        way = crew.begin(site)
        this.#isAlone = way === Way.alone
        if (way < Way.shared) return
        this.#collected = 0
        this.#collectedParts = Math.max(1, Math.floor(crew.threads / calls))
      },
      end: () => {
        const count = this.#collected
        this.#collected = undefined
        this.#isAlone = false
        if (count !== undefined) this.#runTasks(count, way)
        else if (way === Way.alone) crew.ended(true)
      },
    }
  }

  #forThreads(bytes: number): number {
    return bytes === 0 ? 0 : this.#crew.threads * aligned(bytes)
  }

  /** Enough for the whole call, and for its parts at the same time, however many they are; and for parts of units, where there is one row. */
  #recurrentBytes(rows: number, chunkSteps: number, inputSize: number, hiddenSize: number, outputSize: number, gates: number, isInt8: number): number {
    const { recurrentWorkspaceBytes, unitsScratchBytes } = this.#plain
    let most = recurrentWorkspaceBytes(rows, chunkSteps, inputSize, hiddenSize, outputSize, gates, isInt8)
    for (let parts = 1; parts <= Math.min(rows, this.#crew.threads); parts++) {
      const bytes = recurrentWorkspaceBytes(Math.ceil(rows / parts), chunkSteps, inputSize, hiddenSize, outputSize, gates, 1)
      most = Math.max(most, parts * aligned(bytes))
    }
    if (rows === 1 && gates === 4 && this.#crew.threads > 1) this.#crew.reserve(unitsScratchBytes(chunkSteps, inputSize, hiddenSize))
    return most
  }

  #site(key: number, multiplyAdds: number): Site {
    let site = this.#sites.get(key)
    // Another plan may have been at this address.
    if (site?.multiplyAdds !== multiplyAdds) {
      if (this.#sites.size > MOST_SITES) this.#sites.clear()
      site = new Site(multiplyAdds)
      this.#sites.set(key, site)
    }
    return site
  }

  #begin(key: number, multiplyAdds: number): number {
    return this.#isAlone || multiplyAdds < this.#crew.least ? Way.unmeasured : this.#crew.begin(this.#site(key, multiplyAdds))
  }

  #runTasks(count: number, way: number): void {
    this.#crew.ended(this.#plain.runTasks(this.#crew.ptr, count, Number(way === Way.waking)) === 1)
  }

  /** How a call of a layer is made; sets the number of its parts. `splitsUnits`: whether one row is split too. Most calls end at the first lines. */
  #beginLayer(layer: LayerSite, call: number, splitsUnits: boolean): number {
    if (layer.most === 0) {
      const rows = this.#rows(call)
      layer.most = rows > 1 ? rows : splitsUnits ? Math.max(1, Math.floor(this.#units(call) / LEAST_UNITS)) : 1
    }
    if (this.#collected !== undefined) {
      this.#parts = Math.min(this.#rows(call), this.#collectedParts)
      return COLLECTED
    }
    if (this.#isAlone || layer.most === 1) return Way.unmeasured
    this.#parts = Math.min(this.#crew.threads, layer.most)
    return this.#crew.begin(layer)
  }

  #units(call: number): number {
    const { ints } = this.#crew
    return read(ints, read(ints, call, CELL) >>> 0, HIDDEN_SIZE)
  }

  #rows(call: number): number {
    const { ints } = this.#crew
    return read(ints, call, ROW_END) - read(ints, call, ROW_BEGIN)
  }

  readonly #gemm: Kernels['gemmF32'] = (call, w, aPtr, outPtr, workspacePtr) => {
    const crew = this.#crew
    const { ints } = crew
    const way = this.#begin(call, read(ints, call, STEPS) * read(ints, call, ROWS) * terms(ints, w))
    if (way < Way.shared) this.#plain.gemmF32(call, w, aPtr, outPtr, workspacePtr)
    const isDone = way < Way.shared || this.#plain.shareGemmF32(crew.ptr, Number(way === Way.waking), call, w, aPtr, outPtr, workspacePtr) === 1
    if (way !== Way.unmeasured) crew.ended(isDone)
  }

  readonly #convolve: Kernels['convolveF32'] = (call, w, xPtr, outPtr, workspacePtr) => {
    const crew = this.#crew
    const { ints } = crew
    const way = this.#begin(call, read(ints, call, OUT_HEIGHT) * read(ints, call, OUT_WIDTH) * terms(ints, w))
    if (way < Way.shared) this.#plain.convolveF32(call, w, xPtr, outPtr, workspacePtr)
    const isDone = way < Way.shared || this.#plain.shareConvolveF32(crew.ptr, Number(way === Way.waking), call, w, xPtr, outPtr, workspacePtr) === 1
    if (way !== Way.unmeasured) crew.ended(isDone)
  }

  #layer(layer: LayerSite, name: 'lstmForwardF32' | 'lstmGeneralF32' | 'gruF32' | 'rnnF32', kind: number): LayerKernel {
    const crew = this.#crew
    const plain = this.#plain
    const run = plain[name]
    return (call, xPtr, hPtr, cPtr, yPtr, maskPtr, pastPtr, workspacePtr) => {
      // Units of a step are shared where there is one row, and no mask.
      const splitsUnits = kind === TaskKind.lstm && maskPtr === 0
      const way = this.#beginLayer(layer, call, splitsUnits)
      if (way < Way.shared) run(call, xPtr, hPtr, cPtr, yPtr, maskPtr, pastPtr, workspacePtr)
      if (way === Way.unmeasured) return
      if (way < Way.shared) {
        crew.ended(true)
        return
      }
      plain.setBuffers(crew.ptr, xPtr, hPtr, cPtr, yPtr, maskPtr, pastPtr, workspacePtr)
      if (splitsUnits && way !== COLLECTED && this.#rows(call) === 1) {
        const { scratchPtr, scratchStride } = crew
        crew.ended(plain.leadLstmF32(crew.ptr, Number(way === Way.waking), call, scratchPtr, scratchStride, this.#parts) >= 0)
        return
      }
      const count = plain.addLayer(crew.ptr, this.#collected ?? 0, this.#parts, kind, call)
      if (way === COLLECTED) this.#collected = count
      else this.#runTasks(count, way)
    }
  }
}
