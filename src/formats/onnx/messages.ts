// The messages of onnx.proto that a model is made of, as plain data. Field numbers:
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
import { malformed, Wire } from '../protobuf/wire.ts'

export interface OnnxModel {
  /** Version of every operator set, by domain; the standard one is `''`. */
  readonly opsets: ReadonlyMap<string, number>
  /** What wrote the file: `pytorch`, `tf2onnx`. */
  readonly producer: string
  readonly graph: OnnxGraph
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[]
  readonly initializers: readonly OnnxTensor[]
  readonly sparseInitializers: number
  readonly inputs: readonly OnnxPort[]
  readonly outputs: readonly OnnxPort[]
}

export interface OnnxNode {
  readonly name: string
  readonly op: string
  /** `''` for the standard operators. */
  readonly domain: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: readonly OnnxAttribute[]
}

export interface OnnxAttribute {
  readonly name: string
  /** undefined for kinds that no operator here has: lists of tensors, types, references of functions. */
  readonly value: OnnxAttributeValue | undefined
}

export type OnnxAttributeValue =
  | { readonly kind: 'float' | 'int', readonly value: number }
  | { readonly kind: 'string', readonly value: string }
  | { readonly kind: 'floats' | 'ints', readonly value: readonly number[] }
  | { readonly kind: 'strings', readonly value: readonly string[] }
  | { readonly kind: 'tensor', readonly value: OnnxTensor }
  | { readonly kind: 'graph', readonly value: OnnxGraph }

/** A tensor whose elements are not looked at yet. */
export interface OnnxTensor {
  readonly name: string
  readonly dims: readonly number[]
  /** A number of TensorProto.DataType. */
  readonly type: number
  /** Where the elements are in another file: keys `location`, `offset`, `length`. */
  readonly external: ReadonlyMap<string, string> | undefined
  /** The message, elements included: a view of the file. */
  readonly message: Uint8Array
}

/** An input or output of a graph. */
export interface OnnxPort {
  readonly name: string
  /** A number of TensorProto.DataType; undefined for what is not a tensor, or not said. */
  readonly type: number | undefined
  /** Sizes, names of sizes, and undefined where neither is said; undefined where not even the rank is. */
  readonly shape: readonly (number | string | undefined)[] | undefined
}

/** The name of the standard domain has two spellings. */
function domainName(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain
}

/** @throws LstmError `FORMAT` */
export function readModel(bytes: Uint8Array): OnnxModel {
  const wire = new Wire(bytes)
  const opsets: Map<string, number> = new Map()
  let graph: OnnxGraph | undefined
  let producer = ''
  wire.fields((field) => {
    if (field === 2) producer = wire.string()
    else if (field === 7) graph = readGraph(wire)
    else if (field === 8) readOpset(wire, opsets)
  })
  if (graph === undefined) throw malformed('expected a graph, got a model without one')
  return { opsets, producer, graph }
}

function readOpset(wire: Wire, into: Map<string, number>): void {
  let domain = ''
  let version = 0
  wire.message((field) => {
    if (field === 1) domain = wire.string()
    else if (field === 2) version = wire.integer()
  })
  into.set(domainName(domain), version)
}

function readGraph(wire: Wire): OnnxGraph {
  const nodes: OnnxNode[] = []
  const initializers: OnnxTensor[] = []
  const inputs: OnnxPort[] = []
  const outputs: OnnxPort[] = []
  let sparseInitializers = 0
  wire.message((field) => {
    if (field === 1) nodes.push(readNode(wire))
    else if (field === 5) initializers.push(readTensor(wire))
    else if (field === 11) inputs.push(readPort(wire))
    else if (field === 12) outputs.push(readPort(wire))
    else if (field === 15) sparseInitializers++
  })
  return { nodes, initializers, sparseInitializers, inputs, outputs }
}

function readNode(wire: Wire): OnnxNode {
  const node = { name: '', op: '', domain: '', inputs: [] as string[], outputs: [] as string[], attributes: [] as OnnxAttribute[] }
  wire.message((field) => {
    if (field === 1) node.inputs.push(wire.string())
    else if (field === 2) node.outputs.push(wire.string())
    else if (field === 3) node.name = wire.string()
    else if (field === 4) node.op = wire.string()
    else if (field === 5) node.attributes.push(readAttribute(wire))
    else if (field === 7) node.domain = domainName(wire.string())
  })
  if (node.op === '') throw malformed(`the node '${node.name}' has no operator`)
  return node
}

