// The types of the package as npm packs it, in programs as users have them: with and without the DOM library, under every strict
// flag, with the declarations themselves checked (skipLibCheck: false).
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import manifest from '../package.json' with { type: 'json' }
import { installPackage } from './installed.ts'

const LIB = ['lib.es2022.d.ts']
const DOM = ['lib.es2022.d.ts', 'lib.dom.d.ts']
const NODENEXT = { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext }
const BUNDLER = { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler }

/** What is right wherever it is compiled. */
const EVERYWHERE = `
import { compile, createRuntime, load, NdArray, readGraph, type CompileOptions, type DType, type LoadOptions, type LongRunOptions, type Model } from 'lstm-wasm'
import type { BlueprintOptions, OutputDTypes, ReadGraphOptions, ReadOptions, RunAsyncOptions, RunOptions, RunOutputs, RuntimeOptions, StreamOptions } from 'lstm-wasm'
import * as core from 'lstm-wasm/core'
import { activation, dense, dropout, embedding, input, linear, lstm, sequential, type Activation } from 'lstm-wasm/layers'
import type { ActivationFunction, DenseOptions, InputOptions, LayerOptions, LoadStateDictOptions, LstmOptions, SequentialOptions } from 'lstm-wasm/layers'
import type { GruOptions, RecurrentOptions, SimpleRnnOptions } from 'lstm-wasm/layers'
import { readOnnx, onnx, type OnnxOptions } from 'lstm-wasm/onnx'
import { readKeras, type KerasOptions } from 'lstm-wasm/keras'
import { readTfjs, type TfjsOptions } from 'lstm-wasm/tfjs'
import { readTorch, type TorchOptions } from 'lstm-wasm/torch'
import { tensorflow1, type Tensorflow1CellOptions, type Tensorflow1Options, type Tensorflow1StateDictOptions } from 'lstm-wasm/tensorflow1'
import { readRtneural, type RtneuralOptions } from 'lstm-wasm/rtneural'
import { readNam } from 'lstm-wasm/nam'
import { readNpy } from 'lstm-wasm/npy'
import { readSafetensors } from 'lstm-wasm/safetensors'
import { operators } from 'lstm-wasm/operators'
import { relaxedSimd } from 'lstm-wasm/relaxed'
import { streams } from 'lstm-wasm/streams'
import { createWorkletOptions, type WorkletNodeChoice, type WorkletOptions } from 'lstm-wasm/worklet'
import { createProcessorModel } from 'lstm-wasm/processor'
import simd from 'lstm-wasm/simd.wasm'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const check = <T extends true>(): T | void => undefined

// Outputs.
export async function outputs(anyModel: Model<OutputDTypes>): Promise<void> {
  const x = [[0, 1, 2]]
  const model = await load('model.onnx')
  const { probs } = model.run(x)
  if (probs) check<Same<typeof probs.data, Float32Array>>()
  check<Same<typeof probs, NdArray<'float32'> | undefined>>()
  const late = (await model.runAsync({ x })).probs
  check<Same<typeof late, NdArray<'float32'> | undefined>>()

  const named = await load<{ probs: 'float32', best: 'int32' }>('model.onnx')
  const { probs: p, best } = named.run(x)
  check<Same<typeof p.data, Float32Array>>()
  check<Same<typeof best.data, Int32Array>>()
  const { best: lateBest } = await named.runAsync(x, { signal: undefined, onProgress: undefined, into: undefined })
  check<Same<typeof lateBest, NdArray<'int32'>>>()
  check<Same<RunOutputs<{ a: 'uint8' }>['a']['data'], Uint8Array>>()

  const compiled = await compile<{ output: 'float32' }>(await readGraph('model.onnx'), { runtime: await createRuntime() })
  const first: number | undefined = compiled.run(x, { into: undefined }).output.data[0]
  const asIs: Model = compiled // a function that takes a model of float32 outputs takes it
  const anyOne: Model<OutputDTypes>[] = [model, named, compiled, asIs]
  const { mask } = anyModel.run(x)
  check<Same<typeof mask, NdArray<DType> | undefined>>()
  const into = compiled.run(x, { into: { output: new Float32Array(3) } })
  into.output satisfies Float32Array
  createWorkletOptions(named, { channels: undefined })
  const stream = named.stream({ batch: undefined })
  stream.step(new Float32Array(1), new Float32Array(1))
  await core.load(new Uint8Array(8), { readers: [onnx, tensorflow1], streams, operators, runtime: await core.createRuntime({ module: await relaxedSimd() }) })
  await createRuntime({ module: simd })
  const processor = createProcessorModel(createWorkletOptions(model).processorOptions)
  NdArray.from([1, 2]).data satisfies Float32Array
  void [first, anyOne, processor]
}

// Readers: bytes at once, all else as a promise.
export async function readers(bytes: Uint8Array): Promise<void> {
  check<Same<ReturnType<typeof readNpy>, NdArray | Promise<NdArray>>>()
  readNpy(bytes).data.length satisfies number
  readTorch(bytes, { key: undefined }).get('weight')?.data.length satisfies number | undefined
  readSafetensors(bytes).tensors.size satisfies number
  const graphs = [readOnnx(bytes), await readOnnx('a.onnx', { signal: undefined }), readKeras(bytes), await readTfjs('model.json'), readRtneural(bytes), readNam(bytes)]
  void graphs
}

// Layers, in the words of each framework.
export const layers = sequential([
  input(['timesteps', 28], { dtype: undefined }),
  embedding(65, 32, { name: undefined }),
  lstm(128, { returnSequences: true, activation: 'hardSwish', recurrentActivation: { name: 'hard_sigmoid', keras: 2 } }),
  lstm(128, { return_sequences: true, num_layers: 2, use_bias: undefined, recurrent_activation: 'sigmoid', zero_output_for_mask: undefined }),
  lstm({ hiddenSize: 128, bidirectional: true, projSize: 64 }),
  lstm({ hidden_size: 128, num_layers: 2 }),
  lstm({ units: 3, returnState: undefined }), lstm({ num_units: 3 }), lstm({ numUnits: 3, use_peepholes: true }), lstm({ n_hidden: 3 }),
  dense(10, { activation: 'softmax', useBias: false }), dense(10, { use_bias: false }), linear({ in_features: 3, out_features: 4, bias: undefined }),
  activation('tanh'), dropout(0.5),
], { input: 'rows', output: undefined })

// Options may be undefined.
type Undefined<T, Needed extends keyof T = never> = { readonly [Name in Exclude<keyof T, Needed>]-?: undefined }
const takes = <T, Needed extends keyof T = never>(_: Undefined<T, Needed> extends Omit<T, Needed> ? true : false): void => undefined
takes<LoadOptions>(true); takes<CompileOptions>(true); takes<ReadGraphOptions>(true); takes<ReadOptions>(true); takes<RuntimeOptions>(true)
takes<RunOptions<Float32Array>>(true); takes<RunAsyncOptions>(true); takes<LongRunOptions>(true); takes<StreamOptions>(true); takes<BlueprintOptions>(true)
takes<RecurrentOptions>(true); takes<GruOptions>(true); takes<SimpleRnnOptions>(true)
takes<LstmOptions>(true); takes<DenseOptions>(true); takes<LayerOptions>(true); takes<InputOptions>(true); takes<SequentialOptions>(true); takes<LoadStateDictOptions>(true)
takes<ActivationFunction, 'name'>(true); takes<Exclude<Parameters<typeof lstm>[1], undefined>>(true); takes<Exclude<Parameters<typeof lstm>[0], number>>(true)
takes<OnnxOptions>(true); takes<KerasOptions>(true); takes<TfjsOptions>(true); takes<TorchOptions>(true); takes<RtneuralOptions>(true)
takes<Tensorflow1Options>(true); takes<Tensorflow1CellOptions>(true); takes<Tensorflow1StateDictOptions>(true); takes<WorkletOptions>(true); takes<WorkletNodeChoice>(true)
takes<{ readonly a?: number }>(false) // the meter works
export const kind: Activation = 'softmax'
`

