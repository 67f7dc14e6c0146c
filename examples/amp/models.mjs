// Models of amplifiers: the built-in one, or a file that somebody opens.
import { load } from 'lstm-wasm'
import { nam, namSampleRate } from 'lstm-wasm/nam'

export const SAMPLE_RATE = 48_000 // of the built-in model, and of nearly all others

const BLOCKS = 40

/** @param file a File, or nothing for the built-in model */
export async function openModel(file) {
  const bytes = file ? new Uint8Array(await file.arrayBuffer()) : undefined
  const model = await load(bytes ?? new URL('valve.safetensors', import.meta.url))
  try {
    const speed = measure(model)
    const { rows, parameters } = model.describe()
    return {
      model,
      name: file?.name ?? 'a valve amplifier made of formulas (built in)',
      layers: rows.filter((row) => row.parameters > 0).map(({ op, detail }) => `${op} ${detail}`).join('; '),
      parameters,
      speed,
      sampleRate: bytes !== undefined && nam.detect(bytes) ? namSampleRate(bytes) : undefined,
    }
  } catch (error) {
    model.dispose()
    throw error
  }
}

/** How many times faster than real time the model is on the page's thread. Throws for a model that is not for mono audio. */
function measure(model) {
  const stream = model.stream()
  const [input, output] = [new Float32Array(128), new Float32Array(128)]
  stream.step(input.subarray(0, 1), output.subarray(0, 1))
  input.forEach((_, n) => (input[n] = Math.sin(n / 10)))
  let fastest = Infinity // of many tries: the engine is still compiling, and other programs want their turn
  for (const end = performance.now() + 200; performance.now() < end;) {
    const begin = performance.now()
    for (let block = 0; block < BLOCKS; block++) stream.process(input, output)
    fastest = Math.min(fastest, performance.now() - begin)
  }
  stream.dispose()
  return BLOCKS * 128 / SAMPLE_RATE * 1000 / fastest
}
