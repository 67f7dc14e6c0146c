// From what somebody chooses or drops to a model: which file of several is the model, folders, lines for state dicts.
import { load } from 'lstm-wasm'

/** No page can hold more in memory. */
const MOST_BYTES = 1.5e9
const MOST_FILES = 500
/** What a model may be in, the likeliest first; the other files that come with it are parts of it. */
const MODEL_NAMES = [
  /^model\.json$/i, /\.index$/i, /\.(onnx|ort)$/i, /\.(keras|h5|hdf5)$/i, /\.(pt2|pt|pth|safetensors)$/i, /\.(nam|aidax|json)$/i, /\.(traineddata|npz)$/i,
]

/** The likeliest model among files, and the others that could be one. @returns `{ model, candidates }` */
export function chooseModel(files) {
  const rank = ({ name }) => {
    const at = MODEL_NAMES.findIndex((pattern) => pattern.test(name))
    return at < 0 ? MODEL_NAMES.length : at
  }
  const sorted = [...files].sort((a, b) => rank(a) - rank(b) || b.size - a.size)
  return { model: sorted[0], candidates: sorted.slice(1).filter((file) => rank(file) < MODEL_NAMES.length) }
}

/** All files of what was dropped, those in folders too. @throws Error where there are too many */
export async function droppedFiles({ items, files }) {
  const entries = [...items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean)
  if (entries.length === 0) return [...files]
  const found = []
  const walk = async (entry) => {
    if (found.length > MOST_FILES) throw new Error(`The folder has more than ${MOST_FILES} files: drop the model itself, and what belongs to it.`)
    if (entry.isFile) return found.push(await new Promise((resolve, reject) => entry.file(resolve, reject)))
    const reader = entry.createReader()
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject))
      if (some.length === 0) return undefined
      for (const inner of some) await walk(inner)
    }
  }
  for (const entry of entries) await walk(entry)
  if (found.length === 0) throw new Error('The folder is empty.')
  return found
}

/**
 * Reads the model among files.
 * @param file the one that is the model
 * @param all files that were chosen with it
 * @param options of load
 * @param work `onBytes` gets the bytes before they are looked at; `beside`: addresses of files that belong to it, by name
 * @returns the model
 * @throws LstmError, or Error where the file cannot be read
 */
export async function openFile(file, all, options, { signal, onProgress, onBytes, beside }) {
  if (file.size > MOST_BYTES) throw new Error(`${file.name} has ${(file.size / 1e9).toFixed(1)} GB, more than a page can hold: load it in Node, or with npx lstm-wasm inspect.`)
  const bytes = await readFile(file, signal, onProgress)
  onBytes(bytes)
  const files = { ...beside, ...Object.fromEntries(all.filter((other) => other !== file).map((other) => [other.name, other])) }
  return { model: await load(bytes, { ...options, ...(Object.keys(files).length > 0 && { files }), signal }) }
}

/** In pieces, so that the page can show how far it is. */
async function readFile(file, signal, onProgress) {
  const bytes = new Uint8Array(file.size)
  const reader = file.stream().getReader()
  const cancel = () => void reader.cancel().catch(() => undefined)
  signal.addEventListener('abort', cancel)
  let at = 0
  try {
    for (;;) {
      const { done, value } = await reader.read()
      signal.throwIfAborted()
      if (done) break
      if (at + value.length > bytes.length) throw new Error('it has grown')
      bytes.set(value, at)
      at += value.length
      onProgress(at / file.size)
    }
  } catch (error) {
    if (signal.aborted) throw new Error('Cancelled.')
    // Each browser has another error for it: `network error`, `Error in input stream`.
    throw new Error(`${file.name} has changed or is gone since it was chosen: choose it again.`, { cause: error })
  } finally {
    signal.removeEventListener('abort', cancel)
  }
  if (at < bytes.length) throw new Error(`${file.name} has become shorter since it was chosen: choose it again.`)
  return bytes
}

/** The lines of JavaScript in the message of an error that would load the file; undefined where there are none. */
export function linesIn(message) {
  const lines = message.split('\n')
  const begin = lines.findIndex((line) => /^\s+import \{ .* \} from 'lstm-wasm/.test(line))
  const end = lines.findLastIndex((line) => /await (compile|load)\(/.test(line))
  return begin < 0 || end < begin ? undefined : lines.slice(begin, end + 1).map((line) => line.slice(2)).join('\n')
}

/** Runs such lines over bytes. @returns the model that they make. @throws what they throw */
export async function runLines(lines, bytes) {
  const handed = {}
  globalThis.playground = { bytes, handed }
  const url = URL.createObjectURL(new Blob([`const { bytes } = globalThis.playground\n${lines}\nglobalThis.playground.handed.model = model\n`], { type: 'text/javascript' }))
  try {
    await import(url)
  } finally {
    URL.revokeObjectURL(url)
    delete globalThis.playground
  }
  return handed.model
}
