// A trainer for layers, graphs and models, and one that goes on from a checkpoint.
import { LstmError } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import type { Sequential } from '../layers/sequential.ts'
import { COMPILE_OPTIONS, GRAPH_SOURCE, type GraphSource } from '../model/load.ts'
import type { Model } from '../model/model.ts'
import { saveGraph } from '../formats/safetensors/save.ts'
import { checkKind, FLAG, having, LIST, RECORD, readOptions, type Kind, type OptionTable } from '../options.ts'
import { BYTES } from '../formats/given.ts'
import { defaultRuntime } from '../runtime/create.ts'
import { late } from '../runtime/gradients/late.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { KernelModule } from '../runtime/web-assembly.ts'
import type { Metrics } from './fitting/metrics.ts'
import { firstWeights, SEED } from './first-weights.ts'
import type { Initializers } from './initializers.ts'
import type { Loss, LossName } from './descriptions/losses.ts'
import { trainerOf, trainerOfCheckpoint } from './make-trainer.ts'
import { makersOf, outputLossesOf } from './descriptions/makers.ts'
import type { ModelTrainer } from './model-trainer.ts'
import { optimizerOf, type Optimizer, type OptimizerName } from './descriptions/optimizers.ts'
import type { NamedLosses } from './descriptions/output-losses.ts'
import type { AllGradients } from './gradients.ts'
import type { WorkerTrainer } from './worker/worker-trainer.ts'

/** Where a trainer lives. */
export interface TrainerPlace {
  /** The runtime of the trainer and of its models. Default: that of the model, or the one that all share. */
  readonly runtime?: Runtime | undefined
  /** The compiled binary for training, for places that forbid compiling from bytes. Default: the one inside this package. */
  readonly module?: KernelModule | undefined
  /**
   * Whether it trains on a thread of its own: `createTrainer` then gives a `WorkerTrainer`, whose functions are the same, but for promises where a
   * `ModelTrainer` answers at once. It has as many threads as its runtime. The numbers are bit-identical. Default false.
   */
  readonly worker?: boolean | undefined
  /** `gradients` of `lstm-wasm/gradients`, for service workers, which forbid dynamic imports. Default: they are loaded when a net needs them. */
  readonly gradients?: AllGradients | undefined
}

/** A place on a thread of its own. */
export interface WorkerPlace extends TrainerPlace {
  readonly worker: true
}

/** A place on the thread of the caller. */
export interface SamePlace extends TrainerPlace {
  readonly worker?: false | undefined
}

/** Options of `createTrainer`, but for where the trainer lives. */
export interface TrainerOptions {
  /**
   * What is made small: a name, or what `sparseCategoricalCrossentropy()` and the others give. For a model of several outputs also losses by the names of
   * outputs: their sum is made small, and targets are given by the same names.
   */
  readonly loss: Loss | LossName | NamedLosses
  /** What each of several losses counts in their sum, by the names of outputs. Default 1. */
  readonly lossWeights?: Readonly<Record<string, number>> | undefined
  /** What moves the weights: a name, or what `adam()` and the others give. Default `'adam'`. */
  readonly optimizer?: Optimizer | OptimizerName | undefined
  /** What is told besides the loss: `['accuracy']`; for several losses by the names of outputs. Default: nothing. */
  readonly metrics?: Metrics | undefined
  /** First weights, orders of rows and dropout follow from it: int32. Default 0. */
  readonly seed?: number | undefined
  /**
   * Constants of the model that learn besides its weights, by name, or layers whose constants do: a vector that scales, say. Default: none. Weights are what
   * products, convolutions, recurrent layers, tables and normalisations take, biases that are added to a product, and slopes of a PReLU.
   */
  readonly trainable?: readonly string[] | undefined
  /** First weights of layers that have none. Default: as Keras. */
  readonly initializers?: Initializers | undefined
}

/** Options of `createTrainer`. */
export type CreateTrainerOptions = TrainerOptions & TrainerPlace

