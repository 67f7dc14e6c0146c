// What a page must download to run an engine: the files that its makers ship for that, minified, each as a server would
// compress it.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { minifySync } from 'vite'
import { ROOT } from '../places.ts'
import { filesLoaded } from './processes.ts'

const DIST = fileURLToPath(new URL('dist', ROOT))
const peer = (path: string) => fileURLToPath(new URL(`bench/peers/node_modules/${path}`, ROOT))

const FILES: Record<string, () => string[] | Promise<string[]>> = {
  // Its binaries are inside its JavaScript.
  'lstm-wasm': async () => (await filesLoaded('lstm-wasm', [1, 1, 2, 3])).filter((path) => path.startsWith(DIST)),
  'onnxruntime-web': () => ['ort.wasm.min.mjs', 'ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm'].map((name) => peer(`onnxruntime-web/dist/${name}`)),
  'tfjs-wasm': () => [
    peer('@tensorflow/tfjs/dist/tf.min.js'),
    ...['tf-backend-wasm.min.js', 'tfjs-backend-wasm-simd.wasm'].map((name) => peer(`@tensorflow/tfjs-backend-wasm/dist/${name}`)),
  ],
  'tfjs-cpu': () => [peer('@tensorflow/tfjs/dist/tf.min.js')],
}

/** Enough for the last per cent; 11 would take minutes on the largest file. */
const BROTLI_QUALITY = 9

export interface Size { bytes: number, gzip: number, brotli: number }

/** Bundlers of pages do this to a library's modules; what is called .min already is. */
async function minified(file: string) {
  const bytes = await readFile(file)
  if (!/(?<!\.min)\.m?js$/.test(file)) return bytes
  return Buffer.from(minifySync(file, bytes.toString('utf8'), { module: true }).code)
}

async function sizeOf(bytes: Buffer): Promise<Size> {
  const [zipped, brotli] = await Promise.all([
    promisify(gzip)(bytes, { level: 9 }),
    promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } }),
  ])
  return { bytes: bytes.length, gzip: zipped.length, brotli: brotli.length }
}

/** @returns none where pages cannot run it, or it has no files of its own */
export async function downloadOf(engine: string): Promise<{ js: Size, wasm: Size } | undefined> {
  const files = await FILES[engine]?.()
  if (files === undefined) return undefined
  const total = { js: { bytes: 0, gzip: 0, brotli: 0 }, wasm: { bytes: 0, gzip: 0, brotli: 0 } }
  for (const file of files) {
    const size = await sizeOf(await minified(file))
    const kind = total[file.endsWith('.wasm') ? 'wasm' : 'js']
    for (const key of (['bytes', 'gzip', 'brotli'] as const)) kind[key] += size[key]
  }
  return total
}
