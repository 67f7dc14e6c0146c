// The model that the hosts serve: examples/digits.safetensors, which reads a handwritten digit, a row of 28 pixels a frame.
import { createRuntime, load } from 'lstm-wasm'

/**
 * The sessions of a model, for a SessionStore. The `simd` binary gives the same bits on every machine: a session that moves goes on
 * bit for bit. (`relaxed-simd` is faster, and bit-identical between processors of one kind.)
 *
 * @param {Uint8Array | ArrayBuffer} bytes a model file with one input and one output, both float32
 * @param {number} capacity most sessions that are in memory at a time
 */
export async function openModel(bytes, capacity) {
  const model = await load(bytes, { runtime: await createRuntime({ variant: 'simd' }) })
  return { pool: model.streams(capacity), frameLength: model.inputs[0].shape.at(-1), outputLength: model.outputs[0].shape.at(-1) }
}
