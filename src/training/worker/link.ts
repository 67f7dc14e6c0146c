// The caller's end of a trainer in a worker.
import { LstmError } from '../../errors.ts'
import type { RunningWorker } from '../../runtime/threads/workers.ts'
import type { PlatformSignal } from '../../values/platform.ts'
import type { Callback } from '../fitting/callbacks.ts'
import type { FitProgress } from '../fitting/fit.ts'
import { batchesOf, type BatchSource, type DatasetBatch } from '../fitting/trainer-options.ts'
import { controlOf } from './control.ts'
import type { CallName, Calls, FromWorker, HookName, Order, SentError, ToWorker, TrainerState, Want, Wanted } from './messages.ts'
import { sendable } from './sending.ts'

/** Functions of the caller, and what gives batches: all of it stays here. */
export interface CallerFunctions {
  readonly callbacks?: readonly Callback[] | undefined
  readonly onProgress?: ((progress: FitProgress) => void) | undefined
  readonly signal?: PlatformSignal | undefined
  readonly source?: BatchSource | undefined
}

type Batches = AsyncGenerator<DatasetBatch, void, void>

interface PendingCall {
  readonly call: CallName
  readonly functions: CallerFunctions
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
  /** What a function of the caller has thrown: the call ends with that. */
  failure?: { readonly error: unknown }
  /** Of the epoch that runs. */
  batches?: Batches | undefined
}

const HOOKS: readonly HookName[] = ['onTrainBegin', 'onEpochBegin', 'onEpochEnd', 'onTrainEnd']

/** Sends calls to a worker, and what it asks for in the middle of them. */
export class Link {
  /** Where training is, as the worker told with its last answer. */
  state: TrainerState = { epoch: 0, steps: 0, learningRate: NaN, trainableNames: [] }
  #worker: RunningWorker | undefined
  readonly #calls: Map<number, PendingCall> = new Map()
  #ids = 0
  /** Why there are no more calls. */
  #over: ((what: string) => LstmError) | undefined

  /** @param worker is told messages by `heard`, and its end by `lost`, from here on */
  attach(worker: RunningWorker): void {
    this.#worker = worker
    worker.keepProcess(this.#calls.size > 0)
  }

  /**
   * @param args are copied
   * @throws LstmError as the trainer's own, `VALUE` for what cannot be sent, `ENVIRONMENT` where the worker has ended, `DISPOSED`; what a function of the
   *   caller throws
   */
  async call<Name extends CallName>(call: Name, args: Calls[Name]['args'], functions: CallerFunctions = {}): Promise<Calls[Name]['gives']> {
    if (this.#over !== undefined) throw this.#over(call)
    const { callbacks = [], onProgress, signal } = functions
    const id = this.#ids++
    const result = new Promise((resolve, reject) => this.#calls.set(id, { call, functions, resolve, reject }))
    const abort = (): void => this.#worker?.post({ abort: id } satisfies ToWorker)
    signal?.addEventListener('abort', abort)
    try {
      const hooks = callbacks.map((callback) => HOOKS.filter((hook) => typeof callback[hook] === 'function'))
      this.#send(call, { call, id, functions: { hooks, onProgress: onProgress !== undefined } }, args)
      if (signal?.aborted) abort()
      this.#worker?.keepProcess(true)
      return await result as Calls[Name]['gives']
    } finally {
      signal?.removeEventListener('abort', abort)
      this.#calls.delete(id)
      if (this.#calls.size === 0) this.#worker?.keepProcess(false)
    }
  }

  /** A message of the worker. */
  heard(message: FromWorker): void {
    const pending = this.#calls.get(message.id)
    if (pending === undefined) return
    if ('ask' in message) void this.#answer(pending, message.id, message.ask, message.want)
    else if ('progress' in message) this.#progress(pending, message.id, message.progress)
    else {
      if (message.state !== undefined) this.state = message.state
      if (pending.failure !== undefined) pending.reject(pending.failure.error)
      else if ('error' in message) pending.reject(errorOf(message.error, pending.functions.signal))
      else pending.resolve(message.result)
    }
  }

  /** The worker has ended by itself. */
  lost(cause: unknown): void {
    this.#end((what) => new LstmError('ENVIRONMENT', `${what}: the worker of this trainer has ended (${cause instanceof Error ? cause.message : String(cause)}), and what it had learnt is gone: go on from the last save() with resumeTrainer`, { cause }))
  }

  dispose(): void {
    this.#end((what) => new LstmError('DISPOSED', `${what}: the trainer is disposed`))
    this.#worker?.end()
  }

  #end(over: (what: string) => LstmError): void {
    if (this.#over !== undefined) return
    this.#over = over
    for (const { call, reject } of this.#calls.values()) reject(over(call))
  }

  #send(what: CallName, message: Omit<Extract<ToWorker, { call: CallName }>, 'args'>, args: readonly unknown[]): void {
    const moved: ArrayBuffer[] = []
    try {
      this.#worker?.post({ ...message, args: args.map((each) => sendable(each, moved)) }, moved)
    } catch (cause) {
      throw new LstmError('VALUE', `${what}: expected arrays, numbers and plain objects, which can be sent to a worker; ${String(cause)}`, { cause })
    }
  }

  #progress(pending: PendingCall, id: number, progress: FitProgress): void {
    if (pending.failure !== undefined) return
    try {
      pending.functions.onProgress?.(progress)
    } catch (error) {
      pending.failure = { error }
      this.#worker?.post({ abort: id } satisfies ToWorker)
    }
  }

  async #answer(pending: PendingCall, id: number, answer: number, want: Want): Promise<void> {
    const moved: ArrayBuffer[] = []
    let wanted: Wanted | undefined
    try {
      wanted = 'hook' in want ? { orders: await ordersOf(pending, want) } : { batch: 'batchOf' in want ? await nextBatch(pending, want.batchOf) : await endBatches(pending) }
      this.#worker?.post({ answer, id, wanted: sendable(wanted, moved) }, moved)
    } catch (error) {
      pending.failure ??= { error }
      this.#worker?.post({ answer, id, wanted: undefined } satisfies ToWorker)
    }
  }
}

function errorOf({ code, message }: SentError, signal: PlatformSignal | undefined): Error {
  if (code === undefined) return new Error(message)
  return new LstmError(code, message, code === 'ABORTED' ? { cause: signal?.reason } : undefined)
}

async function ordersOf({ functions }: PendingCall, { hook, callback, about, checkpoint }: Extract<Want, { hook: HookName }>): Promise<Order[]> {
  const orders: Order[] = []
  const control = controlOf(checkpoint, orders)
  const called = functions.callbacks?.[callback] as Callback
  await (called[hook] as (...given: readonly unknown[]) => unknown).call(called, ...about, control)
  return orders
}

async function nextBatch(pending: PendingCall, epoch: number): Promise<DatasetBatch | undefined> {
  pending.batches ??= batchesOf(pending.functions.source as BatchSource, epoch)
  const { batches } = pending
  pending.batches = undefined // unless it gives one: who throws or ends is not asked again
  const next = await batches.next()
  if (next.done) return undefined
  pending.batches = batches
  const { x, y, sampleWeight, mask } = next.value
  return { x, y, sampleWeight, mask }
}

async function endBatches(pending: PendingCall): Promise<undefined> {
  await pending.batches?.return?.()
  pending.batches = undefined
}
