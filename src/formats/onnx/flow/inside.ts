// Graphs of the file that stay graphs: the body of a loop, the branches of a choice.
import type { Body, Graph, ValueType } from '../../../ops/graph-data.ts'
import type { Conversion } from '../conversion.ts'
import type { OnnxGraph } from '../messages.ts'
import { addList } from '../lists.ts'
import type { TensorList } from '../surroundings.ts'
import { UNSUPPORTED_VALUE, type Resolved, type Scope } from '../scope.ts'
import type { Surroundings } from '../surroundings.ts'

/** A graph inside a node on its way to one of ours. */
export class Inside {
  readonly importer: Surroundings
  readonly scope: Scope
  /** Values around it that are inputs of it, in order, by their names in it. */
  readonly captured: Map<string, string> = new Map()
  readonly #around: Conversion
  /** Names in it, by names around it: captured values, and constants. */
  readonly #names: Map<string, string> = new Map()
  /** Constants that are there around it too. */
  readonly #shared: Map<string, string> = new Map()

  constructor(around: Conversion) {
    this.#around = around
    this.importer = around.importer.inside()
    this.scope = around.scopeInside((value) => this.capture(value))
  }

  /** An input of its own. */
  input(name: string, { dtype, shape }: ValueType): string {
    const inner = this.importer.unusedName(name === '' ? 'input' : name)
    this.importer.builder.input({ name: inner, dtype, shape })
    return inner
  }

  /** A value around it as one of its own. */
  capture(value: string): string {
    const known = this.#names.get(value)
    if (known !== undefined) return known
    const list = this.#around.importer.lists.get(value)
    if (list !== undefined) {
      const name = addList(this.importer, value, this.#listInside(list))
      this.#names.set(value, name)
      return name
    }
    const constant = this.#around.importer.builder.value(value)
    const name = constant === undefined ? this.input(value, this.#around.type(value)) : this.importer.constant(value, constant)
    this.#names.set(value, name)
    ;(constant === undefined ? this.captured : this.#shared).set(name, value)
    return name
  }

  #listInside(list: TensorList): TensorList {
    if ('array' in list) return { ...list, array: this.capture(list.array) }
    return 'items' in list ? { items: list.items.map((item) => this.capture(item)) } : { ...list, appended: list.appended.map((item) => this.capture(item)) }
  }

  /** Adds the nodes of a graph; what its outputs stand for, or undefined where one of them is not supported. */
  add(graph: OnnxGraph): string[] | undefined {
    const values: Resolved[] = this.importer.graph(graph, this.scope)
    return values.includes(UNSUPPORTED_VALUE) ? undefined : values as string[]
  }

  /** The graph with these inputs before the captured ones. */
  finish(own: readonly string[], outputs: readonly string[]): Graph {
    const graph = this.importer.builder.finish(outputs.map((value, n) => ({ name: `${n}`, value })))
    const byName = new Map(graph.inputs.map((input) => [input.name, input]))
    return { ...graph, inputs: [...own, ...this.captured.keys()].flatMap((name) => byName.get(name) ?? []) }
  }

  /** What a node needs to have the graph inside it under that name. */
  bodyOf({ inputs, outputs, nodes, constants }: Graph, name: string): { body: Body, parameters: Record<string, string>, inputs: readonly string[] } {
    const parameters = Object.fromEntries([...constants].map(([inner, value]) => (
      [`${name}.${inner}`, this.#shared.get(inner) ?? this.#around.importer.constant(inner, value)]
    )))
    return { body: { inputs, outputs, nodes }, parameters, inputs: [...this.captured.values()] }
  }
}