const NET: Kind = { ...GRAPH_SOURCE, expected: 'layers, a model or a graph' }
const ANY: Kind = { expected: 'a loss', test: () => true } // outputLossesOf and optimizerOf look at them
const PLACE: OptionTable<TrainerPlace> = { runtime: COMPILE_OPTIONS.runtime, module: RECORD, worker: FLAG, gradients: having("gradients of 'lstm-wasm/gradients'", 'families') }
const METRICS: Kind = { expected: 'a list, or lists by the names of outputs', test: (value) => LIST.test(value) || RECORD.test(value) }
const OPTIONS: OptionTable<CreateTrainerOptions> = {
  ...PLACE, loss: ANY, lossWeights: ANY, optimizer: ANY, metrics: METRICS, seed: SEED, trainable: LIST, initializers: RECORD,
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
export async function createTrainer(net: Model | GraphSource, options: TrainerOptions & SamePlace): Promise<ModelTrainer>
/** The same on a thread of its own. */
export async function createTrainer(net: Model | GraphSource, options: TrainerOptions & WorkerPlace): Promise<WorkerTrainer>
/** The same where `worker` is known later. */
export async function createTrainer(net: Model | GraphSource, options: CreateTrainerOptions): Promise<ModelTrainer | WorkerTrainer>
export async function createTrainer(net: Model | GraphSource, options: CreateTrainerOptions): Promise<ModelTrainer | WorkerTrainer> {
  const { loss, lossWeights, optimizer = 'adam', metrics = [], seed = 0, trainable, initializers, ...place } = readOptions(options, OPTIONS, 'createTrainer')
  checkKind(net, NET, 'createTrainer')
  const makers = place.gradients?.makers ?? await makersOf(loss, optimizer)
  const [losses, moving] = [outputLossesOf(loss, lossWeights, makers), optimizerOf(optimizer, makers.optimizers)]
  const graph = await graphOf(net, initializers, seed, place.gradients)
  const runtime = place.runtime ?? ('runtime' in net ? net.runtime : await defaultRuntime())
  const settings = { losses, optimizer: moving, metrics, seed, trainable }
  if (!place.worker) return trainerOf(graph, settings, { ...place, runtime })
  return (await loadWorkers()).workerTrainerOf({ settings, model: saveGraph(graph) }, { ...place, runtime })
}

/**
 * A trainer that goes on from the bytes of `trainer.save()`, bit for bit.
 * @throws LstmError `FORMAT` for bytes that are no checkpoint, or one that was cut off; the others as `createTrainer`
 */
export async function resumeTrainer(bytes: Uint8Array, options?: SamePlace): Promise<ModelTrainer>
/** The same on a thread of its own. */
export async function resumeTrainer(bytes: Uint8Array, options: WorkerPlace): Promise<WorkerTrainer>
/** The same where `worker` is known later. */
export async function resumeTrainer(bytes: Uint8Array, options?: TrainerPlace): Promise<ModelTrainer | WorkerTrainer>
export async function resumeTrainer(bytes: Uint8Array, options: TrainerPlace = {}): Promise<ModelTrainer | WorkerTrainer> {
  const { runtime = await defaultRuntime(), ...place } = readOptions(options, PLACE, 'resumeTrainer')
  checkKind(bytes, BYTES, 'resumeTrainer')
  const { readCheckpoint, modelIn } = place.gradients ?? await late(() => import('./fitting/checkpoint-reader.ts'), 'the reader of checkpoints')
  place.gradients?.addOperators()
  const checkpoint = readCheckpoint(bytes)
  const graph = await modelIn(checkpoint)
  if (!place.worker) return trainerOfCheckpoint(checkpoint, graph, { ...place, runtime })
  return (await loadWorkers()).workerTrainerOf({ settings: checkpoint.state, checkpoint: bytes }, { ...place, runtime })
}

/** The program of workers is as long as all else here: it is loaded when it is asked for. */
async function loadWorkers(): Promise<typeof import('./worker/start.ts')> {
  try {
    return await import('./worker/start.ts')
  } catch (cause) {
    throw new LstmError('ENVIRONMENT', `cannot import the worker of lstm-wasm/training: ${String(cause)}`, { cause })
  }
}

const isWithoutWeights = (net: object): net is Sequential => 'weightSpecs' in net && !(net as Sequential).hasWeights

async function graphOf(net: Model | GraphSource, initializers: Initializers | undefined, seed: number, given: AllGradients | undefined): Promise<Graph> {
  if (!isWithoutWeights(net)) {
    if (initializers !== undefined) throw new LstmError('VALUE', 'createTrainer: initializers go with layers without weights; these have theirs')
    return 'toGraph' in net ? net.toGraph() : net
  }
  const specs = net.weightSpecs()
  if (initializers === undefined) return net.toGraph(firstWeights(specs, seed))
  const initialStateDict = given?.initialStateDict ?? (await late(() => import('./initializers.ts'), 'initializers')).initialStateDict
  return net.toGraph(initialStateDict(specs, initializers, seed))
}
