// Reads checkpoints, and the models in them: a chunk that is loaded when one is resumed.
import { LstmError } from '../../errors.ts'
import { readSafetensors } from '../../formats/safetensors/safetensors.ts'
import { safetensors } from '../../formats/safetensors/safetensors-model.ts'
import type { Graph } from '../../graph/graph.ts'
import { readGraph } from '../../model/load.ts'
import { describeValue, dtypeOfData } from '../../values/dtype.ts'
import { bytesGiven } from '../../values/realm.ts'
import type { ArrayLike } from '../../values/ndarray.ts'
import { formatShape } from '../../values/shape.ts'
import { MAKERS } from '../descriptions/all-makers.ts'
import { lossOf } from '../descriptions/losses.ts'
import { optimizerOf, type Optimizer } from '../descriptions/optimizers.ts'
import type { OutputLoss } from '../descriptions/output-losses.ts'
import { CHECKPOINT_KEY, MODEL, MOMENTS, PARAMETER, STATE, type Checkpoint, type CheckpointState } from './checkpoint.ts'
import type { Stepper } from './stepper.ts'

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
const isRate = (value: unknown): boolean => Number.isFinite(value) && (value as number) >= 0
const isNames = (value: unknown): boolean => Array.isArray(value) && value.every((name) => typeof name === 'string')
/** What else a checkpoint must say. */
const FIELDS: Readonly<Record<Exclude<keyof CheckpointState, 'losses' | 'optimizer'>, (value: unknown) => boolean>> = {
  metrics: (value) => isNames(value) || (typeof value === 'object' && value !== null && Object.values(value).every(isNames)), seed: Number.isInteger, epoch: isCount, steps: isCount, parameterSteps: (value) => Array.isArray(value) && value.every(isCount),
  rateFactor: isRate, fixedRate: (value) => value === null || isRate(value), trainable: isNames, frozen: isNames,
}

function record(given: unknown): Record<string, unknown> {
  if (typeof given !== 'object' || given === null) throw new LstmError('VALUE', `expected an object, got ${describeValue(given)}`)
  return given as Record<string, unknown>
}

/** @throws LstmError `VALUE` unless they are what a trainer has */
function lossesOf(given: unknown): OutputLoss[] {
  if (!Array.isArray(given) || given.length === 0) throw new LstmError('VALUE', `expected losses, got ${describeValue(given)}`)
  return given.map((entry: unknown) => {
    const { loss, name, weight } = record(entry)
    if ((name !== undefined && typeof name !== 'string') || !isRate(weight)) throw new LstmError('VALUE', `expected a name and a weight, got ${describeValue(name)} and ${describeValue(weight)}`)
    return { loss: lossOf(loss, MAKERS.losses), name, weight: weight as number }
  })
}

/** @throws LstmError `FORMAT` for bytes that are no checkpoint, or one that was cut off */
export function readCheckpoint(bytes: Uint8Array): Checkpoint {
  const { tensors, metadata } = readSafetensors(bytes)
  const text = metadata.get(CHECKPOINT_KEY)
  if (text === undefined) throw new LstmError('FORMAT', 'checkpoint: expected what trainer.save() wrote, got another safetensors file')
  let given: Record<string, unknown>
  let losses: readonly OutputLoss[]
  let optimizer: Optimizer
  try {
    given = record(JSON.parse(text))
    losses = lossesOf(given.losses)
    optimizer = optimizerOf(given.optimizer, MAKERS.optimizers)
  } catch (cause) {
    throw new LstmError('FORMAT', `checkpoint: what it says of training cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
  const wrong = Object.entries(FIELDS).filter(([name, test]) => !test(given[name])).map(([name]) => name)
  if (wrong.length > 0) throw new LstmError('FORMAT', `checkpoint: what it says of training is not whole: ${wrong.join(', ')}`)
  const under = (prefix: string): Map<string, ArrayLike> => (
    new Map([...tensors].filter(([name]) => name.startsWith(prefix)).map(([name, array]) => [name.slice(prefix.length), array]))
  )
  const model = tensors.get(MODEL)?.data
  const moments = tensors.get(MOMENTS)?.data ?? new Float32Array(0)
  if (dtypeOfData(moments) !== 'float32') throw new LstmError('FORMAT', 'checkpoint: expected float32 moments')
  const states = under(STATE)
  for (const [name, { dtype, shape }] of states) {
    if (dtype !== 'float32' || shape.length !== 2 || !shape[0]) throw new LstmError('FORMAT', `checkpoint: expected a float32 state [rows, units] of '${name}', got ${dtype} ${formatShape(shape)}`)
  }
  const state = { ...given, losses, optimizer } as unknown as CheckpointState
  const parameters = under(PARAMETER)
  return {
    state, parameters, model: bytesGiven(model),
    restoreTo: (stepper) => restore(stepper, { state, parameters, states, moments: moments as Float32Array }),
  }
}

interface Contents extends Pick<Checkpoint, 'state' | 'parameters'> {
  /** What stateful layers remember: [rows, floats of a row]. */
  readonly states: ReadonlyMap<string, ArrayLike>
  readonly moments: Float32Array
}

/** @throws LstmError see `restoreTo` */
function restore(stepper: Stepper, { state, parameters, states, moments }: Contents): void {
  const { engine } = stepper
  const known = new Set(engine.parameters.map(({ name }) => name))
  const missing = [...known].filter((name) => !parameters.has(name)).map((name) => `'${name}'`)
  const unknown = [...parameters.keys()].filter((name) => !known.has(name)).map((name) => `'${name}'`)
  const misshapen = engine.parameters.flatMap((own) => {
    const { name } = own
    const array = parameters.get(name)
    const { length } = own.read()
    if (array === undefined || (array.dtype === 'float32' && array.data.length === length)) return []
    return [`'${name}' has ${array.data.length} ${array.dtype} elements, expected ${length} float32`]
  })
  const problems = [...missing.length > 0 ? [`missing: ${missing.join(', ')}`] : [], ...unknown.length > 0 ? [`unknown: ${unknown.join(', ')}`] : [], ...misshapen]
  if (problems.length > 0) throw new LstmError('SHAPE', `checkpoint: its parameters are those of another model; ${problems.join('; ')}`)
  stepper.state.restore({ steps: state.parameterSteps, moments })
  engine.states?.restore(states)
  for (const parameter of engine.parameters) parameter.write(parameters.get(parameter.name)?.data as Float32Array)
  stepper.steps = state.steps
  stepper.rateFactor = state.rateFactor
  stepper.fixedRate = state.fixedRate ?? undefined
  stepper.forget()
}

/** The graph of the model in a checkpoint. @throws LstmError `FORMAT` where it is not there */
export async function modelIn({ model }: Checkpoint): Promise<Graph> {
  if (model === undefined) throw new LstmError('FORMAT', 'checkpoint: the model is not in it')
  return readGraph(model, { readers: [safetensors] })
}
