import { LstmError } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import { trainedConstants } from '../graph/node.ts'
import { sizesOf } from '../graph/summary.ts'
import { compile, COMPILE_OPTIONS, GRAPH_SOURCE, type GraphSource } from '../model/load.ts'
import type { Model, OutputDTypes } from '../model/model.ts'
import type { Constant } from '../ops/constant.ts'
import { loadOperators } from '../ops/loading.ts'
import { atLeast, checkKind, FUNCTION, oneOf, readOptions, SIGNAL, type Kind, type OptionTable } from '../options.ts'
import type { RunInputs } from '../plan/binding.ts'
import { defaultRuntime } from '../runtime/create.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { PlatformSignal } from '../values/platform.ts'
import type { Shape } from '../values/shape.ts'
import { layersOf, weightsOf, type Layer } from './candidates.ts'
import { Measure, worstOf } from './change.ts'
import { checkLayers, knownOf, movedWeights, narrowed, stays, withConstants, type Fate } from './fate.ts'
import type { LayerReport, QuantizationReport } from './report.ts'
import { timeOfLayer, typedAt } from './timing.ts'

/** Options of `quantize`. */
export interface QuantizeOptions {
  /** What weights become: integers of 8 bits with a scale for each output, or half precision. Default `'int8'`. */
  readonly dtype?: 'int8' | 'float16' | undefined
  /** Inputs to measure with, as `run` takes them: one run, or a list of runs. Default: none; weights alone are compared then. */
  readonly data?: RunInputs | readonly RunInputs[] | undefined
  /**
   * How far the model's outputs may move on the data: root of the mean squares, relative to that of the output. Layers stay float32, the
   * worst first, until it holds. Without data: how far the weights of a layer may move. Default: any.
   */
  readonly maxError?: number | undefined
  /**
   * How convolutions are multiplied. With `'float32'`, the default, their weights are only stored in 8 bits (those of one channel in half
   * precision): the values of a window differ far more from each other than states do, so that 8 bits cost more.
   */
  readonly convolutions?: 'float32' | 'int8' | undefined
  /** Names of layers that stay as they are. Default: none. */
  readonly keep?: readonly string[] | undefined
  /** The runtime of the new model, and where a graph is measured. Default: that of the model, or the one that all share. */
  readonly runtime?: Runtime | undefined
  /** Stops it between layers. Default: nothing does. */
  readonly signal?: PlatformSignal | undefined
  /** Is told how many layers are done. Default: nobody is. */
  readonly onProgress?: ((progress: { readonly done: number, readonly total: number, readonly layer: string }) => void) | undefined
}

/** What `quantize` gives. */
export interface Quantized<Outputs extends OutputDTypes = Record<string, 'float32'>> {
  /** The new model, in the same runtime; `save()` gives its file. */
  readonly model: Model<Outputs>
  /** What it cost, and what it gained. */
  readonly report: QuantizationReport
}

const DATA: Kind = { expected: 'inputs by name, or a list of them', test: (value) => typeof value === 'object' && value !== null }
const NAMES: Kind = { expected: 'a list of names', test: (value) => Array.isArray(value) && value.every((name) => typeof name === 'string') }
const OPTIONS: OptionTable<QuantizeOptions> = {
  dtype: oneOf(['int8', 'float16']), data: DATA, maxError: atLeast(0), convolutions: oneOf(['float32', 'int8']), keep: NAMES,
  runtime: COMPILE_OPTIONS.runtime, signal: SIGNAL, onProgress: FUNCTION,
}

const SOURCE: Kind = { ...GRAPH_SOURCE, expected: 'a model, layers with weights or a graph' }

/**
 * Makes weights smaller: to a quarter, as integers of 8 bits with a scale for each output, which layers multiply as integers, faster than
 * float32; or to half, in half precision, which is widened when the model is loaded. States, gates and biases stay float32.
 *
 *     const { model: small, report } = await quantize(model, { data: [{ input }], maxError: 0.01 })
 *     console.log(formatReport(report))
 *     await writeFile('small.safetensors', small.save())
 *
 * Activations are quantised when they come, row by row and step by step (symmetric, their largest |x| / 127): no data are needed for
 * that, and a row gives the same bits alone and in a batch. Data are for measuring what it costs.
 *
 * @param source a model, a graph, or layers with weights; it stays as it is
 * @throws LstmError `VALUE` for options or data that do not fit, data with NaN among them, names in `keep` that the model does not have, and
 *   for a model whose weights are of fewer bits already; `UNSUPPORTED` for a model without weights that can be; `ABORTED`
 */
