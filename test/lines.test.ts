// The lines that messages show are run as they are printed, from the package as npm packs and installs it, and compared
// with what PyTorch and TensorFlow 1's equations give: test/python/golden_lines.py.
import { copyFileSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { writeNpz } from '../src/export/npz.ts'
import { readTorch } from '../src/formats/torch/reader.ts'
import { load } from '../src/model/load.ts'
import type { Nested } from '../src/values/ndarray.ts'
import { installPackage } from './installed.ts'
import { PYTORCH_DISTANCE } from './tolerance.ts'

const golden = fileURLToPath(new URL('golden/', import.meta.url))
const lines = join(golden, 'lines')
const cases = JSON.parse(readFileSync(join(lines, 'cases.json'), 'utf8')) as Record<string, { x: Nested, y: Nested }>
const files = readdirSync(lines).filter((name) => !name.endsWith('.json'))

/** What is left to the user: these have no lines, and say so. */
const FOREIGN = /^(attention|two_heads|norm_anywhere\.safetensors|tf1_layer_norm|tf1_two_deep)/

/** The code in a message: from the first import on, all lines are code. */
function codeIn(message: string): string {
  const begin = message.search(/^ {2}import /m)
  return begin < 0 ? '' : message.slice(begin)
}

async function messageOf(source: string | Uint8Array): Promise<string> {
  return load(source).then(() => 'loads', (error: unknown) => (error as Error).message)
}

let installed: ReturnType<typeof installPackage>
beforeAll(() => {
  installed = installPackage()
}, 120_000)
vi.setConfig({ testTimeout: 60_000 })
afterAll(() => installed.remove())

/** Runs modules, one process for all: what each exports as `model`, given its `x`, by name; or how it failed. */
function runAll(modules: ReadonlyMap<string, string>, inputs: Readonly<Record<string, Nested>>): Record<string, { y?: number[], error?: string }> {
  for (const [name, code] of modules) writeFileSync(join(installed.folder, `${name}.mjs`), `${code}\nexport { model }\n`)
  writeFileSync(join(installed.folder, 'inputs.json'), JSON.stringify(inputs))
  writeFileSync(join(installed.folder, 'all.mjs'), `
    import { readFileSync } from 'node:fs'
    const inputs = JSON.parse(readFileSync('inputs.json', 'utf8'))
    const results = {}
    for (const name of ${JSON.stringify([...modules.keys()])}) {
      try {
        const { model } = await import('./' + name + '.mjs')
        const [input] = model.inputs
        results[name] = name in inputs ? { y: [...Object.values(model.run({ [input.name]: inputs[name] }))[0].data] } : {}
      } catch (error) {
        results[name] = { error: String(error) }
      }
    }
    console.log(JSON.stringify(results))
  `)
  const { status, stdout, stderr } = installed.node('all.mjs')
  expect(status, stderr).toBe(0)
  return JSON.parse(stdout) as Record<string, { y?: number[], error?: string }>
}

const flat = (nested: Nested): number[] => (typeof nested === 'number' ? [nested] : nested.flatMap(flat))

describe('lines that messages show', () => {
  it('are there for every file that layers can describe, and for no other', async () => {
    expect(files.length).toBeGreaterThan(50)
    for (const name of files) {
      const message = await messageOf(join(lines, name))
      expect(codeIn(message) === '', name).toBe(FOREIGN.test(name))
      if (FOREIGN.test(name)) expect(message).toMatch(/lstm-wasm\/layers cannot describe it: [^]* ONNX [^]*(torch\.onnx\.export\(|python -m tf2onnx\.convert )/)
    }
  })

  it('run as they are printed, and give the framework\'s numbers within 5e-6', async () => {
    const modules: Map<string, string> = new Map()
    const inputs: Record<string, Nested> = {}
    for (const name of files.filter((file) => !FOREIGN.test(file) && !file.startsWith('gap'))) {
      modules.set(name, codeIn(await messageOf(join(lines, name))))
      const found = cases[name]
      if (found !== undefined) inputs[name] = found.x
      // Loaded from bytes, they ask for the bytes.
      const path = join(lines, name)
      const fromBytes = codeIn(await messageOf(readFileSync(path)))
      // What NumPy writes of a state dict has the lines of the file that it came from.
      if (found !== undefined && name.endsWith('.pt')) {
        const npz = join(installed.folder, `${name}.npz`)
        writeFileSync(npz, writeNpz(readTorch(readFileSync(path))))
        const code = codeIn(await messageOf(npz))
        if (code !== '') modules.set(`npz-${name}`, code)
        inputs[`npz-${name}`] = found.x
      }
      modules.set(`bytes-${name}`, `import { readFileSync } from 'node:fs'\nconst bytes = readFileSync(${JSON.stringify(path)})\n${fromBytes}`)
    }
    const results = runAll(modules, inputs)
    expect(Object.keys(inputs).filter((name) => !name.startsWith('npz-'))).toHaveLength(Object.keys(cases).length)
    expect([...modules.keys()].filter((name) => name.startsWith('npz-')).length).toBeGreaterThan(10)
    for (const name of modules.keys()) {
      expect(results[name]?.error, name).toBeUndefined()
      const wanted = cases[name.replace('npz-', '')]
      if (wanted === undefined) continue
      const [got, reference] = [results[name]?.y as number[], flat(wanted.y)]
      expect(got, name).toHaveLength(reference.length)
      expect(Math.max(...reference.map((value, n) => Math.abs(value - (got[n] as number)))), name).toBeLessThan(PYTORCH_DISTANCE)
    }
  })

  it('do not run where something without weights stood between layers, until one says what', async () => {
    const modules: Map<string, string> = new Map()
    for (const name of files.filter((file) => file.startsWith('gap'))) {
      const code = codeIn(await messageOf(join(lines, name)))
      modules.set(name, code)
      modules.set(`chosen-${name}`, code.replaceAll("activation('?')", "activation('tanh')"))
      modules.set(`dropped-${name}`, code.replace(/^ *activation\('\?'\).*\n/gm, ''))
    }
    expect(modules.size).toBe(12)
    for (const [name, { error }] of Object.entries(runAll(modules, {}))) {
      if (name.startsWith('gap')) expect(error).toMatch(/^LstmError: activation: no activation "\?"; there are linear, sigmoid, tanh, relu, elu,/)
      else expect(error, name).toBeUndefined()
    }
    expect(modules.get('gap_first.pt')).toContain("activation('?'), // '2' to '3', without weights")
  })

  it('show the weights of Keras and TensorFlow.js files, too', async () => {
    const keras = join(golden, 'keras3', 'lstm-3-sequences.weights.h5')
    const cells = join(golden, 'tfjs', 'basic-lstm-cell', 'weights_manifest.json')
    const { weightsManifest } = JSON.parse(readFileSync(join(golden, 'tfjs', 'lstm-3', 'model.json'), 'utf8')) as { weightsManifest: { paths: string[] }[] }
    const layers = join(installed.folder, 'weights_manifest.json')
    writeFileSync(layers, JSON.stringify(weightsManifest))
    for (const shard of weightsManifest.flatMap(({ paths }) => paths)) copyFileSync(join(golden, 'tfjs', 'lstm-3', shard), join(installed.folder, shard))
    const modules: Map<string, string> = new Map()
    for (const [name, file] of Object.entries({ keras, cells, layers })) modules.set(name, codeIn(await messageOf(file)))
    for (const [name, { error }] of Object.entries(runAll(modules, {}))) expect(error, name).toBeUndefined()
    expect(await messageOf(keras)).toContain("model.save('model.keras')")
  })
})
