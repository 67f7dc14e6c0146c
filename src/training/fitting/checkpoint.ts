// Checkpoints: a safetensors file with the weights, what the optimiser remembers, and where training is. They are read in checkpoint-reader.ts.
import { safetensorsBytes } from '../../formats/safetensors/bytes.ts'
import type { ArrayLike } from '../../values/ndarray.ts'
import { NdArray } from '../../values/ndarray.ts'
import type { OutputLoss } from '../descriptions/output-losses.ts'
import type { Metrics } from './metrics.ts'
import type { Optimizer } from '../descriptions/optimizers.ts'
import type { Stepper } from './stepper.ts'

/** The metadata key under which a checkpoint says where training is. */
export const CHECKPOINT_KEY = 'lstm-wasm-training'

/** What training is, and where. */
export interface CheckpointState {
  readonly losses: readonly OutputLoss[]
  readonly optimizer: Optimizer
  readonly metrics: Metrics
  readonly seed: number
  /** Epochs that are done. */
  readonly epoch: number
  /** Steps that are done. */
  readonly steps: number
  /** Steps of each parameter. */
  readonly parameterSteps: readonly number[]
  readonly rateFactor: number
  readonly fixedRate: number | null
  /** Constants that learn besides the weights. */
  readonly trainable: readonly string[]
  /** Names of the parameters that do not learn. */
  readonly frozen: readonly string[]
}

/** A checkpoint that was read. */
export interface Checkpoint {
  readonly state: CheckpointState
  readonly parameters: ReadonlyMap<string, ArrayLike>
  /** The model as a file, where it is there. */
  readonly model: Uint8Array | undefined
  /**
   * Puts weights, moments, states and counts into place: all of them, or none.
   * @throws LstmError `SHAPE` for a checkpoint of another model
   */
  restoreTo(stepper: Stepper): void
}

/** Names of its tensors, or how they begin. */
export const PARAMETER = 'parameter/'
export const STATE = 'state/'
export const MOMENTS = 'optimizer/moments'
export const MODEL = 'model'

/** @param model the model as a file, which `resumeTrainer` makes a trainer of */
export function writeCheckpoint(
  { engine, state, steps, rateFactor, fixedRate, losses }: Stepper, about: Pick<CheckpointState, 'metrics' | 'seed' | 'trainable' | 'epoch'>,
  model: Uint8Array | undefined,
): Uint8Array {
  const memory = state.save()
  const text: CheckpointState = {
    losses, optimizer: state.optimizer, steps, parameterSteps: memory.steps, rateFactor, fixedRate: fixedRate ?? null, ...about,
    frozen: engine.parameters.filter(({ trainable }) => !trainable).map(({ name }) => name),
  }
  const tensors: Map<string, ArrayLike> = new Map()
  for (const parameter of engine.parameters) {
    const data = parameter.read()
    tensors.set(PARAMETER + parameter.name, new NdArray(data, [data.length]))
  }
  for (const [name, array] of engine.states?.save() ?? []) tensors.set(STATE + name, array)
  if (memory.moments.length > 0) tensors.set(MOMENTS, new NdArray(memory.moments, [memory.moments.length]))
  if (model !== undefined) tensors.set(MODEL, new NdArray(model, [model.length]))
  return safetensorsBytes(tensors, new Map([[CHECKPOINT_KEY, JSON.stringify(text)]]))
}
