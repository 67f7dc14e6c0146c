// The ONNX format: https://onnx.ai/onnx/intro/
import type { Graph } from '../../graph/graph.ts'
import { loadOnnxOperators } from '../../ops/families.ts'
import { Budget } from '../budget.ts'
import type { FormatOptions, FormatReader } from '../reader.ts'
import { readOptions, type OptionTable } from '../../options.ts'
import { optionsOf, takingOptions } from '../taking-options.ts'
import { tagOf } from '../../values/realm.ts'
import { sniff } from '../sniff.ts'
import { Importer } from './importer.ts'
import { readModel, type OnnxGraph, type OnnxModel, type OnnxTensor } from './messages.ts'
import { withProducts } from './quantized/patterns.ts'
import { locationOf, type ExternalData } from './tensors.ts'

/** Options of `readOnnx`. */
export interface OnnxOptions extends Pick<FormatOptions, 'constants' | 'seed'> {
  /** The files beside the model that hold elements of its tensors (external data), by the names it calls them. Default: none. */
  readonly files?: ReadonlyMap<string, Uint8Array> | undefined
}

const OPTIONS: OptionTable<OnnxOptions> = {
  ...optionsOf('constants', 'seed'), files: { expected: 'a Map of bytes by name', test: (value) => tagOf(value) === 'Map' },
}

/**
 * The graph of an ONNX model, of operators that are known already: standard operators from version 7 on. Names of inputs and outputs are
 * the file's; int64 becomes int32, float16, bfloat16 and double become float32, and bool becomes uint8.
 * The branches of If that are taken must follow from constants, or from inputs that `constants` fixes.
 *
 * @throws LstmError `FORMAT` for a broken file, `UNSUPPORTED` listing every unsupported operator and attribute, `VALUE` for
 *   `constants` that do not fit, `ENVIRONMENT` for a file beside it that is not in `files`
 */
export function readOnnx(bytes: Uint8Array, options: OnnxOptions = {}): Graph {
  const { files = new Map<string, Uint8Array>(), ...fixed } = readOptions(options, OPTIONS, 'ONNX')
  return importModel(readModel(bytes), files, fixed, new Budget(bytes.length))
}

/** ONNX files (`.onnx`), with external data beside them or not. Families of operators are loaded when a file needs them. */
export const onnx: FormatReader = takingOptions({
  name: 'ONNX',
  options: ['constants', 'seed'],
  detect: (bytes) => sniff(bytes) === 'onnx',
  async read(files, options, budget = new Budget(files.bytes.length)) {
    const model = readModel(files.bytes)
    const external: Map<string, Uint8Array> = new Map()
    const graphs = graphsIn(model.graph)
    await loadOnnxOperators(graphs.flatMap(({ nodes }) => nodes.map(({ op }) => op)))
    for (const location of locations(graphs)) external.set(location, await files.sibling(location))
    return importModel(model, external, options, budget)
  },
})

function importModel(model: OnnxModel, files: ExternalData, options: FormatOptions, budget: Budget): Graph {
  for (const file of files.values()) budget.addFile(file.length)
  return new Importer({ ...model, graph: withProducts(model.graph) }, files, budget).run(options)
}

/** A graph, and those inside its nodes. */
function graphsIn(graph: OnnxGraph): OnnxGraph[] {
  const inside = graph.nodes.flatMap(({ attributes }) => attributes.flatMap(({ value }) => (value?.kind === 'graph' ? graphsIn(value.value) : [])))
  return [graph, ...inside]
}

/** Names of the files that hold elements of the graphs' tensors. */
function locations(graphs: readonly OnnxGraph[]): ReadonlySet<string> {
  const tensors = graphs.flatMap(({ initializers, nodes }): readonly OnnxTensor[] => [
    ...initializers, ...nodes.flatMap(({ attributes }) => attributes.flatMap(({ value }) => (value?.kind === 'tensor' ? [value.value] : []))),
  ])
  return new Set(tensors.map(locationOf).filter((location) => location !== undefined))
}
