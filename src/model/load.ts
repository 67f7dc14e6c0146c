import { readModelFile, READ_MODEL_OPTIONS, type ReadModelOptions } from '../formats/model-file.ts'
import type { Graph } from '../graph/graph.ts'
import { loadOperators } from '../ops/loading.ts'
import { checkKind, GRAPH, having, RECORD, readOptions, type Kind, type OptionTable } from '../options.ts'
import { defaultRuntime } from '../runtime/create.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { StreamMaker } from '../streams/maker.ts'
import { loadStreams } from './late-streams.ts'
import { Model, type OutputDTypes } from './model.ts'
import { readModelFiles, type FilesOptions } from './model-files.ts'
import { checkAborted, READ_OPTIONS, type ModelSource } from './source.ts'

/** Options of `compile`. */
export interface CompileOptions {
  /** The runtime of the model. Default: one that all models without another share. */
  readonly runtime?: Runtime | undefined
  /**
   * Makes streams: `streams` of `lstm-wasm/streams`, imported by the caller, for service workers and worklets, which
   * forbid dynamic imports; or false, for a model that only runs. Default: that chunk is loaded with the model.
   */
  readonly streams?: StreamMaker | false | undefined
  /**
   * The operators of imported models: `operators` of `lstm-wasm/operators`, imported by the caller, where dynamic imports are
   * forbidden. Default: that chunk is loaded when a model needs it.
   */
  readonly operators?: (() => void) | undefined
}

/** Options of `readGraph`. */
export interface ReadGraphOptions extends FilesOptions, ReadModelOptions {}

/** Options of `load`. */
export interface LoadOptions extends CompileOptions, ReadGraphOptions {}

const STREAMS: Kind = having("streams of 'lstm-wasm/streams', or false", 'stream')

/** What each option may be. */
export const COMPILE_OPTIONS: OptionTable<CompileOptions> = {
  runtime: having('a runtime of createRuntime()', 'kernels', 'linearMemory'),
  streams: { ...STREAMS, test: (value) => value === false || STREAMS.test(value) },
  operators: { expected: "operators of 'lstm-wasm/operators'", test: (value) => typeof value === 'function' },
}
const READ_GRAPH_OPTIONS: OptionTable<ReadGraphOptions> = { ...READ_OPTIONS, files: RECORD, ...READ_MODEL_OPTIONS }
const LOAD_OPTIONS: OptionTable<LoadOptions> = { ...COMPILE_OPTIONS, ...READ_GRAPH_OPTIONS }

/** A graph, or what makes one: `sequential([...])` with its weights loaded. */
export type GraphSource = Graph | { toGraph(): Graph }

const LAYERS: Kind = having('layers', 'toGraph')
export const GRAPH_SOURCE: Kind = {
  expected: 'a graph, or layers with weights (sequential([...]).loadStateDict(...))', test: (source) => LAYERS.test(source) || GRAPH.test(source),
}

/**
 * Makes a model of a graph or of layers: checks it, and packs its weights for the kernels.
 *
 *     await compile<{ output: 'float32' }>(layers) // `run` then gives { output: NdArray<'float32'> }
 *
 * @throws LstmError `SHAPE`, `VALUE` or `UNSUPPORTED` for a graph that cannot run, `MEMORY`, `ENVIRONMENT`
 */
export async function compile<Outputs extends OutputDTypes = Record<string, 'float32'>>(source: GraphSource, options: CompileOptions = {}): Promise<Model<Outputs>> {
  const read = readOptions(options, COMPILE_OPTIONS, 'compile')
  checkKind(source, GRAPH_SOURCE, 'compile')
  read.operators?.()
  return compileGraph('toGraph' in source ? source.toGraph() : source, read)
}

async function compileGraph<Outputs extends OutputDTypes>(graph: Graph, options: CompileOptions): Promise<Model<Outputs>> {
  const [runtime, streams] = await Promise.all([
    options.runtime ?? defaultRuntime(), options.streams ?? loadStreams(), loadOperators(graph.nodes),
  ])
  return new Model(runtime, graph, streams)
}

/**
 * Reads a model file without making a model: needs no WebAssembly.
 * @throws LstmError see `load`
 */
export async function readGraph(source: ModelSource, options: ReadGraphOptions = {}): Promise<Graph> {
  return graphOfFile(source, readOptions(options, READ_GRAPH_OPTIONS, 'readGraph'))
}

async function graphOfFile(source: ModelSource, { signal, onProgress, files: beside, ...options }: ReadGraphOptions): Promise<Graph> {
  const files = await readModelFiles(source, { signal, onProgress, files: beside })
  checkAborted(signal)
  const graph = await readModelFile({ ...files, loadOperators }, options)
  await loadOperators(graph.nodes)
  return graph
}

/**
 * Loads a model: ONNX, Keras (.keras, .h5), TensorFlow.js layers models, TensorFlow 1 variables, PyTorch state dicts
 * (.safetensors, .pt) that hold one `torch.nn.LSTM`, `GRU` or `RNN`, RTNeural, NAM, Tesseract, or what `model.save()` wrote. The format is told by
 * the content, not by the name; its reader is loaded when a file needs it.
 *
 *     await load<{ probs: 'float32', best: 'int32' }>('model.onnx') // types of what `run` gives; unsaid, all outputs are float32
 *
 * @throws LstmError `ENVIRONMENT` when the source cannot be read, `FORMAT` for a broken file, `UNSUPPORTED` for a file
 *   that does not say how to run it (the message shows the lines that would), `MEMORY`, `ABORTED`
 */
export async function load<Outputs extends OutputDTypes = Record<string, 'float32'>>(source: ModelSource, options: LoadOptions = {}): Promise<Model<Outputs>> {
  const { runtime, streams, operators, ...reading } = readOptions(options, LOAD_OPTIONS, 'load')
  operators?.()
  const graph = await graphOfFile(source, reading)
  checkAborted(reading.signal)
  return compileGraph(graph, { runtime, streams })
}
