import { LstmError } from '../errors.ts'
import { graphFromJson } from '../graph/from-json.ts'
import type { Graph } from '../graph/graph.ts'
import { graphToJson } from '../graph/to-json.ts'
import type { Model, OutputDTypes } from '../model/model.ts'
import type { Variant } from '../runtime/kernels.ts'
import { describeValue, type DataOf } from '../values/dtype.ts'
import { NdArray } from '../values/ndarray.ts'
import type { KernelModule } from '../runtime/web-assembly.ts'
import type { Shape } from '../values/shape.ts'

/** A model as data that can be posted to a worklet: what `options.processorOptions` is there. */
export interface ProcessorOptions {
  /** The compiled binary of the model's runtime. */
  readonly module: KernelModule
  /** Which binary it is. */
  readonly variant: Variant | 'custom'
  /** Inputs, outputs and nodes, as JSON. */
  readonly graph: string
  /** The trained numbers, by name. */
  readonly constants: readonly { readonly name: string, readonly shape: Shape, readonly data: DataOf }[]
}

/** For the page: copies everything, so that the model may be disposed afterwards. */
export function packModel(model: Model<OutputDTypes>): ProcessorOptions {
  const graph = model.toGraph()
  const { module, variant } = model.runtime
  return {
    module, variant, graph: graphToJson(graph),
    constants: [...graph.constants].map(([name, { shape, data }]) => ({ name, shape: [...shape], data: data.slice() })),
  }
}

/** For the processor. @throws LstmError `VALUE` for anything else than what `packModel` made */
export function unpackGraph(options: ProcessorOptions): Graph {
  if (!isPacked(options)) {
    throw new LstmError('VALUE', `createProcessorModel: expected the processorOptions that createWorkletOptions() of lstm-wasm/worklet made on the page, got ${describeValue(options)}`)
  }
  return graphFromJson(options.graph, new Map(options.constants.map(({ name, shape, data }) => [name, new NdArray(data, shape)])))
}

function isPacked(options: unknown): boolean {
  if (!isObject(options)) return false
  const { graph, constants, variant } = options
  return typeof graph === 'string' && Array.isArray(constants) && constants.every(isObject) && VARIANTS.includes(variant as string)
}

const VARIANTS: readonly string[] = ['simd', 'relaxed-simd', 'custom']

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
