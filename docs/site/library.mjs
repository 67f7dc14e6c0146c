// The library as the package has it: the entry points that pages import, and what those import.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { copyFile } from './copying.mjs'
import { ROOT } from './paths.mjs'

const ENTRY_POINTS = [
  'index.js', 'layers.js', 'quantization.js', 'training.js', 'export.js', 'worklet.js', 'processor.js', 'npy.js', 'safetensors.js', 'nam.js',
  'tesseract.js', 'torch.js', 'keras.js', 'tfjs.js', 'tensorflow1.js', 'rtneural.js',
]

/** A trainer in a worker: the library once more, as the text of a program, 0.3 MB. The page trains on its own thread, in steps of a few milliseconds. */
const WORKER_PROGRAM = '//#region src/runtime/binaries/training-program.ts'

/** Files of dist that the entry points reach, by fixed and by late imports. */
export async function libraryFiles() {
  const files = [...ENTRY_POINTS]
  const leftOut = []
  for (const file of files) {
    const text = await readFile(join(ROOT, 'dist', file), 'utf8')
    if (text.includes(WORKER_PROGRAM)) leftOut.push(file)
    for (const [, name] of text.matchAll(/(?:from\s*|import\s*\(?\s*)["'`]\.\/([\w./-]+\.js)["'`]/g)) {
      if (!files.includes(name)) files.push(name)
    }
  }
  return files.filter((file) => !leftOut.includes(file))
}

export async function copyLibrary(folder) {
  for (const file of [...await libraryFiles(), 'THIRD-PARTY-LICENSES.txt']) await copyFile(join(ROOT, 'dist', file), join(folder, 'dist', file))
}
