// The same engines with two threads, beside themselves with one.
import { loadPeer } from '../peers/load.ts'
import { lstmWasm } from './lstm-wasm.ts'
import { createOnnxruntime } from './onnxruntime.ts'
import { onnxruntimeNode } from './onnxruntime-node.ts'
import { createLstmWasm, loadLstmWasm } from './own-models.ts'
import type { Engine } from './engine.ts'

const THREADS = 2

const ours: Engine = {
  ...lstmWasm,
  name: `lstm-wasm ${THREADS} threads`,
  settings: `as lstm-wasm, a runtime of createRuntime({ threads: ${THREADS} })`,
  async available(variant) {
    await lstmWasm.available(variant)
    const [{ createRuntime }] = await loadLstmWasm()
    const runtime = await createRuntime({ variant: (variant as 'simd'), threads: THREADS })
    const { count, why } = runtime.threads
    runtime.dispose()
    if (count !== THREADS) throw new Error(`one thread: ${String(why)}`)
  },
  create: (prepared, variant) => createLstmWasm(prepared, variant, false, THREADS),
}

const node: Engine = {
  ...onnxruntimeNode,
  name: `onnxruntime-node ${THREADS} threads`,
  settings: `as onnxruntime-node, intraOpNumThreads = ${THREADS}`,
  async create(prepared) {
    const module = await loadPeer('onnxruntime-node')
    return createOnnxruntime(module.default ?? module, {
      executionProviders: ['cpu'], intraOpNumThreads: THREADS, interOpNumThreads: 1, executionMode: 'sequential',
      graphOptimizationLevel: 'all', logSeverityLevel: 3,
    }, prepared)
  },
}

export const THREAD_ENGINES: readonly Engine[] = [ours, node]

/** Those of one comparison. */
export const THREAD_CONTENDERS: readonly Engine[] = [lstmWasm, ours, onnxruntimeNode, node]

/** Its cases: sequences, batches, both directions, and a step, which must not lose. */
export const THREAD_CASES: readonly string[] = [
  'B1 T1 F64 H64', 'B1 T100 F64 H64', 'B1 T100 F128 H128', 'B1 T100 F256 H256', 'B1 T100 F512 H512', 'B32 T50 F256 H256', 'B32 T20 F512 H512',
  '3-layer bidirectional',
]