/** Every entry point: what is not imported is not compiled, nor are its declarations. */
const ENTRIES = Object.keys(manifest.exports).filter((name) => !/\.(json|npy|safetensors)$/.test(name))
  .map((name, n) => `export * as entry${n} from '${name.replace('.', 'lstm-wasm')}'`).join('\n')

/** By require, in a CommonJS file. */
const REQUIRED = `
import lstmWasm = require('lstm-wasm')
import layers = require('lstm-wasm/layers')

export async function outputs(): Promise<Float32Array> {
  const model = await lstmWasm.compile<{ output: 'float32' }>(layers.sequential([layers.lstm(3, { return_sequences: true })]).loadStateDict({}))
  return model.run([[[1]]]).output.data
}
`

/** What the DOM library adds. */
const IN_A_PAGE = `
import { load, type ModelSource } from 'lstm-wasm'
import { createWorkletNode } from 'lstm-wasm/worklet'

export async function page(file: File, context: AudioContext): Promise<AudioWorkletNode> {
  const sources: ModelSource[] = [file, new URL('https://example.com/'), await fetch('model.onnx'), 'model.onnx', new ArrayBuffer(8)]
  const model = await load(sources[0] ?? file, { signal: AbortSignal.timeout(1000) })
  await model.runAsync([[1]], { signal: new AbortController().signal })
  const node = await createWorkletNode(context, model)
  node.connect(context.destination)
  return node
}
`

