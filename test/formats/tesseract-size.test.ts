// What `lstm-wasm/tesseract` adds to a page that has the rest of the library.
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build, type Rolldown } from 'vite'
import { describe, expect, it } from 'vitest'

const SOURCE = new URL('../../src/', import.meta.url).href
/** Files of its own: what they import besides is shared with other readers. */
const OWN = /\/src\/(formats\/tesseract|readers)\//
const READER = `export { readTraineddata } from '${fileURLToPath(new URL('formats/tesseract/reader.ts', SOURCE))}'`
const LINES = fileURLToPath(new URL('readers/recognition.ts', SOURCE))

/** Bytes of these exports and what they need of its own, minified and packed by gzip. */
async function sizeOf(code: string): Promise<number> {
  const isShared = (id: string, importer: string | undefined): boolean => id.startsWith('.') && !OWN.test(new URL(id, `file://${importer}`).pathname)
  const built = await build({
    configFile: false, logLevel: 'error',
    build: {
      write: false, minify: true,
      rolldownOptions: {
        input: 'own', preserveEntrySignatures: 'strict', output: { codeSplitting: false },
        external: (id, importer) => id === 'fflate' || isShared(id, importer),
      },
    },
    plugins: [{ name: 'own', resolveId: (id) => (id === 'own' ? '\0own' : undefined), load: (id) => (id === '\0own' ? code : undefined) }],
  }) as Rolldown.RolldownOutput
  return gzipSync(built.output[0].code, { level: 9 }).length
}

describe('the size of lstm-wasm/tesseract', () => {
  it.each<[string, string, number]>([
    ['the reader', READER, 5.1],
    ['recognizeLine alone, for a model that was saved', `export { recognizeLine } from '${LINES}'`, 2.7],
    ['the reader and recognizeLine', `${READER}\nexport { recognizeLine } from '${LINES}'`, 7.5],
    ['the reader and all that reads lines', `${READER}\nexport * from '${LINES}'`, 8.1],
  ])('of %s stays what it is, texts of errors included', async (_, code, most) => {
    const size = await sizeOf(code)
    expect(size).toBeLessThanOrEqual(most * 1024)
    // Nothing is counted that is not there any more.
    expect(size).toBeGreaterThan(0.9 * most * 1024)
  })
})
