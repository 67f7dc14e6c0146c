// A trainer of a graph, or of a checkpoint, where its runtime is known: for callers and for workers.
import { LstmError } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import { loadOperators } from '../ops/loading.ts'
import { trainingRuntime, type Gradients } from '../runtime/gradient-kernels.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { Engine } from './engine.ts'
import type { Checkpoint } from './fitting/checkpoint.ts'
import type { TrainerSettings } from './fitting/trainer.ts'
import { ModelTrainer } from './model-trainer.ts'

/** Where a trainer is made: its runtime, and the binary for training where it is there already. */
export interface MadeIn {
  readonly runtime: Runtime
  readonly module?: Gradients | undefined
}

/** @throws LstmError as `createTrainer` */
export async function trainerOf(graph: Graph, settings: TrainerSettings, { runtime, module }: MadeIn): Promise<ModelTrainer> {
  await loadOperators(graph.nodes)
  const engine = new Engine(await trainingRuntime(runtime, module), graph, settings)
  try {
    return new ModelTrainer(engine, settings, runtime)
  } catch (error) {
    engine.dispose()
    throw error
  }
}

/** @param graph of the model in it @throws LstmError as `resumeTrainer` */
export async function trainerOfCheckpoint(checkpoint: Checkpoint, graph: Graph, place: MadeIn): Promise<ModelTrainer> {
  const { losses, optimizer, metrics, seed, trainable, frozen } = checkpoint.state
  const trainer = await trainerOf(graph, { losses, optimizer, metrics, seed, trainable }, place)
  try {
    trainer.restore(checkpoint)
    const names = new Set(trainer.engine.parameters.map(({ name }) => name))
    const unknown = frozen.find((name) => !names.has(name))
    if (unknown !== undefined) throw new LstmError('FORMAT', `checkpoint: '${unknown}' is frozen, and no weight of the model`)
    trainer.engine.freeze(frozen)
    return trainer
  } catch (error) {
    trainer.dispose()
    throw error
  }
}

/** The file of the model in a checkpoint. @throws LstmError `FORMAT` where it is not there */
export function modelIn({ model }: Checkpoint): Uint8Array {
  if (model === undefined) throw new LstmError('FORMAT', 'checkpoint: the model is not in it')
  return model
}
