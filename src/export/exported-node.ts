import { LstmError } from '../errors.ts'
import type { Attribute, GraphNode, TypedGraph, ValueType } from '../ops/graph-data.ts'
import { label } from '../ops/node/checks.ts'
import type { ArrayLike } from '../values/ndarray.ts'

/** One node of ours on its way into a file: what is known of it, whichever file that is. */
export class ExportedNode<Settings = unknown> {
  readonly node: GraphNode
  /** The graph it is in. */
  readonly typed: TypedGraph
  /** What the operator made of its attributes. */
  readonly settings: Settings

  constructor(node: GraphNode, typed: TypedGraph) {
    this.node = node
    this.typed = typed
    this.settings = typed.settings.get(node) as Settings
  }

  has(position: number): boolean {
    return (this.node.inputs[position] ?? '') !== ''
  }

  isNeeded(position: number): boolean {
    return (this.node.outputs[position] ?? '') !== ''
  }

  type(position: number): ValueType {
    return this.typed.types.get(this.node.inputs[position] as string) as ValueType
  }

  /** Of the first output. */
  get outputType(): ValueType {
    return this.typed.types.get(this.node.outputs[0] as string) as ValueType
  }

  /** The elements of an input that is a constant. */
  value(position: number): ArrayLike | undefined {
    return this.typed.graph.constants.get(this.node.inputs[position] ?? '')
  }

  weight(role: string): ArrayLike | undefined {
    const name = Object.hasOwn(this.node.parameters, role) ? this.node.parameters[role] : undefined
    return name === undefined ? undefined : this.typed.graph.constants.get(name)
  }

  attribute(name: string): Attribute | undefined {
    return this.node.attributes[name]
  }

  unsupported(what: string): LstmError {
    return new LstmError('UNSUPPORTED', `${label(this.node)}: ${what}`)
  }
}
