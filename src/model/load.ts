import { readModelFile, type ReadModelOptions } from '../formats/model-file.ts'
import type { Graph } from '../graph/graph.ts'
import { loadOperators } from '../ops/late.ts'
import { defaultRuntime } from '../runtime/create.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { StreamMaker } from '../streams/maker.ts'
import { Model } from './model.ts'
import { readModelFiles, type FilesOptions } from './model-files.ts'
import { checkAborted, type ModelSource } from './source.ts'

export interface CompileOptions {
  /** The runtime the model is to live in. Default: one that all models without another share. */
  readonly runtime?: Runtime
  /**
   * What makes streams: `streams` of `lstm-wasm/streams`, imported by the caller, for service workers and worklets, which
   * forbid dynamic imports; or false, for a model that only runs. Default: that chunk is loaded with the model.
   */
  readonly streams?: StreamMaker | false
}

export interface ReadGraphOptions extends FilesOptions, ReadModelOptions {}

export interface LoadOptions extends CompileOptions, ReadGraphOptions {}

/** A graph, or what makes one: `sequential([...])` with its weights loaded. */
export type GraphSource = Graph | { toGraph(): Graph }

/**
 * Makes a model of a graph or of layers: checks it, and packs its weights for the kernels.
 * @throws LstmError `SHAPE`, `VALUE` or `UNSUPPORTED` for a graph that cannot run, `MEMORY`, `ENVIRONMENT`
 */
export async function compile(source: GraphSource, options: CompileOptions = {}): Promise<Model> {
  const graph = 'toGraph' in source ? source.toGraph() : source
  const [runtime, streams] = await Promise.all([
    options.runtime ?? defaultRuntime(), options.streams ?? import('../streams/index.ts').then((chunk) => chunk.streams), loadOperators(graph.nodes),
  ])
  return new Model(runtime, graph, streams)
}

/**
 * Reads a model file without making a model: needs no WebAssembly.
 * @throws LstmError see `load`
 */
export async function readGraph(source: ModelSource, options: ReadGraphOptions = {}): Promise<Graph> {
  const files = await readModelFiles(source, options)
  checkAborted(options.signal)
  const graph = await readModelFile(files, options)
  await loadOperators(graph.nodes)
  return graph
}

/**
 * Loads a model: ONNX, Keras (.keras, .h5), TensorFlow.js layers models, TensorFlow 1 variables, PyTorch state dicts
 * (.safetensors, .pt) that hold one `torch.nn.LSTM`, RTNeural, NAM, or what `model.save()` wrote. The format is told by
 * the content, not by the name; its reader is loaded when a file needs it.
 *
 * @throws LstmError `ENVIRONMENT` when the source cannot be read, `FORMAT` for a broken file, `UNSUPPORTED` for a file
 *   that does not say how to run it (the message shows the lines that would), `MEMORY`, `ABORTED`
 */
export async function load(source: ModelSource, options: LoadOptions = {}): Promise<Model> {
  const graph = await readGraph(source, options)
  checkAborted(options.signal)
  return compile(graph, options)
}
