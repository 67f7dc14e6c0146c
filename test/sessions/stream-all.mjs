import assert from 'node:assert/strict'
import { framesOf, hashOf, Outputs, undisturbed } from './undisturbed.mjs'

/** Frames without an output, at most: streams go on for as long as they are disturbed. */
const AHEAD = 4

export const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/**
 * Streams sessions of their own frames, one after the other, and compares every bit of the outputs with those of an undisturbed run.
 *
 * @param {{ sessions: number, frames: number }} sizes
 * @param open gives a client of a session: (number, onOutput) => { send, finished, close }
 * @param {number} times how often `disturb` is called, evenly spread over all outputs
 */
export async function streamAll({ sessions, frames: count }, open, times, disturb) {
  const frames = Array.from({ length: sessions }, (_, n) => framesOf(n, count))
  const outputs = frames.map(() => new Outputs())
  const clients = await Promise.all(outputs.map(({ add }, n) => open(n, add)))
  const feeding = Promise.all(clients.map(async (client, n) => {
    for (const [at, frame] of frames[n].entries()) {
      while (at - outputs[n].list.length >= AHEAD) await wait(5)
      await client.send(frame)
    }
    await client.finished()
    await client.close()
  }))
  const disturbing = (async () => {
    for (let time = 0; time < times; time++) {
      while (outputs.reduce((sum, { list }) => sum + list.length, 0) < (time + 1) * sessions * count / (times + 1)) await wait(5)
      await disturb(time)
    }
  })()
  await Promise.all([feeding, disturbing])
  const lists = outputs.map(({ list }) => list)
  assert.deepEqual(lists.map(({ length }) => length), frames.map(({ length }) => length))
  assert.equal(hashOf(lists), hashOf(await undisturbed(frames)))
}
