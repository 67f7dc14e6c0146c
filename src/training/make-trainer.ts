// A trainer of a graph, or of a checkpoint, where its runtime is known: for callers and for workers.
import { LstmError } from '../errors.ts'
import { familiesOf } from '../gradients/families.ts'
import type { Graph } from '../graph/graph.ts'
import { addCommonOperators } from '../ops/common-operators.ts'
import { loadOperators } from '../ops/loading.ts'
import { trainingRuntime, type Gradients } from '../runtime/gradient-kernels.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { allMakers } from './descriptions/makers.ts'
import { Engine } from './engine.ts'
import type { Checkpoint } from './fitting/checkpoint.ts'
import type { TrainerSettings } from './fitting/trainer.ts'
import { ModelTrainer } from './model-trainer.ts'
import type { AllGradients } from './gradients.ts'

/** Where a trainer is made: its runtime, the binary for training where it is there already, and what is not to be loaded. */
export interface MadeIn {
  readonly runtime: Runtime
  readonly module?: Gradients | undefined
  readonly gradients?: AllGradients | undefined
}

/** @throws LstmError as `createTrainer` */
export async function trainerOf(graph: Graph, settings: TrainerSettings, { runtime, module, gradients: given }: MadeIn): Promise<ModelTrainer> {
  addCommonOperators()
  given?.addOperators()
  await loadOperators(graph.nodes)
  const gradients = given?.families() ?? await familiesOf(graph.nodes.map(({ op }) => op), settings.losses.map(({ loss }) => loss.loss))
  const rateAt = settings.optimizer.learningRate.schedule === 'constant' ? undefined : (given?.makers ?? await allMakers()).rateAt
  const engine = new Engine(await trainingRuntime(runtime, module, given?.editGradients), graph, { ...settings, gradients })
  try {
    return new ModelTrainer(engine, { ...settings, rateAt }, runtime)
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
