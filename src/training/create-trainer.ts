// A trainer for layers, graphs and models, and one that goes on from a checkpoint.
import { LstmError } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import type { Sequential } from '../layers/sequential.ts'
import { readGraph, type GraphSource } from '../model/load.ts'
import type { Model } from '../model/model.ts'
import { loadOperators } from '../ops/loading.ts'
import { count, having, LIST, RECORD, readOptions, type Kind, type OptionTable } from '../options.ts'
import { defaultRuntime } from '../runtime/create.ts'
import { trainingRuntime } from '../runtime/gradient-kernels.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { KernelModule } from '../runtime/web-assembly.ts'
import { Engine } from './engine.ts'
import { readCheckpoint } from './fitting/checkpoint.ts'
import type { MetricName } from './fitting/metrics.ts'
import type { TrainerSettings } from './fitting/trainer.ts'
import { initialStateDict, type Initializers } from './initializers.ts'
import { lossOf, type Loss, type LossName } from './losses.ts'
import { ModelTrainer } from './model-trainer.ts'
import { optimizerOf, type Optimizer, type OptimizerName } from './optimizers.ts'

/** Where a trainer lives. */
export interface TrainerPlace {
  /** The runtime of the trainer and of its models. Default: that of the model, or the one that all share. */
  readonly runtime?: Runtime | undefined
  /** The compiled binary for training, for places that forbid compiling from bytes. Default: the one inside this package. */
  readonly module?: KernelModule | undefined
}

/** Options of `createTrainer`. */
export interface CreateTrainerOptions extends TrainerPlace {
  /** What is made small: a name, or what `sparseCategoricalCrossentropy()` and the others give. */
  readonly loss: Loss | LossName
  /** What moves the weights: a name, or what `adam()` and the others give. Default `'adam'`. */
  readonly optimizer?: Optimizer | OptimizerName | undefined
  /** What is told besides the loss: `['accuracy']`. Default: nothing. */
  readonly metrics?: readonly MetricName[] | undefined
  /** First weights, orders of rows and dropout follow from it: int32. Default 0. */
  readonly seed?: number | undefined
  /** First weights of layers that have none. Default: as Keras. */
  readonly initializers?: Initializers | undefined
}

const ANY: Kind = { expected: 'a loss', test: () => true } // lossOf and optimizerOf look at them
const PLACE: OptionTable<TrainerPlace> = { runtime: having('a runtime of createRuntime()', 'kernels', 'linearMemory'), module: RECORD }
const OPTIONS: OptionTable<CreateTrainerOptions> = {
  ...PLACE, loss: ANY, optimizer: ANY, metrics: LIST, seed: count(-(2 ** 31), 2 ** 31 - 1), initializers: RECORD,
}

/**
 * A trainer for layers, a graph, or a model from any file. Layers without weights get first ones; a model that is given stays as it is.
 *
 *     const trainer = await createTrainer(net, { loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
 *     await trainer.fit(x, y, { epochs: 3 })
 *     const model = await trainer.model()
 *
 * @throws LstmError `VALUE` for options that do not fit, `UNSUPPORTED` listing all operators that cannot be trained, `MEMORY`, `ENVIRONMENT` where the
 *   binary for training does not compile
 */
export async function createTrainer(net: Model | GraphSource, options: CreateTrainerOptions): Promise<ModelTrainer> {
  const { loss, optimizer = 'adam', metrics = [], seed = 0, initializers, ...place } = readOptions(options, OPTIONS, 'createTrainer')
  const [bound, moving] = [lossOf(loss), optimizerOf(optimizer)]
  const graph = graphOf(net, initializers, seed)
  const runtime = place.runtime ?? (typeof net === 'object' && 'runtime' in net ? net.runtime : undefined)
  return trainerOf(graph, { loss: bound, optimizer: moving, metrics, seed }, { ...place, runtime })
}

/**
 * A trainer that goes on from the bytes of `trainer.save()`, bit for bit.
 * @throws LstmError `FORMAT` for bytes that are no checkpoint, or one that was cut off; the others as `createTrainer`
 */
export async function resumeTrainer(bytes: Uint8Array, options: TrainerPlace = {}): Promise<ModelTrainer> {
  const place = readOptions(options, PLACE, 'resumeTrainer')
  const checkpoint = readCheckpoint(bytes)
  const { state: { loss, optimizer, metrics, seed, frozen }, model } = checkpoint
  if (model === undefined) throw new LstmError('FORMAT', 'checkpoint: the model is not in it')
  const trainer = await trainerOf(await readGraph(model), { loss, optimizer, metrics, seed }, place)
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

const isWithoutWeights = (net: object): net is Sequential => 'weightSpecs' in net && !(net as Sequential).hasWeights

function graphOf(net: Model | GraphSource, initializers: Initializers | undefined, seed: number): Graph {
  if (isWithoutWeights(net)) return net.toGraph(initialStateDict(net.weightSpecs(), initializers, seed))
  if (initializers !== undefined) throw new LstmError('VALUE', 'createTrainer: initializers go with layers without weights; these have theirs')
  return 'toGraph' in net ? net.toGraph() : net
}

async function trainerOf(graph: Graph, settings: TrainerSettings, place: TrainerPlace): Promise<ModelTrainer> {
  const { runtime = await defaultRuntime(), module } = place
  await loadOperators(graph.nodes)
  const engine = new Engine(await trainingRuntime(runtime, module), graph, { loss: settings.loss, seed: settings.seed })
  try {
    return new ModelTrainer(engine, settings, runtime)
  } catch (error) {
    engine.dispose()
    throw error
  }
}
