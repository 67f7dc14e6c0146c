// Starts workers with trainers in them: a chunk that is loaded when one is asked for.
import { LstmError } from '../../errors.ts'
import { program } from '../../runtime/binaries/training-program.ts'
import { gradientsOf, isThreaded } from '../../runtime/gradient-kernels.ts'
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
 * A trainer in a worker, with as many threads as the runtime has.
 * @throws LstmError as `createTrainer`; `ENVIRONMENT` where no worker can be started, or its threads cannot, and where those of the runtime have ended
 */
export async function workerTrainerOf(origin: TrainerOrigin, { runtime, module, gradients: given }: MadeIn): Promise<WorkerTrainer> {
  const { count, why } = runtime.threads
  if (count === 1 && isThreaded(runtime)) {
    throw new LstmError('ENVIRONMENT', `createTrainer: the threads of this runtime have ended (${String(why)}): expected another one of createRuntime()`)
  }
  if (!hasWorkers()) throw new LstmError('ENVIRONMENT', `createTrainer: no trainer in a worker: ${NO_WORKERS}`)
  const { variant, linearMemory: { maxBytes } } = runtime
  const task: TrainerTask = {
    origin, variant, maxMemoryBytes: maxBytes, threads: count, module: runtime.module, gradients: module ?? await gradientsOf(runtime, given?.editGradients),
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