/** `using`, where the program has types for it. */
const USING = `
import { createRuntime, load } from 'lstm-wasm'
export async function dispose(): Promise<void> {
  using model = await load('model.onnx')
  using stream = model.stream()
  using tensor = (await createRuntime()).tensor(null, [3])
  void [stream, tensor]
}
`

/** Lines that end in `// error` do not compile, and no others. */
const WRONG = `
import { compile, createRuntime, load, type Model, type OutputDTypes } from 'lstm-wasm'
import { activation, dense, embedding, lstm, sequential } from 'lstm-wasm/layers'
import { readTorch } from 'lstm-wasm/torch'

lstm(32, { retrunSequences: true }) // error
lstm(32, { return_sequence: true }) // error
lstm(32, { returnSequences: 1 }) // error
lstm(32, { return_sequences: 'yes' }) // error
lstm(32, { units: 32 }) // error
lstm('32') // error
lstm({ hiddenSize: 32, numLayer: 2 }) // error
lstm({ hidden_size: '32' }) // error
lstm(32, { activation: 'tahn' }) // error
lstm(32, { recurrentActivation: { name: 'hardSigmoid', kreas: 2 } }) // error
lstm(32, { coupling: 'both' }) // error
dense(10, { activaton: 'softmax' }) // error
dense(10, { use_bias: 0 }) // error
embedding(65, 32, { nmae: 'tokens' }) // error
activation('sotfmax') // error
sequential([lstm(3)], { ouput: 'y' }) // error
void load('model.onnx', { onprogress: () => undefined }) // error
void load(3) // error
void load<{ probs: 'float64' }>('model.onnx') // error
void createRuntime({ variant: 'smid' }) // error
readTorch(new Uint8Array(), { kye: 'model' }) // error
export async function outputs(anyModel: Model<OutputDTypes>): Promise<void> {
  const named = await load<{ probs: 'float32', best: 'int32' }>('model.onnx')
  named.run([1]).porbs // error
  const labels: Float32Array = named.run([1]).best.data // error
  named.run([1], { onto: {} }) // error
  named.stream({ bacth: 2 }) // error
  const plain = await compile({ toGraph: () => named.toGraph() })
  plain.run([1]).probs.data // error
  const rows: Float32Array = anyModel.run([1]).probs!.data // error
  const narrowed: Model<{ probs: 'float32' }> = plain // error
  const float32: Model = named // error
  await named.runAsync([1], { signal: 'stop' }) // error
  void [labels, rows, narrowed, float32]
}
`

