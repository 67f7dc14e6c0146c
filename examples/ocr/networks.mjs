// The networks that prepare.mjs found, and files that are opened.
import { compile, createRuntime } from 'lstm-wasm/core'
import { relaxedSimd } from 'lstm-wasm/relaxed'
import { readTraineddata } from 'lstm-wasm/tesseract'

const MODELS = new URL('models/', import.meta.url)
/** Those that browsers know no names of. Networks of scripts, as of Devanagari, are called by their own. */
const NAMES = { bod: 'Tibetan', chi_sim: 'Chinese, simplified', chi_tra: 'Chinese, traditional', frk: 'German, Fraktur', HanS: 'Han, simplified', HanT: 'Han, traditional' }
const LANGUAGE = /^[a-z]{2,3}$/

const WARMING_RUNS = 4
const WARMING_COLUMNS = 300

let runtime
/** Made with the first network, for all of them, with the faster binary where the engine accepts it. */
const sharedRuntime = () => (runtime ??= relaxedSimd().then((module) => createRuntime({ module })))

/** What there is: [{ file, code, kind, bytes }]. */
export async function listNetworks() {
  const response = await fetch(new URL('models.json', MODELS))
  if (!response.ok) throw new Error('there are no networks: npm run example:ocr installs and prepares them; or open one (.traineddata)')
  return response.json()
}

export function nameOf({ code, kind, bytes }) {
  const [language = code, ...script] = code.split('_')
  const known = LANGUAGE.test(language) ? new Intl.DisplayNames(['en'], { type: 'language', fallback: 'none' }).of(language) : undefined
  const named = NAMES[code] ?? [known ?? language, ...script].join(', ')
  return `${named}, ${kind === 'fast' ? 'fast' : 'best'} (${(bytes / 1e6).toFixed(1)} MB)`
}

/** @returns the model, the binary that it runs on, and for each of its outputs the character it means: none where it is a part of one */
export async function openNetwork(source) {
  const { graph, characters, codes, nullCode, height } = await readTraineddata(typeof source === 'string' ? new URL(source, MODELS) : source)
  const model = await compile(graph, { runtime: await sharedRuntime(), streams: false })
  const labels = []
  codes.forEach((code, n) => {
    if (code.length === 1) labels[code[0]] = characters[n]
  })
  // Engines compile what runs often once more: the times that are shown are those of the fast code.
  const pixels = { data: new Float32Array(height * WARMING_COLUMNS), shape: [1, height, WARMING_COLUMNS, 1] }
  for (let n = 0; n < WARMING_RUNS; n++) model.run({ pixels })
  return { model, labels, nullCode, binary: model.runtime.variant === 'simd' ? 'simd' : 'relaxed-simd' }
}
