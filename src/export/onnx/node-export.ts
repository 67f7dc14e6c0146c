import type { GraphNode } from '../../ops/graph-data.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import type { SymbolicShape } from '../../values/shape.ts'
import { ExportedNode } from '../exported-node.ts'
import type { Emission, FileValue } from './emission.ts'
import type { AttributeMessage, OnnxType } from './messages.ts'

/** Attributes of a node of the file; those that are undefined are left out. */
export type Attributes = Readonly<Record<string, AttributeMessage | undefined>>

/** One node of ours on its way to nodes of the file. */
export class NodeExport<Settings = unknown> extends ExportedNode<Settings> {
  readonly emission: Emission

  constructor(node: GraphNode, emission: Emission) {
    super(node, emission.typed)
    this.emission = emission
  }

  #input(position: number): string {
    return this.node.inputs[position] as string
  }

  shape(position: number): SymbolicShape {
    return this.type(position).shape
  }

  rank(position: number): number {
    return this.shape(position).length
  }

  /** An input as it is in the file. */
  input(position: number): FileValue {
    return this.emission.valueOf(this.#input(position))
  }

  /** The name of an input as elements of a type; `''` for an absent one. */
  as(position: number, type: OnnxType): string {
    return this.has(position) ? this.emission.as(this.#input(position), type) : ''
  }

  /** The name of an input as it is. */
  any(position: number): string {
    return this.input(position).name
  }

  /** One type for some inputs: int64 where one that is no constant is, and bool only where all are. */
  common(...positions: readonly number[]): OnnxType {
    const { dtype } = this.type(positions[0] as number)
    if (dtype === 'float32') return dtype
    const open = positions.filter((position) => this.value(position) === undefined).map((position) => this.input(position).type)
    if (dtype === 'int32') return open.includes('int64') ? 'int64' : 'int32'
    return open.length === positions.length && open.every((type) => type === 'bool') ? 'bool' : 'uint8'
  }

  /** A weight of this node as an initializer. */
  weightName(role: string): string {
    return this.emission.initializer(this.weight(role) as ArrayLike, this.node.parameters[role] as string)
  }

  /** Adds a node with one output that is no value of ours, whose name is returned. */
  emit(op: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.emission.emit(op, inputs, attributes, `${this.node.name}.${op}`)
  }

  /** Adds the node that makes an output of this one. @param type of its elements. Default: that of ours */
  emitOutput(op: string, inputs: readonly string[], attributes: Attributes = {}, type?: OnnxType, position: number = 0): void {
    this.emission.emitNode(op, inputs, attributes, [this.output(position, type)])
  }

  /** The name of an output, whose node is about to be added; `''` where nobody wants it. */
  output(position: number, type?: OnnxType): string {
    if (!this.isNeeded(position)) return ''
    const value = this.node.outputs[position] as string
    return this.emission.outputName(value, type ?? this.emission.typeOf(value).dtype)
  }

  /** The output is a value that is there already. */
  alias(value: FileValue, position: number = 0): void {
    if (this.isNeeded(position)) this.emission.define(this.node.outputs[position] as string, value)
  }

  constant(what: string, array: ArrayLike, type?: OnnxType): string {
    return this.emission.initializer(array, `${this.node.name}.${what}`, type)
  }

  /** A list of whole numbers, int64. */
  integers(what: string, values: readonly number[]): string {
    return this.constant(what, new NdArray(Int32Array.from(values), [values.length]), 'int64')
  }

  /** One number, float32 with no axis. */
  number(what: string, value: number): string {
    return this.constant(what, new NdArray(Float32Array.of(value), []))
  }

  /** An input with at most one axis, which has one element, without it. */
  scalar(position: number, type: OnnxType): string {
    const name = this.as(position, type)
    return name === '' || this.rank(position) === 0 ? name : this.emit('Squeeze', [name])
  }
}

/** Adds what stands for a node of ours. */
export type NodeWriter<Settings = unknown> = (c: NodeExport<Settings>) => void
