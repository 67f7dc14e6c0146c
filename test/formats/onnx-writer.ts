// Writes ONNX files for tests, well-formed ones and others.
import { PbfWriter } from 'pbf'

export type AttributeSpec = number | string | readonly number[] | readonly string[] | { readonly float: number } | { readonly floats: readonly number[] }
  | TensorSpec | GraphSpec | { readonly leftOut: number }

export interface TensorSpec {
  readonly name?: string
  readonly dims: readonly number[]
  /** TensorProto.DataType. */
  readonly type: number
  readonly raw?: Uint8Array
  readonly floats?: readonly number[]
  /** The same, a field for each. */
  readonly floatsApart?: readonly number[]
  /** What stands in the packed list of floats, whatever it is. */
  readonly floatBytes?: Uint8Array
  readonly int32s?: readonly number[]
  readonly int64s?: readonly number[]
  readonly doubles?: readonly number[]
  readonly external?: Readonly<Record<string, string>>
}

export interface NodeSpec {
  readonly op: string
  readonly name?: string
  readonly domain?: string
  readonly inputs?: readonly string[]
  readonly outputs?: readonly string[]
  readonly attributes?: Readonly<Record<string, AttributeSpec>>
}

export interface PortSpec {
  readonly name: string
  readonly type?: number
  readonly shape?: readonly (number | string | null)[]
}

export interface GraphSpec {
  readonly nodes: readonly NodeSpec[]
  readonly inputs?: readonly PortSpec[]
  readonly outputs: readonly PortSpec[]
  readonly initializers?: readonly TensorSpec[]
}

/** A ModelProto. */
export function writeOnnx(graph: GraphSpec, opset: number = 17, producer: string = ''): Uint8Array {
  const pbf = new PbfWriter()
  pbf.writeVarintField(1, 8)
  if (producer !== '') pbf.writeStringField(2, producer)
  pbf.writeMessage(8, () => pbf.writeVarintField(2, opset), undefined)
  pbf.writeMessage(7, () => writeGraph(pbf, graph), undefined)
  return pbf.finish()
}

/** The elements of a float32 tensor as its raw bytes. */
export function floatTensor(name: string, dims: readonly number[], values: readonly number[]): TensorSpec {
  return { name, dims, type: 1, raw: new Uint8Array(Float32Array.from(values).buffer) }
}

function writeGraph(pbf: PbfWriter, { nodes, inputs = [], outputs, initializers = [] }: GraphSpec): void {
  for (const node of nodes) pbf.writeMessage(1, () => writeNode(pbf, node), undefined)
  for (const tensor of initializers) pbf.writeMessage(5, () => writeTensor(pbf, tensor), undefined)
  for (const port of inputs) pbf.writeMessage(11, () => writePort(pbf, port), undefined)
  for (const port of outputs) pbf.writeMessage(12, () => writePort(pbf, port), undefined)
}

function writeNode(pbf: PbfWriter, { op, name = '', domain = '', inputs = [], outputs = [], attributes = {} }: NodeSpec): void {
  for (const input of inputs) pbf.writeStringField(1, input)
  for (const output of outputs) pbf.writeStringField(2, output)
  if (name !== '') pbf.writeStringField(3, name)
  pbf.writeStringField(4, op)
  for (const [key, value] of Object.entries(attributes)) pbf.writeMessage(5, () => writeAttribute(pbf, key, value), undefined)
  if (domain !== '') pbf.writeStringField(7, domain)
}

function writeAttribute(pbf: PbfWriter, name: string, value: AttributeSpec): void {
  const type = (number: number): void => pbf.writeVarintField(20, number)
  pbf.writeStringField(1, name)
  if (typeof value === 'number') {
    pbf.writeVarintField(3, value)
    type(2)
  } else if (typeof value === 'string') {
    pbf.writeStringField(4, value)
    type(3)
  } else if (Array.isArray(value)) {
    const list = value as readonly (number | string)[]
    for (const item of list) {
      if (typeof item === 'number') pbf.writeVarintField(8, item)
      else pbf.writeStringField(9, item)
    }
    type(typeof list[0] === 'string' ? 8 : 7)
  } else if ('float' in value) {
    pbf.writeFloatField(2, value.float)
    type(1)
  } else if ('leftOut' in value) {
    // Writers may leave zeros and empty lists out: only the type is there.
    type(value.leftOut)
  } else if ('dims' in value) {
    pbf.writeMessage(5, () => writeTensor(pbf, value), undefined)
    type(4)
  } else if ('nodes' in value) {
    pbf.writeMessage(6, () => writeGraph(pbf, value), undefined)
    type(5)
  } else {
    pbf.writePackedFloat(7, [...(value as { readonly floats: readonly number[] }).floats])
    type(6)
  }
}

function writeTensor(pbf: PbfWriter, { name = '', dims, type, raw, floats, floatsApart, floatBytes, int32s, int64s, doubles, external }: TensorSpec): void {
  pbf.writePackedVarint(1, [...dims])
  pbf.writeVarintField(2, type)
  if (floats !== undefined) pbf.writePackedFloat(4, [...floats])
  for (const value of floatsApart ?? []) pbf.writeFloatField(4, value)
  if (floatBytes !== undefined) pbf.writeBytesField(4, floatBytes)
  if (int32s !== undefined) pbf.writePackedVarint(5, [...int32s])
  if (int64s !== undefined) pbf.writePackedVarint(7, [...int64s])
  if (doubles !== undefined) pbf.writePackedDouble(10, [...doubles])
  if (name !== '') pbf.writeStringField(8, name)
  if (raw !== undefined) pbf.writeBytesField(9, raw)
  for (const [key, value] of Object.entries(external ?? {})) {
    pbf.writeMessage(13, () => {
      pbf.writeStringField(1, key)
      pbf.writeStringField(2, value)
    }, undefined)
  }
  if (external !== undefined) pbf.writeVarintField(14, 1)
}

function writePort(pbf: PbfWriter, { name, type = 1, shape }: PortSpec): void {
  pbf.writeStringField(1, name)
  pbf.writeMessage(2, () => {
    pbf.writeMessage(1, () => {
      pbf.writeVarintField(1, type)
      if (shape === undefined) return
      pbf.writeMessage(2, () => {
        for (const size of shape) {
          pbf.writeMessage(1, () => {
            if (typeof size === 'number') pbf.writeVarintField(1, size)
            else if (size !== null) pbf.writeStringField(2, size)
          }, undefined)
        }
      }, undefined)
    }, undefined)
  }, undefined)
}
