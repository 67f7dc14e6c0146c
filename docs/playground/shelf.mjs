// The models that come with the playground, or that the command `lstm-wasm serve` has put there.
import { readNpy } from 'lstm-wasm/npy'

/** What shelf.json says; nothing where there is none. */
export async function readShelf() {
  const response = await fetch('shelf.json').catch(() => undefined)
  if (response?.ok !== true) return []
  const entries = await response.json()
  return entries.map(({ inputs, ...entry }) => ({ ...entry, ...(inputs && { inputs: () => readInputs(inputs) }) }))
}

async function readInputs(inputs) {
  return Object.fromEntries(await Promise.all(Object.entries(inputs).map(async ([name, { file, rows }]) => [name, await readRows(file, rows)])))
}

/** The first rows of an array in a file. */
async function readRows(file, rows) {
  const { dtype, shape, data } = await readNpy(file)
  return { dtype, shape: [rows, ...shape.slice(1)], data: data.slice(0, data.length / shape[0] * rows) }
}

/** A file of the shelf, as if somebody had chosen it. */
export async function fetchFile(path, signal, onProgress) {
  const response = await fetch(path, { signal })
  if (!response.ok) throw new Error(`${path}: the server answers ${response.status} ${response.statusText}`)
  const total = Number(response.headers.get('content-length') ?? NaN)
  const pieces = []
  let loaded = 0
  for (const reader = response.body.getReader(); ;) {
    const { done, value } = await reader.read()
    if (done) break
    pieces.push(value)
    loaded += value.length
    onProgress(loaded / total)
  }
  return new File(pieces, path.split('/').pop())
}
