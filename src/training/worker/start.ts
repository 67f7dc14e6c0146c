// Starts workers with trainers in them: a chunk that is loaded when one is asked for.
import { LstmError } from '../../errors.ts'
import { program } from '../../runtime/binaries/training-program.ts'
import { compileGradients } from '../../runtime/gradient-kernels.ts'
import { hasWorkers, NO_WORKERS, startWorker, type WorkerProgram } from '../../runtime/threads/workers.ts'
import type { MadeIn } from '../make-trainer.ts'
import { Link } from './link.ts'
import type { FromWorker, TrainerOrigin, TrainerTask } from './messages.ts'
import { WorkerTrainer } from './worker-trainer.ts'

/** `program` makes `lstmWasmTraining`. It says that it is there; the task comes first, then calls. */
const PROGRAM: WorkerProgram = {
  name: 'lstm-wasm training',
  node: `${program}
const { parentPort, workerData } = require('node:worker_threads')
parentPort.postMessage('here')
parentPort.on('message', lstmWasmTraining.serveTrainer(workerData, (message) => parentPort.postMessage(message)))`,
  web: `${program}
globalThis.onmessage = ({ data }) => {
  postMessage('here')
  const hear = lstmWasmTraining.serveTrainer(data, (message) => postMessage(message))
  globalThis.onmessage = ({ data }) => hear(data)
}`,
}

/**
 * A trainer in a worker.
 * @throws LstmError as `createTrainer`; `ENVIRONMENT` where no worker can be started, and for a runtime with threads
 */
export async function workerTrainerOf(origin: TrainerOrigin, { runtime, module }: MadeIn): Promise<WorkerTrainer> {
  if (runtime.threads.count > 1) throw new LstmError('ENVIRONMENT', 'createTrainer: a trainer in a worker has one thread, and this runtime has more: expected one of createRuntime() without them')
  if (!hasWorkers()) throw new LstmError('ENVIRONMENT', `createTrainer: no trainer in a worker: ${NO_WORKERS}`)
  const { variant, linearMemory: { maxBytes } } = runtime
  const task: TrainerTask = {
    origin, variant, maxMemoryBytes: maxBytes, module: runtime.module, gradients: module ?? await compileGradients(variant),
  }
  const link = new Link()
  try {
    link.attach(await startWorker(PROGRAM, task, { heard: (message) => link.heard(message as FromWorker), lost: (cause) => link.lost(cause) }))
  } catch (cause) {
    throw new LstmError('ENVIRONMENT', `createTrainer: the worker does not start: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
  try {
    await link.call('createTrainer', [])
    return new WorkerTrainer(link, origin.settings, runtime)
  } catch (error) {
    link.dispose()
    throw error
  }
}
