// The same engines with several threads, beside themselves with one.
import { loadPeer } from '../peers/load.ts'
import { lstmWasm } from './lstm-wasm.ts'
import { createOnnxruntime } from './onnxruntime.ts'
import { onnxruntimeNode } from './onnxruntime-node.ts'
import { onnxruntimeWeb } from './onnxruntime-web.ts'
import { createLstmWasm, loadLstmWasm } from './own-models.ts'
import type { Engine } from './engine.ts'

/** Of one comparison. */
const THREADS = 2

const ours = (threads: number): Engine => ({
  ...lstmWasm, threads,
  name: `lstm-wasm ${threads} threads`,
  settings: `as lstm-wasm, a runtime of createRuntime({ threads: ${threads} })`,
  async available(variant) {
    await lstmWasm.available(variant)
    const [{ createRuntime }] = await loadLstmWasm()
    const runtime = await createRuntime({ variant: (variant as 'simd'), threads })
    const { count, why } = runtime.threads
    runtime.dispose()
    if (count !== threads) throw new Error(`${count} threads: ${String(why)}`)
  },
  create: (prepared, variant) => createLstmWasm(prepared, variant, false, threads),
})

const node = (threads: number): Engine => ({
  ...onnxruntimeNode, threads,
  name: `onnxruntime-node ${threads} threads`,
  settings: `as onnxruntime-node, intraOpNumThreads = ${threads}`,
  async create(prepared) {
    const module = await loadPeer('onnxruntime-node')
    return createOnnxruntime(module.default ?? module, {
      executionProviders: ['cpu'], intraOpNumThreads: threads, interOpNumThreads: 1, executionMode: 'sequential',
      graphOptimizationLevel: 'all', logSeverityLevel: 3,
    }, prepared)
  },
})

/** Its number of threads is the module's, for all sessions: each number has a module of its own. The build for Node: that for pages fetches its workers. */
const web = (threads: number): Engine => {
  const loadOrt = async () => {
    const ort = await loadPeer('onnxruntime-web', `threads=${threads}`)
    Object.assign(ort.env.wasm, { numThreads: threads, proxy: false })
    ort.env.logLevel = 'error'
    return ort
  }
  return {
    ...onnxruntimeWeb, threads,
    name: `onnxruntime-web ${threads} threads`,
    settings: `as onnxruntime-web, env.wasm.numThreads = ${threads}`,
    available: loadOrt,
    create: async (prepared) => createOnnxruntime(await loadOrt(), { executionProviders: ['wasm'], graphOptimizationLevel: 'all' }, prepared),
  }
}

export const THREAD_ENGINES: readonly Engine[] = [ours(THREADS), node(THREADS), web(THREADS)]

/** Engines with one thread, and with each number up to `most`. */
export function contendersUpTo(most: number): Engine[] {
  const counts = Array.from({ length: most - 1 }, (_, n) => n + 2)
  return [lstmWasm, onnxruntimeNode, onnxruntimeWeb, ...counts.flatMap((threads) => [ours(threads), node(threads), web(threads)])]
}

/** Those of one comparison. */
export const THREAD_CONTENDERS: readonly Engine[] = contendersUpTo(THREADS)

/** Its cases: sequences, batches, both directions, and a step, which must not lose. */
export const THREAD_CASES: readonly string[] = [
  'B1 T1 F64 H64', 'B1 T100 F64 H64', 'B1 T100 F128 H128', 'B1 T100 F256 H256', 'B1 T100 F512 H512', 'B32 T50 F256 H256', 'B32 T20 F512 H512',
  '3-layer bidirectional',
]
