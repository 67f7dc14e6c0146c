// Frames of sessions, seeded, and what they give when nothing is ever interrupted.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { seeded } from '../../examples/charrnn/generate.mjs'
import { openModel } from '../../examples/sessions/model.mjs'

const MODEL = new URL('../../examples/digits.safetensors', import.meta.url)

/** Frames of the session with a number, each of its own. */
export function framesOf(number, count) {
  const random = seeded(number + 1)
  return Array.from({ length: count }, () => Float32Array.from({ length: 28 }, random))
}

/** The outputs of each session, stepped alone from its first frame to its last. */
export async function undisturbed(sessions) {
  const { pool, outputLength } = await openModel(await readFile(MODEL), 1)
  return sessions.map((frames) => {
    const id = pool.open()
    const outputs = frames.map((frame) => {
      const output = new Float32Array(outputLength)
      pool.step([id], frame, output)
      return output
    })
    pool.close(id)
    return outputs
  })
}

/** Collects the outputs of a session, and refuses those that do not come once and in order. */
export class Outputs {
  list = []

  add = (sequence, output) => {
    if (sequence !== this.list.length + 1) throw new Error(`expected output ${this.list.length + 1}, got ${sequence}`)
    this.list.push(output)
  }
}

/** A hash of every bit of the outputs of sessions. */
export function hashOf(sessions) {
  const hash = createHash('sha256')
  for (const outputs of sessions) for (const output of outputs) hash.update(new Uint8Array(output.buffer, output.byteOffset, output.byteLength))
  return hash.digest('hex')
}
