import type { TypedGraph, ValueType } from '../../ops/graph-data.ts'
import type { DType } from '../../values/dtype.ts'
import type { ArrayLike, NdArray } from '../../values/ndarray.ts'
import { formatShape } from '../../values/shape.ts'
import type { Names } from '../names.ts'
import type { Refusals } from '../source.ts'
import { rawElements } from './elements.ts'
import { ELEMENT_TYPES, type AttributeMessage, type GraphMessage, type NodeMessage, type OnnxType, type PortMessage, type TensorMessage } from './messages.ts'

/** A value of the file: ours of int32 may be int64 there, ours of uint8 bool. */
export interface FileValue {
  readonly name: string
  readonly type: OnnxType
}

/** The opset that is written: the first one in which every operator needed here is one node (Gelu is of 20, wrapping pads and dilated means of 19). */
export const OPSET = 20
/** The version of the format that goes with it. */
export const IR_VERSION = 9

/** What all graphs of a file share. */
export interface FileScope {
  readonly names: Names
  readonly refusals: Refusals
  readonly initializers: Map<string, TensorMessage>
  /** Initializers by constant and type. */
  readonly written: Map<ArrayLike, Map<string, string>>
  /** Adds what stands for all nodes of a graph; what cannot be written is collected. */
  writeNodes(emission: Emission): void
  /** A matrix turned, once however often it is asked for. */
  turned(weight: ArrayLike, turn: (weight: ArrayLike) => NdArray): NdArray
}

/** The dtypes of ours that are another one in a file, where that suits an operator better. */
const ALIKE: Readonly<Record<DType, readonly OnnxType[]>> = { float32: ['float32'], int32: ['int32', 'int64'], uint8: ['uint8', 'bool'] }

/** A graph of the file on its way: the main one, or one inside a node. */
export class Emission {
  readonly typed: TypedGraph
  readonly file: FileScope
  readonly nodes: NodeMessage[] = []
  readonly #values: Map<string, FileValue> = new Map()
  readonly #casts: Map<string, string> = new Map()
  /** Names that values of ours are to have, as outputs of the file. */
  readonly #wanted: Map<string, string>

  constructor(typed: TypedGraph, file: FileScope, wanted: Map<string, string> = new Map()) {
    this.typed = typed
    this.file = file
    this.#wanted = wanted
  }

  /** The type of a value of ours. */
  typeOf(value: string): ValueType {
    return this.typed.types.get(value) as ValueType
  }

  constantOf(value: string): ArrayLike | undefined {
    return this.typed.graph.constants.get(value)
  }

  /** What a value of ours is in the file. */
  define(value: string, of: FileValue): void {
    this.#values.set(value, of)
  }

  /** A value that a refused node would have made: what needs it is looked at all the same. */
  defineMissing(value: string): void {
    if (!this.#values.has(value)) this.define(value, { name: value, type: this.typeOf(value).dtype })
  }

  /** What a value of ours is in the file, which has been written before. */
  valueOf(value: string): FileValue {
    const constant = this.constantOf(value)
    if (constant !== undefined) return { name: this.initializer(constant, value, constant.dtype), type: constant.dtype }
    return this.#values.get(value) as FileValue
  }

  /** The name of a value as elements of a type. */
  as(value: string, type: OnnxType): string {
    const constant = this.constantOf(value)
    if (constant !== undefined && ALIKE[constant.dtype].includes(type)) return this.initializer(constant, value, type)
    return this.cast(this.valueOf(value), type)
  }

  /** A value of the file as elements of a type. */
  cast({ name, type }: FileValue, to: OnnxType): string {
    if (type === to) return name
    const key = `${to} ${name}`
    const known = this.#casts.get(key)
    if (known !== undefined) return known
    const made = this.emit('Cast', [name], { to: typeNumber(to) }, `${name}.${to}`)
    this.#casts.set(key, made)
    return made
  }

  /** Adds a node with one output, whose name is returned. @param name what it is like */
  emit(op: string, inputs: readonly string[], attributes: Readonly<Record<string, AttributeMessage | undefined>> = {}, name: string = op): string {
    const output = this.file.names.unused(name)
    this.emitNode(op, inputs, attributes, [output])
    return output
  }

  /** Adds a node with these outputs, `''` where one is not wanted. Attributes that are undefined are left out. */
  emitNode(op: string, inputs: readonly string[], attributes: Readonly<Record<string, AttributeMessage | undefined>>, outputs: readonly string[]): void {
    const kept = Object.entries(attributes).filter((entry): entry is [string, AttributeMessage] => entry[1] !== undefined)
    const name = this.file.names.unusedNode(outputs.find((output) => output !== '') ?? op)
    this.nodes.push({ name, op, inputs: trimmed(inputs), outputs: trimmed(outputs), attributes: Object.fromEntries(kept) })
  }

  /** The name of the output of the file that a value of ours becomes, or a new one; its node is about to be added. */
  outputName(value: string, type: OnnxType): string {
    const wanted = this.#wanted.get(value)
    const name = wanted !== undefined && type === this.typeOf(value).dtype ? wanted : this.file.names.unused(value)
    this.#wanted.delete(value)
    this.define(value, { name, type })
    return name
  }

  /** A constant as an initializer, once for each type it is needed in. */
  initializer(constant: ArrayLike, name: string, type: OnnxType = constant.dtype): string {
    const key = `${type} ${formatShape(constant.shape)}`
    const byType = this.file.written.get(constant) ?? new Map<string, string>()
    this.file.written.set(constant, byType)
    const known = byType.get(key)
    if (known !== undefined) return known
    const unused = this.file.names.unused(name)
    byType.set(key, unused)
    this.file.initializers.set(unused, { name: unused, dims: constant.shape, type, raw: rawElements(constant.data, type) })
    return unused
  }

  /** The finished graph. */
  finish(name: string, inputs: readonly PortMessage[], outputs: readonly PortMessage[], initializers: readonly TensorMessage[] = []): GraphMessage {
    return { name, nodes: this.nodes, inputs, outputs, initializers }
  }
}

/** A list without the absent names at its end. */
function trimmed(list: readonly string[]): readonly string[] {
  let length = list.length
  while (length > 0 && list[length - 1] === '') length--
  return list.slice(0, length)
}

/** An element type as attributes have it. */
function typeNumber(type: OnnxType): number {
  return ELEMENT_TYPES[type]
}
