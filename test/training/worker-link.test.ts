// The caller's end of a trainer in a worker, with a worker that only keeps what it is sent.
import { expect, it } from 'vitest'
import type { FitProgress } from '../../src/training/index.ts'
import { Link } from '../../src/training/worker/link.ts'

it('asks no function of the caller again that has thrown: the call ends with that, once the worker has ended it', async () => {
  const posted: unknown[] = []
  const link = new Link()
  link.attach({ post: (message) => posted.push(message), keepProcess: () => undefined, end: () => undefined })
  let asked = 0
  const call = link.call('save', [], {
    onProgress() {
      asked++
      throw new Error(`no room for row ${asked}`)
    },
  })
  const progress: FitProgress = { epoch: 1, epochs: 2, done: 3, total: 8, loss: 0.5, metrics: {}, learningRate: 0.1, secondsLeft: 1 }
  for (let n = 0; n < 3; n++) link.heard({ id: 0, progress })
  expect(posted.slice(1)).toEqual([{ abort: 0 }])
  link.heard({ id: 0, error: { code: 'ABORTED', message: 'fit was aborted', stack: undefined }, state: undefined } as unknown as Parameters<Link['heard']>[0])
  await expect(call).rejects.toThrow('no room for row 1')
  expect(asked).toBe(1)
})
