// How large the package is where it is downloaded: the binaries, the core, streams, and what training adds.
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build, type Rolldown } from 'vite'
import { describe, expect, it } from 'vitest'

const dist = new URL('../dist/', import.meta.url)
const BINARIES = ['simd', 'relaxed-simd', 'gradients-simd', 'gradients-relaxed-simd']

describe('the size', () => {
  const LIMIT_WASM = 24 * 1024
  const LIMIT_GRADIENTS = 13 * 1024
  const LIMIT_CORE = 26 * 1024
  const LIMIT_STREAMS = 16_384
  const LIMIT_TRAINING = 44.5 * 1024

  it.each(BINARIES)('of %s.wasm is at most 24 kB gzip, and of one for training 13', async (name) => {
    const bytes = await readFile(new URL(`${name}.wasm`, dist))
    const size = gzipSync(bytes, { level: 9 }).length
    expect(size, `${name}: ${bytes.length} bytes, ${size} gzip`).toBeLessThanOrEqual(name.startsWith('gradients') ? LIMIT_GRADIENTS : LIMIT_WASM)
    expect(size).toBeGreaterThan(1000)
  })

  it('of lstm-wasm/core, all of it in one file, is at most 45 kB gzip with its binary', async () => {
    const built = await build({
      configFile: false,
      logLevel: 'error',
      build: {
        write: false,
        minify: true,
        rolldownOptions: {
          input: 'core-entry',
          preserveEntrySignatures: 'strict',
          output: { codeSplitting: false },
        },
      },
      plugins: [{
        name: 'core-entry',
        resolveId: (id) => (id === 'core-entry' ? '\0core-entry' : undefined),
        load: (id) => (id === '\0core-entry' ? `export { compile, load } from '${fileURLToPath(new URL('core.js', dist))}'` : undefined),
      }],
    }) as Rolldown.RolldownOutput
    const { code } = built.output[0]
    const size = gzipSync(code, { level: 9 }).length
    expect(code.match(/\bimport\([^)]*\)/g)?.length).toBe(1) // of Node's modules, by a name known at run time
    expect(code).toContain('lstm-wasm/core has no readers of its own')
    expect(size, `core in one file: ${size} gzip`).toBeLessThanOrEqual(45 * 1024)
  })

  it('of recognizeLine, for a model that was saved, is at most 2.8 kB gzip: the reader is not loaded', async () => {
    const entry = `export { recognizeLine } from '${fileURLToPath(new URL('tesseract.js', dist))}'`
    const { output } = await build({
      configFile: false,
      logLevel: 'error',
      build: { write: false, minify: true, modulePreload: false, rolldownOptions: { input: 'line-entry', preserveEntrySignatures: 'strict' } },
      plugins: [{ name: 'line-entry', resolveId: (id) => (id === 'line-entry' ? '\0line-entry' : undefined), load: (id) => (id === '\0line-entry' ? entry : undefined) }],
    }) as Rolldown.RolldownOutput
    const chunks = output.filter((part): part is Rolldown.OutputChunk => part.type === 'chunk')
    const [line, ...others] = chunks.filter((chunk) => chunk.isEntry)
    expect(others).toEqual([])
    const atOnce = chunks.filter((chunk) => chunk === line || line?.imports.includes(chunk.fileName))
    expect(chunks.some(({ code }) => code.includes('lstm-recoder'))).toBe(true)
    expect(atOnce.some(({ code }) => code.includes('lstm-recoder'))).toBe(false)
    expect(gzipSync(line?.code ?? '', { level: 9 }).length).toBeLessThanOrEqual(2.8 * 1024)
  })

  it('of the core without the binaries is at most 26 kB gzip', async () => {
    let binaries = 0
    const { output } = await build({
      configFile: false,
      logLevel: 'error',
      build: {
        write: false,
        minify: true,
        // As for a server: without the 0.7 kB that Vite adds to a page, once, to load late chunks with, ours and others.
        ssr: true,
        rolldownOptions: { input: fileURLToPath(new URL('index.js', dist)), preserveEntrySignatures: 'strict' },
      },
      plugins: [{
        name: 'without-binaries',
        // The text of one, the edits that make the other of it, and those that make them binaries with threads.
        transform: (code) => code.replace(/(["'`])[ #-~]{8000,}?\1/g, () => {
          binaries++
          return '""'
        }),
      }],
    }) as Rolldown.RolldownOutput
    const chunks = output.filter((part): part is Rolldown.OutputChunk => part.type === 'chunk')
    const core = chunks.filter((chunk) => chunk.isEntry)
    for (const chunk of core) core.push(...chunks.filter((other) => chunk.imports.includes(other.fileName) && !core.includes(other)))
    const code = core.map((chunk) => chunk.code).join('\n')
    const others = chunks.filter((chunk) => !core.includes(chunk))
    const late = others.map((chunk) => `${chunk.fileName} ${gzipSync(chunk.code).length}`)
    const size = gzipSync(code, { level: 9 }).length
    expect(binaries).toBe(4)
    expect(code).toContain('LstmError')
    expect(size, `core: ${code.length} bytes minified, ${size} gzip; loaded when needed: ${late.join(', ') || 'nothing'}`).toBeLessThanOrEqual(LIMIT_CORE)
    expect(size).toBeGreaterThan(5000)
    // Loaded with the first model, and what it needs besides the core.
    const streams = others.filter(({ fileName }) => /[/]streams-/.test(fileName))
    expect(streams.length).toBe(1)
    for (const chunk of streams) streams.push(...others.filter((other) => chunk.imports.includes(other.fileName) && !streams.includes(other)))
    const streamsSize = gzipSync(streams.map((chunk) => chunk.code).join('\n'), { level: 9 }).length
    expect(streamsSize, `streams: ${streamsSize} gzip`).toBeLessThanOrEqual(LIMIT_STREAMS)
  })

  /** Files of a page that only loads and runs models, and of one that trains a net besides: what is loaded at once, and by the layers that it has. */
  it.each(['lstm', 'gru'])('of what training a net with %s layers downloads besides inference, its binary included, is at most 44.5 kB gzip', async (cell) => {
    const common = (await readdir(dist)).find((name) => name.startsWith('common-operators-')) as string
    const file = (name: string): string => fileURLToPath(new URL(name, dist))
    const pages: Readonly<Record<string, string>> = {
      inference: ['index.js', 'layers.js', 'streams.js', common].map((name) => `export * from '${file(name)}'`).join('\n'),
      training: `export { createTrainer } from '${file('training.js')}'`,
    }
    const { output } = await build({
      configFile: false,
      logLevel: 'error',
      build: {
        write: false, minify: true, modulePreload: false,
        rolldownOptions: { input: { inference: 'inference', training: 'training' }, preserveEntrySignatures: 'strict' },
      },
      plugins: [{ name: 'pages', resolveId: (id) => (id in pages ? `\0${id}` : undefined), load: (id) => pages[id.slice(1)] }],
    }) as Rolldown.RolldownOutput
    const chunks = output.filter((part): part is Rolldown.OutputChunk => part.type === 'chunk')
    const withImports = (...from: (Rolldown.OutputChunk | undefined)[]): Rolldown.OutputChunk[] => {
      const all = from.filter((chunk) => chunk !== undefined)
      for (const chunk of all) all.push(...chunks.filter((other) => chunk.imports.includes(other.fileName) && !all.includes(other)))
      return all
    }
    const inference = withImports(chunks.find(({ name }) => name === 'inference'))
    const late = chunks.find(({ fileName }) => new RegExp(`/${cell}-`).test(fileName))
    const own = withImports(chunks.find(({ name }) => name === 'training'), late).filter((chunk) => !inference.includes(chunk))
    const code = own.map((chunk) => chunk.code).join('\n')
    const size = gzipSync(code, { level: 9 }).length
    expect(late).toBeDefined()
    expect(code.match(/(["'`])[ #-~]{8000,}?\1/g)?.length).toBe(1) // the text of the binary
    expect(size, `training: ${size} gzip of ${own.map(({ fileName }) => fileName).join(', ')}`).toBeLessThanOrEqual(LIMIT_TRAINING)
    expect(size).toBeGreaterThan(20_000)
  })
})