let installed: ReturnType<typeof installPackage>
vi.setConfig({ testTimeout: 60_000 })
beforeAll(() => {
  installed = installPackage()
  const write = (name: string, text: string): void => writeFileSync(join(installed.folder, name), text)
  write('everywhere.ts', EVERYWHERE)
  write('entries.ts', ENTRIES)
  write('required.cts', REQUIRED)
  write('page.ts', IN_A_PAGE)
  write('using.ts', USING)
  write('wrong.ts', WRONG)
  symlinkSync(fileURLToPath(new URL('../node_modules/@types', import.meta.url)), join(installed.folder, 'node_modules/@types'), 'junction')
}, 120_000)
afterAll(() => installed.remove())

const libraries: Map<string, ts.SourceFile | undefined> = new Map()

/** What tsc says of these files: line by line. */
function errorsOf(files: readonly string[], lib: string[], options: ts.CompilerOptions): string[] {
  const all: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022, types: [], strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, noUnusedLocals: true,
    skipLibCheck: false, noEmit: true, lib, ...options,
  }
  const host = ts.createCompilerHost(all)
  const read = host.getSourceFile.bind(host)
  host.getCurrentDirectory = () => installed.folder
  host.getSourceFile = (name, ...rest) => {
    if (!/[/\\]lib\.[^/\\]*\.d\.ts$/.test(name)) return read(name, ...rest)
    if (!libraries.has(name)) libraries.set(name, read(name, ...rest))
    return libraries.get(name)
  }
  const program = ts.createProgram(files.map((name) => join(installed.folder, name)), all, host)
  // Of these files and of the package: the DOM library and @types/node are others' work, and take seconds to check.
  const ours = program.getSourceFiles().filter(({ fileName }) => fileName.includes('lstm-wasm-installed-') && !fileName.includes('/@types/'))
  expect(ours.some(({ fileName }) => fileName.endsWith('lstm-wasm/dist/index.d.ts'))).toBe(true)
  const found = [
    ...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics(), ...program.getSyntacticDiagnostics(),
    ...ours.flatMap((file) => program.getSemanticDiagnostics(file)),
  ]
  return found.map(({ file, start, messageText }) => {
    const line = file === undefined ? '' : `${file.fileName.split('/').pop()}:${file.getLineAndCharacterOfPosition(start ?? 0).line + 1}: `
    return `${line}${ts.flattenDiagnosticMessageText(messageText, ' ')}`
  })
}

describe('the types of the package', () => {
  it('compile without the DOM library and without @types/node; typos and wrong types are refused, each at its line', () => {
    const errors = errorsOf(['everywhere.ts', 'entries.ts', 'required.cts', 'wrong.ts'], LIB, NODENEXT)
    const expected = WRONG.split('\n').flatMap((line, n) => (line.endsWith('// error') ? [`wrong.ts:${n + 1}`] : []))
    expect(expected.length).toBeGreaterThan(25)
    expect([...new Set(errors.map((line) => /^[^:]*:\d+/.exec(line)?.[0] ?? line))], errors.join('\n')).toEqual(expected)
    expect(errorsOf(['everywhere.ts', 'entries.ts'], LIB, BUNDLER)).toEqual([])
  })

  it('compile with the DOM library, and take what is of it', () => {
    expect(errorsOf(['everywhere.ts', 'entries.ts', 'required.cts', 'page.ts'], DOM, NODENEXT)).toEqual([])
    expect(errorsOf(['page.ts'], DOM, BUNDLER)).toEqual([])
  })

  it('compile with @types/node, and let `using` dispose', () => {
    expect(errorsOf(['using.ts'], [...LIB, 'lib.esnext.disposable.d.ts'], { ...NODENEXT, types: ['node'] })).toEqual([])
  })
})
