import { LstmError } from '../../errors.ts'
import type { ArrayLike } from '../../values/ndarray.ts'
import type { TrainingControl } from '../fitting/callbacks.ts'
import type { Checkpoint } from '../fitting/checkpoint.ts'
import { readCheckpoint } from '../fitting/checkpoint-reader.ts'
import { rateAt } from '../descriptions/schedules.ts'
import type { Order } from './messages.ts'

/**
 * What a callback can do with a trainer in a worker: it sees the trainer as it was when the callback was called, and what it orders is done when it is over.
 * @param bytes the trainer as a checkpoint
 * @param orders is given what it orders, in order
 */
export function controlOf(bytes: Uint8Array, orders: Order[]): TrainingControl {
  let read: Checkpoint | undefined
  const checkpoint = (): Checkpoint => read ??= readCheckpoint(bytes)
  const lastOf = <Name extends Order[0]>(name: Name): Extract<Order, readonly [Name, ...unknown[]]> | undefined => (
    orders.filter((order) => order[0] === name).at(-1) as Extract<Order, readonly [Name, ...unknown[]]> | undefined
  )
  return {
    get epoch() { return checkpoint().state.epoch },
    get steps() { return checkpoint().state.steps },
    get learningRate() {
      const { optimizer, steps, epoch, rateFactor, fixedRate } = checkpoint().state
      const set = lastOf('setLearningRate')
      const fixed = set === undefined ? fixedRate ?? undefined : set[1]
      const scaled = orders.reduce((factor, order) => (order[0] === 'scaleLearningRate' ? factor * order[1] : factor), rateFactor)
      return (fixed ?? rateAt(optimizer.learningRate, { steps, epochs: epoch })) * scaled
    },
    setLearningRate: (rate) => void orders.push(['setLearningRate', rate]),
    scaleLearningRate: (factor) => void orders.push(['scaleLearningRate', factor]),
    stop: () => void orders.push(['stop']),
    getWeights() {
      const weights = lastOf('setWeights')?.[1] ?? new Map([...checkpoint().parameters].map(([name, { data }]: [string, ArrayLike]) => [name, data as Float32Array]))
      return new Map([...weights].map(([name, data]) => [name, data.slice()]))
    },
    setWeights: (weights) => void orders.push(['setWeights', new Map(weights)]),
    save() {
      if (orders.length > 0 && orders.some(([name]) => name !== 'stop')) {
        throw new LstmError('UNSUPPORTED', 'save: a callback of a trainer in a worker saves before it changes weights or rates, which is done when it is over; save in another callback, after this one')
      }
      return bytes.slice()
    },
  }
}