/** By AttributeProto.AttributeType less one; files older than that field are told by which value is there. */
const KINDS = ['float', 'int', 'string', 'tensor', 'graph', 'floats', 'ints', 'strings'] as const

/** What writers mean by leaving a value out. */
const LEFT_OUT: ReadonlyMap<OnnxAttributeValue['kind'], OnnxAttributeValue['value']> = new Map<OnnxAttributeValue['kind'], OnnxAttributeValue['value']>([
  ['float', 0], ['int', 0], ['string', ''], ['floats', []], ['ints', []], ['strings', []],
])

function readAttribute(wire: Wire): OnnxAttribute {
  let name = ''
  let type: number | undefined
  let isReference = false
  const [floats, ints, strings]: [number[], number[], string[]] = [[], [], []]
  const values: Map<OnnxAttributeValue['kind'], OnnxAttributeValue['value']> = new Map()
  wire.message((field) => {
    if (field === 1) name = wire.string()
    else if (field === 2) values.set('float', wire.float())
    else if (field === 3) values.set('int', wire.integer())
    else if (field === 4) values.set('string', wire.string())
    else if (field === 5) values.set('tensor', readTensor(wire))
    else if (field === 6) values.set('graph', readGraph(wire))
    else if (field === 7) wire.floats((value) => floats.push(value))
    else if (field === 8) wire.integers((value) => ints.push(value))
    else if (field === 9) strings.push(wire.string())
    else if (field === 20) type = wire.integer()
    else if (field === 21) isReference = true
  })
  if (floats.length > 0) values.set('floats', floats)
  if (ints.length > 0) values.set('ints', ints)
  if (strings.length > 0) values.set('strings', strings)
  const kind = type === undefined ? [...values.keys()][0] : KINDS[type - 1]
  if (isReference || kind === undefined) return { name, value: undefined }
  const value = values.get(kind) ?? LEFT_OUT.get(kind)
  if (value === undefined) throw malformed(`the attribute '${name}' has no ${kind}`)
  return { name, value: { kind, value } as OnnxAttributeValue }
}

function readTensor(outer: Wire): OnnxTensor {
  return readTensorMessage(outer.bytes())
}

/** A TensorProto without its elements. */
export function readTensorMessage(message: Uint8Array): OnnxTensor {
  const wire = new Wire(message)
  const dims: number[] = []
  const external: Map<string, string> = new Map()
  let name = ''
  let type = 0
  let isExternal = false
  wire.fields((field) => {
    if (field === 1) wire.integers((size) => dims.push(size))
    else if (field === 2) type = wire.integer()
    else if (field === 8) name = wire.string()
    else if (field === 13) readEntry(wire, external)
    else if (field === 14) isExternal = wire.integer() === 1
  })
  return { name, dims, type, external: isExternal ? external : undefined, message }
}

function readEntry(wire: Wire, into: Map<string, string>): void {
  let key = ''
  let value = ''
  wire.message((field) => {
    if (field === 1) key = wire.string()
    else if (field === 2) value = wire.string()
  })
  into.set(key, value)
}

function readPort(wire: Wire): OnnxPort {
  let name = ''
  let type: number | undefined
  let shape: (number | string | undefined)[] | undefined
  const readTensorType = (field: number): void => {
    if (field === 1) type = wire.integer()
    else if (field === 2) {
      const sizes: (number | string | undefined)[] = []
      shape = sizes
      wire.message((inner) => {
        if (inner === 1) sizes.push(readDimension(wire))
      })
    }
  }
  wire.message((field) => {
    if (field === 1) name = wire.string()
    else if (field === 2) {
      wire.message((kind) => {
        if (kind === 1) wire.message(readTensorType)
      })
    }
  })
  return { name, type, shape }
}

/** Some writers put 0 or -1 where a size is not known. */
function readDimension(wire: Wire): number | string | undefined {
  let size: number | string | undefined
  wire.message((field) => {
    if (field === 1) size = wire.integer()
    else if (field === 2) size = wire.string()
  })
  return size === '' || (typeof size === 'number' && size < 1) ? undefined : size
}
