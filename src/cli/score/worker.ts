// A thread that scores jobs, one after the other.
import { parentPort, workerData } from 'node:worker_threads'
import { createRuntime, load, LstmError, type OutputDTypes } from '../../index.ts'
import { BatchScorer } from './batch-scorer.ts'
import type { ScoreJob } from './framing.ts'
import { buffersOf, type WorkerAnswer, type WorkerTask } from './pool.ts'

const { model: bytes, plan, variant } = workerData as WorkerTask
const scorer = (async () => new BatchScorer(await load<OutputDTypes>(bytes.slice(), { runtime: await createRuntime({ variant }) }), plan))()
scorer.catch(() => undefined) // the first job tells

parentPort?.on('message', (job: ScoreJob) => void (async () => {
  let answer: WorkerAnswer
  try {
    answer = { scores: await (await scorer).score(job, async () => undefined) }
  } catch (error) {
    answer = { code: error instanceof LstmError ? error.code : undefined, message: error instanceof Error ? error.message : String(error) }
  }
  parentPort?.postMessage(answer, 'scores' in answer ? buffersOf(answer.scores) : [])
})())
