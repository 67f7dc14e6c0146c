// The library as the package has it, without its white space: the entry points that pages import, and what those import.
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { minify } from 'vite'
import { ROOT } from './paths.mjs'

const ENTRY_POINTS = [
  'index.js', 'layers.js', 'quantization.js', 'worklet.js', 'processor.js', 'npy.js', 'safetensors.js', 'nam.js', 'tesseract.js', 'torch.js', 'keras.js', 'tfjs.js',
  'tensorflow1.js', 'rtneural.js',
]

/** Files of dist that the entry points reach, by fixed and by late imports. */
export async function libraryFiles() {
  const files = [...ENTRY_POINTS]
  for (const file of files) {
    const text = await readFile(join(ROOT, 'dist', file), 'utf8')
    for (const [, name] of text.matchAll(/(?:from\s*|import\s*\(?\s*)["'`]\.\/([\w./-]+\.js)["'`]/g)) {
      if (!files.includes(name)) files.push(name)
    }
  }
  return files
}

export async function copyLibrary(folder) {
  for (const file of await libraryFiles()) {
    const to = join(folder, 'dist', file)
    await mkdir(dirname(to), { recursive: true })
    const { code } = await minify(file, await readFile(join(ROOT, 'dist', file), 'utf8'), { compress: false, mangle: false })
    await writeFile(to, code)
  }
  await cp(join(ROOT, 'dist', 'THIRD-PARTY-LICENSES.txt'), join(folder, 'dist', 'THIRD-PARTY-LICENSES.txt'))
}
