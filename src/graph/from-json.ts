import { LstmError } from '../errors.ts'
import type { Attribute, Body, GraphNode } from '../ops/graph-data.ts'
import { describeValue, isDType } from '../values/dtype.ts'
import type { ArrayLike } from '../values/ndarray.ts'
import type { Dimension } from '../values/shape.ts'
import type { Graph, GraphInput, GraphOutput } from './graph.ts'
import { GRAPH_VERSION } from './to-json.ts'

/**
 * The graph that `graphToJson` wrote.
 * Checks the form of everything it reads: the text may come from an untrusted file.
 *
 * @throws LstmError `FORMAT` for text of another form, `UNSUPPORTED` for a version this library does not know
 */
export function graphFromJson(text: string, constants: ReadonlyMap<string, ArrayLike>): Graph {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new LstmError('FORMAT', `graph: not JSON: ${String(cause)}`, { cause })
  }
  const root = record(json, 'graph')
  if (root.version !== GRAPH_VERSION) {
    throw new LstmError('UNSUPPORTED', `graph: expected version ${GRAPH_VERSION}, got ${describeValue(root.version)}; a newer lstm-wasm may read it`)
  }
  return {
    ...readBody(root, '', 0),
    constants,
    ...(root.notes !== undefined && { notes: list(root.notes, 'notes').map((item, n) => string(item, `notes[${n}]`)) }),
    ...(root.metadata !== undefined && { metadata: dictionary(root.metadata, 'metadata', string) }),
  }
}

/** Graphs in graphs: a loop in a loop in a choice is 3 deep. */
const MOST_DEPTH = 16

function readBody(item: unknown, where: string, depth: number): Body {
  if (depth > MOST_DEPTH) throw new LstmError('UNSUPPORTED', `graph: expected graphs at most ${MOST_DEPTH} deep in each other, got more`)
  const { inputs, outputs, nodes } = record(item, where)
  const at = (name: string): string => (where === '' ? name : `${where}.${name}`)
  return {
    inputs: list(inputs, at('inputs')).map((one, n) => readInput(one, `${at('inputs')}[${n}]`)),
    outputs: list(outputs, at('outputs')).map((one, n) => readOutput(one, `${at('outputs')}[${n}]`)),
    nodes: list(nodes, at('nodes')).map((one, n) => readNode(one, `${at('nodes')}[${n}]`, depth)),
  }
}

function readInput(item: unknown, where: string): GraphInput {
  const { name, dtype, shape, optional = false } = record(item, where)
  if (!isDType(dtype)) throw malformed(`${where}.dtype`, "'float32', 'int32' or 'uint8'", dtype)
  if (typeof optional !== 'boolean') throw malformed(`${where}.optional`, 'true or false', optional)
  return {
    name: string(name, `${where}.name`),
    dtype,
    shape: list(shape, `${where}.shape`).map((size, axis) => dimension(size, `${where}.shape[${axis}]`)),
    ...(optional && { optional }),
  }
}

function readOutput(item: unknown, where: string): GraphOutput {
  const { name, value } = record(item, where)
  return { name: string(name, `${where}.name`), value: string(value, `${where}.value`) }
}

function readNode(item: unknown, where: string, depth: number): GraphNode {
  const node = record(item, where)
  const strings = (field: string): string[] =>
    list(node[field], `${where}.${field}`).map((value, n) => string(value, `${where}.${field}[${n}]`))
  return {
    name: string(node.name, `${where}.name`),
    op: string(node.op, `${where}.op`),
    inputs: strings('inputs'),
    outputs: strings('outputs'),
    parameters: dictionary(node.parameters, `${where}.parameters`, string),
    attributes: dictionary(node.attributes, `${where}.attributes`, attribute),
    ...(node.bodies !== undefined && { bodies: dictionary(node.bodies, `${where}.bodies`, (body, place) => readBody(body, place, depth + 1)) }),
  }
}

function malformed(where: string, expected: string, got: unknown): LstmError {
  return new LstmError('FORMAT', `graph: expected ${expected} at ${where}, got ${describeValue(got)}`)
}

function record(value: unknown, where: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(where, 'an object', value)
  return value as Record<string, unknown>
}

function list(value: unknown, where: string): unknown[] {
  if (!Array.isArray(value)) throw malformed(where, 'a list', value)
  return value
}

function string(value: unknown, where: string): string {
  if (typeof value !== 'string') throw malformed(where, 'a string', value)
  return value
}

function dimension(value: unknown, where: string): Dimension {
  const isSize = typeof value === 'number' && Number.isInteger(value) && value >= 1
  const isName = typeof value === 'string' && value !== ''
  if (!isSize && !isName) throw malformed(where, 'a whole number >= 1 or a name', value)
  return value
}

function attribute(value: unknown, where: string): Attribute {
  const isScalar = (item: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof item)
  const isList = Array.isArray(value)
    && (value.every((item) => typeof item === 'number') || value.every((item) => typeof item === 'string'))
  if (!isScalar(value) && !isList) throw malformed(where, 'a string, number, boolean or a list of them', value)
  return value as Attribute
}

/** An object with string keys; without a prototype, so that a key such as `__proto__` is a key like any other. */
function dictionary<T>(value: unknown, where: string, read: (value: unknown, where: string) => T): Record<string, T> {
  const result = Object.create(null) as Record<string, T>
  for (const [key, item] of Object.entries(record(value, where))) result[key] = read(item, `${where}.${key}`)
  return result
}
