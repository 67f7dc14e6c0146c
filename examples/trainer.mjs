import { createTrainer } from '../dist/training.js'

/** A trainer in a worker where that is asked for and there can be one; else on this thread, which yields between two steps. */
export async function trainerFor(net, { worker, ...options }) {
  try {
    return await createTrainer(net, { ...options, worker })
  } catch (error) {
    if (!worker || error.code !== 'ENVIRONMENT') throw error
    return createTrainer(net, options)
  }
}