export async function quantize<Outputs extends OutputDTypes = Record<string, 'float32'>>(
  source: Model<Outputs> | GraphSource, options: QuantizeOptions = {},
): Promise<Quantized<Outputs>> {
  const { dtype = 'int8', data, maxError = Infinity, convolutions = 'float32', keep = [], signal, onProgress, ...rest } = readOptions(options, OPTIONS, 'quantize')
  checkKind(source, SOURCE, 'quantize')
  const graph = 'toGraph' in source ? source.toGraph() : source
  const runtime = rest.runtime ?? ('runtime' in source ? source.runtime : await defaultRuntime())
  await loadOperators(graph.nodes)
  const layers = layersOf(graph)
  checkLayers(graph, layers, keep)
  const measure = data === undefined ? undefined : await Measure.of(graph, runtime, data)
  const steps: Step[] = []
  const known = knownOf(graph, layers, keep, dtype)
  for (const layer of layers) {
    checkAborted(signal)
    onProgress?.({ done: steps.length, total: layers.length, layer: layer.node.name })
    await new Promise<void>((resolve) => setTimeout(resolve))
    const step = keep.includes(layer.node.name) ? stays('asked to') : narrowed(graph, layer, dtype, convolutions, known)
    const error = step.changed.size === 0 ? NaN : measure === undefined ? movedWeights(graph, step.changed) : worstOf(await measure.change(step.changed))
    steps.push({ ...step, layer, error })
  }
  const { chosen, change } = await choose(steps, measure, maxError)
  if (chosen.every(({ changed }) => changed.size === 0)) {
    throw new LstmError('UNSUPPORTED', `quantize: no weights can be ${dtype}: ${chosen.map(({ layer, kept }) => `'${layer.node.name}' ${kept}`).join('; ')}`)
  }
  const made = withConstants(graph, changesOf(chosen))
  const reports = await reportLayers(graph, made, runtime, dtype, chosen, measure?.shapes)
  checkAborted(signal)
  onProgress?.({ done: layers.length, total: layers.length, layer: '' })
  return {
    model: await compile<Outputs>(made, { runtime }),
    report: { dtype, layers: reports, bytesBefore: bytesOf(graph.nodes, graph), bytesAfter: bytesOf(made.nodes, made), change },
  }
}

function checkAborted(signal: PlatformSignal | undefined): void {
  if (signal?.aborted) throw new LstmError('ABORTED', 'quantize was aborted', { cause: signal.reason })
}

/** A layer on its way. */
interface Step extends Fate {
  readonly layer: Layer
  readonly error: number
}

/** Layers that are changed, and what they do together: those that move the outputs most are left out until it is little enough. */
async function choose(
  steps: readonly Step[], measure: Measure | undefined, maxError: number,
): Promise<{ readonly chosen: readonly Step[], readonly change: QuantizationReport['change'] }> {
  const tooFar = (step: Step): Step => ({ ...step, ...stays(`would cost too much (${(100 * step.error).toPrecision(2)} %)`) })
  let chosen = steps.map((step) => (step.error > maxError ? tooFar(step) : step))
  if (measure === undefined) return { chosen, change: undefined }
  for (;;) {
    const change = await measure.change(changesOf(chosen))
    const left = chosen.filter(({ changed }) => changed.size > 0)
    if (worstOf(change) <= maxError || left.length === 0) return { chosen, change }
    const worst = left.reduce((most, step) => (step.error > most.error ? step : most))
    chosen = chosen.map((step) => (step === worst ? tooFar(step) : step))
  }
}

function changesOf(steps: readonly Step[]): Graph['constants'] {
  return new Map(steps.flatMap(({ changed }) => [...changed]))
}

function bytesOf(nodes: Graph['nodes'], graph: Graph): number {
  return sizesOf(trainedConstants(nodes, graph)).bytes
}

async function reportLayers(
  graph: Graph, made: Graph, runtime: Runtime, dtype: 'int8' | 'float16', steps: readonly Step[], shapes: ReadonlyMap<string, Shape> | undefined,
): Promise<LayerReport[]> {
  const typed = dtype === 'int8' ? typedAt(graph, shapes) : undefined
  const reports: LayerReport[] = []
  for (const { layer: { node }, changed, kept, error } of steps) {
    const [microsecondsBefore, microsecondsAfter] = await timeOfLayer(node, changed.size === 0 ? undefined : typed, changed, runtime)
    reports.push({
      name: node.name, op: node.op, dtype: storageOf(changed), kept, error, microsecondsBefore, microsecondsAfter,
      range: weightsOf(node, graph).reduce((most, [, { data }]) => Math.max(most, largestOf(data as Float32Array)), 0),
      bytesBefore: bytesOf([node], graph), bytesAfter: bytesOf([node], made),
    })
  }
  return reports
}

/** What weights became. */
function storageOf(changed: Graph['constants']): string {
  return [...new Set([...changed.values()].map((constant) => (constant as Constant).storage))].join(' and ') || 'float32'
}

function largestOf(data: Float32Array): number {
  let most = 0
  for (let n = 0; n < data.length; n++) most = Math.max(most, Math.abs(data[n] as number))
  return most
}
