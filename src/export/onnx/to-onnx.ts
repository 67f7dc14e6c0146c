// ONNX files: https://onnx.ai/onnx/intro/
import { LstmError } from '../../errors.ts'
import type { GraphOutput } from '../../graph/graph.ts'
import type { TypedGraph } from '../../graph/infer.ts'
import type { ArrayLike, NdArray } from '../../values/ndarray.ts'
import { Names } from '../names.ts'
import { Refusals, typedSource, type ExportOptions, type ExportSource } from '../source.ts'
import { Emission, IR_VERSION, OPSET, type FileScope } from './emission.ts'
import { encodeModel, type PortMessage, type TensorMessage } from './messages.ts'
import { writeNodes } from './operators.ts'

/** What one protocol buffer may have. */
const MOST_BYTES = 2 ** 31 - 1

/**
 * Writes a model as an ONNX file (opset 20, which onnxruntime reads since 1.17): the same graph in operators of ONNX, with the names of its inputs, outputs
 * and sizes.
 * Inputs and outputs keep their dtypes: float32, int32 and uint8 (truth is uint8, 0 or 1). An optional input must be given, zeros where it was left out.
 * Weights of 8 or 16 bits are written as the float32 numbers that they stand for.
 *
 *     await writeFile('model.onnx', toOnnx(model))
 *
 * @throws LstmError `UNSUPPORTED` listing everything that has no counterpart: layers whose states are kept from run to run, delayed states, names that
 *   an input and another output share; `MEMORY` for more than 2 GB
 */
export function toOnnx(source: ExportSource, options: ExportOptions = {}): Uint8Array<ArrayBuffer> {
  const typed = typedSource(source, options, 'toOnnx')
  const { graph } = typed
  const refusals = new Refusals('toOnnx')
  const inputNames = new Set(graph.inputs.map(({ name }) => name))
  for (const { name, value } of graph.outputs) {
    if (inputNames.has(name) && name !== value) refusals.add(`the output '${name}' has the name of an input; name it otherwise`)
  }
  const file: FileScope = new OnnxFile(new Names([...inputNames, ...graph.outputs.map(({ name }) => name)]), refusals)
  const emission = new Emission(typed, file, wantedNames(typed))
  for (const { name, dtype } of graph.inputs) emission.define(name, { name, type: dtype })
  file.writeNodes(emission)
  const outputs = graph.outputs.map((output) => writeOutput(emission, output))
  refusals.check('what ONNX has no counterpart for')
  const initializers = [...file.initializers.values()]
  const bytes = initializers.reduce((sum, { raw }) => sum + raw.length, 0)
  if (bytes > MOST_BYTES) throw new LstmError('MEMORY', `toOnnx: expected at most ${MOST_BYTES} bytes of weights, which is what one ONNX file can hold, got ${bytes}`)
  const inputs = graph.inputs.map(({ name, dtype, shape }): PortMessage => ({ name, type: dtype, shape }))
  return encodeModel({
    irVersion: IR_VERSION, opset: OPSET, description: (graph.notes ?? []).join('\n'), metadata: graph.metadata ?? {},
    graph: emission.finish('lstm-wasm', inputs, outputs, initializers),
  })
}

class OnnxFile implements FileScope {
  readonly names: Names
  readonly refusals: Refusals
  readonly initializers: Map<string, TensorMessage> = new Map()
  readonly written: FileScope['written'] = new Map()
  readonly writeNodes = writeNodes
  readonly #turned: Map<ArrayLike, NdArray> = new Map()

  constructor(names: Names, refusals: Refusals) {
    this.names = names
    this.refusals = refusals
  }

  turned(weight: ArrayLike, turn: (weight: ArrayLike) => NdArray): NdArray {
    const known = this.#turned.get(weight) ?? turn(weight)
    this.#turned.set(weight, known)
    return known
  }
}

/** Values that nodes make and that are outputs: each is called as the first of its outputs. */
function wantedNames({ graph }: TypedGraph): Map<string, string> {
  const isOther = new Set([...graph.inputs.map(({ name }) => name), ...graph.constants.keys()])
  const wanted: Map<string, string> = new Map()
  for (const { name, value } of graph.outputs) if (!isOther.has(value) && !wanted.has(value)) wanted.set(value, name)
  return wanted
}

/** Makes sure that there is a value with the name of an output. */
function writeOutput(emission: Emission, { name, value }: GraphOutput): PortMessage {
  const { dtype, shape } = emission.typeOf(value)
  const found = emission.valueOf(value)
  if (found.name !== name) {
    if (found.type === dtype) emission.emitNode('Identity', [found.name], {}, [name])
    else emission.emitNode('Cast', [found.name], { to: { float32: 1, int32: 6, uint8: 2 }[dtype] }, [name])
  }
  const known = new Set(emission.typed.graph.inputs.flatMap((input) => input.shape))
  return { name, type: dtype, shape: shape.map((size) => (typeof size === 'number' || known.has(size) ? size : undefined)) }
}
