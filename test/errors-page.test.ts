// docs/errors.md: every code is there, and the messages are what is printed.
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { LstmError } from '../src/errors.ts'
import { compile, createRuntime, load, type Graph, type Runtime } from '../src/index.ts'

const page = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8')
const source = readFileSync(new URL('../src/errors.ts', import.meta.url), 'utf8')
const codes = [...new Set([...source.matchAll(/'([A-Z]{4,})'/g)].map(([, code]) => code as string))]
const rows = [...page.matchAll(/^\| `([A-Z]+)` \| (.*) \|$/gm)].map(([, code, rest]) => ({ code: code as string, rest: rest as string }))

const graph = (op: string, attributes: Graph['nodes'][number]['attributes'] = {}): Graph => ({
  inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 3] }], outputs: [{ name: 'y', value: 'y' }],
  nodes: [{ name: 'n', op, inputs: ['x'], outputs: ['y'], parameters: {}, attributes }], constants: new Map(),
})

/** What makes each message of the page. */
const MISTAKES: Readonly<Record<string, (runtime: Runtime) => unknown>> = {
  FORMAT: (runtime) => load(Uint8Array.of(255, 0, 0, 0, 0, 0, 0, 0, 123, 125), { runtime }),
  UNSUPPORTED: (runtime) => compile(graph('softmax', { axes: 1 }), { runtime }),
  SHAPE: async (runtime) => (await compile(graph('softmax'), { runtime })).run({ x: { dtype: 'float32', shape: [2, 4], data: new Float32Array(8) } }),
  VALUE: (runtime) => compile(graph('softmax', { axis: 9 }), { runtime }),
  MEMORY: (runtime) => runtime.tensor(null, [65536, 65537]),
  DISPOSED: async (runtime) => {
    const model = await compile(graph('softmax'), { runtime })
    model.dispose()
    model.run({ x: new Float32Array(3) })
  },
  ENVIRONMENT: (runtime) => load('no-such-model.onnx', { runtime }),
  ABORTED: async (runtime) => (await compile(graph('softmax'), { runtime })).runAsync({ x: new Float32Array(3) }, { signal: AbortSignal.abort() }),
  BUSY: async (runtime) => {
    const model = await compile(graph('softmax'), { runtime })
    model.run({
      get x() {
        return model.run({ x: new Float32Array(3) }).y as never
      },
    })
  },
}

it('all codes are told, twice', () => {
  expect(rows.map(({ code }) => code)).toEqual([...codes, ...codes])
  expect(Object.keys(MISTAKES)).toEqual(codes)
})

it.each(Object.entries(MISTAKES))('%s is printed as the page has it', async (code, mistake) => {
  const runtime = await createRuntime({ variant: 'simd' })
  const error: unknown = await Promise.resolve().then(() => mistake(runtime)).then(() => undefined, (caught: unknown) => caught)
  if (!(error instanceof LstmError)) throw new Error(`no LstmError: ${String(error)}`)
  expect({ code: error.code, message: rows.slice(codes.length).find((row) => row.code === code)?.rest }).toEqual({ code, message: error.message })
})
