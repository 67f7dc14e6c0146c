import { LstmError } from '../../errors.ts'
import { label } from '../../ops/node/checks.ts'
import type { Attribute, GraphNode, ValueType } from '../../ops/operator.ts'
import type { ArrayLike } from '../../values/ndarray.ts'
import type { SymbolicShape } from '../../values/shape.ts'
import { python, type PythonModule } from './python-module.ts'

/** One node of ours on its way to lines of Python. */
export class NodeLines<Settings = unknown> {
  readonly node: GraphNode
  readonly module: PythonModule
  readonly settings: Settings

  constructor(node: GraphNode, module: PythonModule) {
    this.node = node
    this.module = module
    this.settings = module.typed.settings.get(node) as Settings
  }

  has(position: number): boolean {
    return (this.node.inputs[position] ?? '') !== ''
  }

  isNeeded(position: number): boolean {
    return (this.node.outputs[position] ?? '') !== ''
  }

  type(position: number): ValueType {
    return this.module.typeOf(this.node.inputs[position] as string)
  }

  get rank(): number {
    return this.type(0).shape.length
  }

  get outputShape(): SymbolicShape {
    return this.module.typeOf(this.node.outputs[0] as string).shape
  }

  x(position: number): string {
    return this.module.expression(this.node.inputs[position] as string)
  }

  value(position: number): ArrayLike | undefined {
    return this.module.typed.graph.constants.get(this.node.inputs[position] ?? '')
  }

  /** The numbers of an input that is a constant. @throws LstmError `UNSUPPORTED` where they are computed */
  numbers(position: number, what: string): number[] {
    const value = this.value(position)
    if (value === undefined) throw this.unsupported(`${what} that are computed`)
    return Array.from(value.data)
  }

  /** An input that is one number, as Python has it. */
  number(position: number): string {
    const value = this.value(position)
    return value?.data.length === 1 ? python(value.data[0] as number) : this.x(position)
  }

  weight(role: string): ArrayLike | undefined {
    return this.module.typed.graph.constants.get(this.node.parameters[role] ?? '')
  }

  attribute(name: string): Attribute | undefined {
    return this.node.attributes[name]
  }

  /** An attribute that is an axis. */
  axis(name: string, absent: number): number {
    return Number(this.attribute(name) ?? absent)
  }

  give(expression: string, position: number = 0): void {
    if (this.isNeeded(position)) this.module.assign(this.node.outputs[position] as string, expression)
  }

  alias(expression: string): void {
    this.module.alias(this.node.outputs[0] as string, expression)
  }

  unsupported(what: string): LstmError {
    return new LstmError('UNSUPPORTED', `${label(this.node)}: ${what}`)
  }
}

/** Adds the lines that stand for a node of ours. */
export type LineWriter<Settings = unknown> = (c: NodeLines<Settings>) => void
