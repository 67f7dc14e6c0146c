// The messages of onnx.proto that are written, as plain data, and their bytes. Field numbers:
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
import { PbfWriter } from 'pbf'

/** Element types by their numbers in TensorProto.DataType. */
export const ELEMENT_TYPES = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10 } as const

/** Element types of values in a file. */
export type OnnxType = keyof typeof ELEMENT_TYPES

/** A tensor with its elements, little-endian. */
export interface TensorMessage {
  readonly name: string
  readonly dims: readonly number[]
  readonly type: OnnxType
  readonly raw: Uint8Array
}

/** An input or output; a size that is undefined is not said. */
export interface PortMessage {
  readonly name: string
  readonly type: OnnxType
  readonly shape: readonly (number | string | undefined)[]
}

/** A number is a whole one, a list of numbers is one of whole numbers; others are in an object that says so. */
export type AttributeMessage =
  | number | string | readonly number[] | readonly string[] | { readonly float: number } | { readonly floats: readonly number[] }
  | { readonly tensor: TensorMessage } | { readonly graph: GraphMessage }

export interface NodeMessage {
  readonly name: string
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, AttributeMessage>>
}

export interface GraphMessage {
  readonly name: string
  readonly nodes: readonly NodeMessage[]
  readonly initializers: readonly TensorMessage[]
  readonly inputs: readonly PortMessage[]
  readonly outputs: readonly PortMessage[]
}

export interface ModelMessage {
  readonly graph: GraphMessage
  readonly irVersion: number
  readonly opset: number
  readonly description: string
  readonly metadata: Readonly<Record<string, string>>
}

/** A ModelProto. */
export function encodeModel({ graph, irVersion, opset, description, metadata }: ModelMessage): Uint8Array<ArrayBuffer> {
  const pbf = new PbfWriter(new Uint8Array(1024 + graph.initializers.reduce((sum, { raw, name }) => sum + raw.length + name.length + 64, 0)))
  pbf.writeVarintField(1, irVersion)
  pbf.writeStringField(2, 'lstm-wasm')
  if (description !== '') pbf.writeStringField(6, description)
  pbf.writeMessage(7, writeGraph, graph)
  pbf.writeMessage(8, (version, inner) => inner.writeVarintField(2, version), opset)
  for (const entry of Object.entries(metadata)) {
    pbf.writeMessage(14, ([key, value], inner) => {
      inner.writeStringField(1, key)
      inner.writeStringField(2, value)
    }, entry)
  }
  return pbf.finish().slice()
}

function writeGraph({ name, nodes, initializers, inputs, outputs }: GraphMessage, pbf: PbfWriter): void {
  for (const node of nodes) pbf.writeMessage(1, writeNode, node)
  pbf.writeStringField(2, name)
  for (const tensor of initializers) pbf.writeMessage(5, writeTensor, tensor)
  for (const port of inputs) pbf.writeMessage(11, writePort, port)
  for (const port of outputs) pbf.writeMessage(12, writePort, port)
}

function writeNode({ name, op, inputs, outputs, attributes }: NodeMessage, pbf: PbfWriter): void {
  for (const input of inputs) pbf.writeStringField(1, input)
  for (const output of outputs) pbf.writeStringField(2, output)
  pbf.writeStringField(3, name)
  pbf.writeStringField(4, op)
  for (const entry of Object.entries(attributes)) pbf.writeMessage(5, writeAttribute, entry)
}

/** Numbers of AttributeProto.AttributeType. */
const KINDS = { float: 1, int: 2, string: 3, tensor: 4, graph: 5, floats: 6, ints: 7, strings: 8 } as const

function writeAttribute([name, value]: readonly [string, AttributeMessage], pbf: PbfWriter): void {
  const kind = (which: keyof typeof KINDS): void => pbf.writeVarintField(20, KINDS[which])
  pbf.writeStringField(1, name)
  if (typeof value === 'number') {
    pbf.writeVarintField(3, value)
    kind('int')
  } else if (typeof value === 'string') {
    pbf.writeStringField(4, value)
    kind('string')
  } else if ('float' in value) {
    pbf.writeFloatField(2, value.float)
    kind('float')
  } else if ('floats' in value) {
    for (const one of value.floats) pbf.writeFloatField(7, one)
    kind('floats')
  } else if ('tensor' in value) {
    pbf.writeMessage(5, writeTensor, value.tensor)
    kind('tensor')
  } else if ('graph' in value) {
    pbf.writeMessage(6, writeGraph, value.graph)
    kind('graph')
  } else {
    const isText = typeof value[0] === 'string'
    for (const one of value) {
      if (typeof one === 'string') pbf.writeStringField(9, one)
      else pbf.writeVarintField(8, one)
    }
    kind(isText ? 'strings' : 'ints')
  }
}

function writeTensor({ name, dims, type, raw }: TensorMessage, pbf: PbfWriter): void {
  for (const size of dims) pbf.writeVarintField(1, size)
  pbf.writeVarintField(2, ELEMENT_TYPES[type])
  pbf.writeStringField(8, name)
  pbf.writeBytesField(9, raw)
}

function writePort({ name, type, shape }: PortMessage, pbf: PbfWriter): void {
  pbf.writeStringField(1, name)
  pbf.writeMessage(2, (_port, typeProto) => {
    typeProto.writeMessage(1, (_type, tensor) => {
      tensor.writeVarintField(1, ELEMENT_TYPES[type])
      tensor.writeMessage(2, writeShape, shape)
    }, undefined)
  }, undefined)
}

function writeShape(shape: PortMessage['shape'], pbf: PbfWriter): void {
  for (const size of shape) {
    pbf.writeMessage(1, (one, dimension) => {
      if (typeof one === 'number') dimension.writeVarintField(1, one)
      else if (one !== undefined) dimension.writeStringField(2, one)
    }, size)
  }
}
