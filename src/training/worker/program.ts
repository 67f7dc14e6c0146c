// The program of a trainer's worker. .ci/build/training-program.mjs makes a text of it, with all that it imports.
import { LstmError } from '../../errors.ts'
import { saveGraph } from '../../formats/safetensors/save.ts'
import { safetensors } from '../../formats/safetensors/safetensors-model.ts'
import { readGraph } from '../../model/load.ts'
import type { Variant } from '../../runtime/kernels.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { startRuntime } from '../../runtime/start.ts'
import { openThreads } from '../../runtime/threads/open.ts'
import type { Callback, TrainingControl } from '../fitting/callbacks.ts'
import { modelIn, readCheckpoint } from '../fitting/checkpoint-reader.ts'
import type { BatchSource, FitOptions } from '../fitting/trainer-options.ts'
import { trainerOf, trainerOfCheckpoint } from '../make-trainer.ts'
import type { ModelTrainer } from '../model-trainer.ts'
import type { CallName, Calls, FromWorker, Functions, Order, SentError, ToWorker, TrainerState, TrainerTask, Want, Wanted } from './messages.ts'

/** Makes the trainer and serves its caller. @returns what is to hear all messages */
export function serveTrainer(task: TrainerTask, say: (message: FromWorker) => void): (message: ToWorker) => void {
  const trainer = makeTrainer(task)
  trainer.catch(() => undefined) // the first call tells
  const talks: Map<number, Talk> = new Map()
  const answer = async ({ id, call, args, functions }: Extract<ToWorker, { call: CallName }>): Promise<void> => {
    const talk = new Talk(id, functions, say)
    talks.set(id, talk)
    let made: ModelTrainer | undefined
    try {
      made = await trainer
      const result = await (CALLS[call] as (trainer: ModelTrainer, talk: Talk, ...given: readonly unknown[]) => unknown)(made, talk, ...args)
      say({ id, result, state: stateOf(made) })
    } catch (error) {
      say({ id, error: sentError(error), state: made && stateOf(made) })
    } finally {
      talks.delete(id)
    }
  }
  return (message) => {
    if ('call' in message) void answer(message)
    else if ('abort' in message) talks.get(message.abort)?.abort()
    else talks.get(message.id)?.answered(message.answer, message.wanted)
  }
}

async function makeTrainer({ origin, gradients, ...task }: TrainerTask): Promise<ModelTrainer> {
  const place = { runtime: await runtimeOf(task), module: gradients }
  if ('model' in origin) return trainerOf(await readGraph(origin.model, { readers: [safetensors] }), origin.settings, place)
  const checkpoint = readCheckpoint(origin.checkpoint)
  return trainerOfCheckpoint(checkpoint, await modelIn(checkpoint), place)
}

async function runtimeOf({ variant, maxMemoryBytes, module, threads }: Omit<TrainerTask, 'origin' | 'gradients'>): Promise<Runtime> {
  if (threads === 1) return startRuntime(module, variant, maxMemoryBytes)
  const opened = await openThreads({ variant: variant as Variant, module, count: threads, maxMemoryBytes }).catch((cause: unknown) => String(cause))
  if (typeof opened !== 'string') return opened
  throw new LstmError('ENVIRONMENT', `createTrainer: the worker cannot start threads: ${opened}; expected a runtime of createRuntime() without threads`)
}

type Serve<Name extends CallName> = (trainer: ModelTrainer, talk: Talk, ...args: Calls[Name]['args']) => Calls[Name]['gives'] | Promise<Calls[Name]['gives']>

const CALLS: { readonly [Name in CallName]: Serve<Name> } = {
  createTrainer: () => undefined,
  fit: (trainer, talk, x, y, options) => trainer.fit(x, y, { ...options, ...talk.functions }),
  fitDataset: (trainer, talk, options) => trainer.fitDataset(talk.source, { ...options, ...talk.functions }),
  trainOnBatch: (trainer, _talk, x, y, options) => trainer.trainOnBatch(x, y, options),
  evaluate: (trainer, { functions: { signal } }, x, y, options) => trainer.evaluate(x, y, { ...options, signal }),
  predict: (trainer, { functions: { signal } }, x, options) => trainer.predict(x, { ...options, signal }),
  getWeights: (trainer) => trainer.getWeights(),
  setWeights: (trainer, _talk, weights) => trainer.setWeights(weights),
  freeze: (trainer, _talk, names) => trainer.freeze(names),
  unfreeze: (trainer, _talk, names) => trainer.unfreeze(names),
  resetStates: (trainer) => trainer.resetStates(),
  save: (trainer) => trainer.save(),
  modelFile: (trainer) => saveGraph(trainer.engine.toGraph()),
}

function stateOf({ epoch, steps, learningRate, trainableNames }: ModelTrainer): TrainerState {
  return { epoch, steps, learningRate, trainableNames }
}

function sentError(error: unknown): SentError {
  return { code: error instanceof LstmError ? error.code : undefined, message: error instanceof Error ? error.message : String(error) }
}

/** One call, and the functions of its caller: here they ask, and wait for the answer. */
class Talk {
  readonly functions: Pick<FitOptions, 'onProgress'> & { readonly callbacks: readonly Callback[], readonly signal: AbortSignal }
  readonly source: BatchSource
  readonly #abort = new AbortController()
  readonly #id: number
  readonly #say: (message: FromWorker) => void
  readonly #asked: Map<number, (wanted: Wanted | undefined) => void> = new Map()
  #asks = 0

  constructor(id: number, { hooks, onProgress }: Functions, say: (message: FromWorker) => void) {
    this.#id = id
    this.#say = say
    const callbacks = hooks.map((names, callback) => Object.fromEntries(names.map((hook) => [hook, async (...given: readonly unknown[]) => {
      const control = given.at(-1) as TrainingControl
      const { orders = [] } = await this.#ask({ hook, callback, about: given.slice(0, -1), checkpoint: control.save() })
      for (const order of orders) obey(control, order)
    }])))
    this.functions = { callbacks, signal: this.#abort.signal, ...onProgress && { onProgress: (progress) => say({ id, progress }) } }
    this.source = (epoch) => this.#batches(epoch)
  }

  abort(): void {
    this.#abort.abort()
  }

  answered(ask: number, wanted: Wanted | undefined): void {
    this.#asked.get(ask)?.(wanted)
    this.#asked.delete(ask)
  }

  async #ask(want: Want): Promise<Wanted> {
    const ask = this.#asks++
    const wanted = await new Promise<Wanted | undefined>((resolve) => {
      this.#asked.set(ask, resolve)
      this.#say({ id: this.#id, ask, want })
    })
    // What it threw is with the caller, who is given it.
    if (wanted === undefined) throw new Error('a function of the caller has thrown')
    return wanted
  }

  async* #batches(epoch: number): AsyncGenerator<Extract<Wanted['batch'], object>> {
    let hasMore = true
    try {
      for (;;) {
        hasMore = false
        const { batch } = await this.#ask({ batchOf: epoch })
        if (batch === undefined) return
        hasMore = true
        yield batch
      }
    } finally {
      if (hasMore) await this.#ask({ endOf: 'source' })
    }
  }
}

function obey(control: TrainingControl, order: Order): void {
  switch (order[0]) {
    case 'setLearningRate': return control.setLearningRate(order[1])
    case 'scaleLearningRate': return control.scaleLearningRate(order[1])
    case 'setWeights': return control.setWeights(order[1])
    case 'stop': return control.stop()
  }
}
