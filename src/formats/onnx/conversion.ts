import { LstmError } from '../../errors.ts'
import type { Attribute, Body, ValueType } from '../../ops/graph-data.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import type { OnnxAttributeValue, OnnxGraph, OnnxNode, OnnxTensor } from './messages.ts'
import { Scope, type Resolved } from './scope.ts'
import type { Surroundings } from './surroundings.ts'
import { toInt32 } from './tensors.ts'
import { malformed } from '../protobuf/wire.ts'

type ValueOf<Kind extends OnnxAttributeValue['kind']> = Extract<OnnxAttributeValue, { kind: Kind }>['value']

/** Attributes of our operators, and where they differ from those of the file, `undefined` for one to leave out. */
export type AttributeChanges = Readonly<Record<string, Attribute | undefined>>

/** One node of a file on its way to nodes of ours. */
export class Conversion {
  readonly op: string
  readonly opset: number
  /** Names of our values; `''` for absent ones. */
  readonly inputs: readonly string[]
  /** How many outputs the node has, up to the last one that is needed. */
  readonly outputCount: number
  readonly importer: Surroundings
  readonly label: string
  readonly #node: OnnxNode
  readonly #needed: ReadonlySet<string>
  readonly #scope: Scope

  constructor(importer: Surroundings, node: OnnxNode, inputs: readonly string[], needed: ReadonlySet<string>, scope: Scope, label: string) {
    this.importer = importer
    this.op = node.op
    this.opset = importer.opset
    this.inputs = inputs
    this.label = `${label} (${node.op})`
    this.#node = node
    this.#needed = needed
    this.#scope = scope
    let count = node.outputs.length
    while (count > 0 && !this.isNeeded(count - 1)) count--
    this.outputCount = count
  }

  /** @throws LstmError `FORMAT` unless every needed output has been made */
  finish(): void {
    for (const name of this.#node.outputs) {
      if (this.#needed.has(name) && name !== '' && !this.#scope.has(name)) throw malformed(`${this.label}: its output '${name}' is one it does not have`)
    }
  }

  /** The input at `position`; it must be there. */
  input(position: number): string {
    const name = this.inputs[position] ?? ''
    if (name === '') throw malformed(`${this.label}: expected an input at position ${position}, got none`)
    return name
  }

  has(position: number): boolean {
    return (this.inputs[position] ?? '') !== ''
  }

  type(value: string): ValueType {
    return this.importer.builder.types.get(value) as ValueType
  }

  /** The elements of the input at `position`, where they are known. */
  value(position: number): ArrayLike | undefined {
    return this.importer.builder.value(this.inputs[position] ?? '')
  }

  isNeeded(position: number): boolean {
    const name = this.#node.outputs[position] ?? ''
    return name !== '' && this.#needed.has(name)
  }

  /** A new name for our value that is the output at `position`; `''` where nobody needs it. */
  output(position: number): string {
    if (!this.isNeeded(position)) return ''
    const name = this.#node.outputs[position] as string
    const value = this.importer.unusedName(name)
    this.#scope.set(name, value)
    return value
  }

  /** New names for all outputs. */
  outputs(): string[] {
    return this.#node.outputs.map((_, position) => this.output(position))
  }

  /** The output at `position` is a value that is there already. */
  alias(position: number, value: Resolved): void {
    if (this.isNeeded(position)) this.#scope.set(this.#node.outputs[position] as string, value)
  }

  /** Adds a node of ours. Without `outputs` it makes one new value, which is returned. */
  emit(
    op: string, inputs: readonly string[], attributes: AttributeChanges = {}, outputs?: readonly string[],
    parameters: Readonly<Record<string, string>> = {}, bodies?: Readonly<Record<string, Body>>,
  ): string {
    const kept = Object.entries(attributes).filter((entry): entry is [string, Attribute] => entry[1] !== undefined)
    const made = outputs ?? [this.unused(op)]
    const name = this.importer.nodeName(this.#name)
    this.importer.add({ name, op, inputs, outputs: made, parameters, attributes: Object.fromEntries(kept), ...(bodies && { bodies }) })
    return made[0] as string
  }

  /** Adds a node of ours whose outputs are this node's. */
  emitOutputs(op: string, inputs: readonly string[], attributes: AttributeChanges = {}): void {
    this.emit(op, inputs, attributes, Array.from({ length: this.outputCount }, (_, position) => this.output(position)))
  }

  /** What the node is called: by its first output, where it has no name. */
  get #name(): string {
    return this.#node.name === '' ? this.#node.outputs.find((output) => output !== '') ?? this.op : this.#node.name
  }

  /** A name that no value has yet. */
  unused(what: string): string {
    return this.importer.unusedName(`${this.#name}.${what}`)
  }

  constant(what: string, value: ArrayLike): string {
    return this.importer.constant(`${this.#name}.${what}`, value)
  }

  /** Integers of the file as int32. */
  checked(values: readonly number[]): number[] {
    return values.map((value) => toInt32(value, this.label))
  }

  /** An int32 list as an input. */
  integers(what: string, values: readonly number[]): string {
    return this.constant(what, new NdArray(Int32Array.from(this.checked(values)), [values.length]))
  }

  scalar(what: string, value: number): string {
    return this.constant(what, new NdArray(Float32Array.of(value), []))
  }

  #attribute<Kind extends OnnxAttributeValue['kind']>(name: string, kind: Kind): ValueOf<Kind> | undefined {
    const found = this.#node.attributes.find((attribute) => attribute.name === name)
    if (found === undefined) return undefined
    if (found.value?.kind !== kind) {
      throw malformed(`${this.label}: expected ${kind} for the attribute '${name}', got ${found.value?.kind ?? 'another kind'}`)
    }
    return found.value.value as ValueOf<Kind> | undefined
  }

  hasAttribute(name: string): boolean {
    return this.#node.attributes.some((attribute) => attribute.name === name)
  }

  int(name: string, otherwise: number): number {
    return this.#attribute(name, 'int') ?? otherwise
  }

  float(name: string, otherwise: number): number {
    return this.#attribute(name, 'float') ?? otherwise
  }

  string(name: string, otherwise: string): string {
    return this.#attribute(name, 'string') ?? otherwise
  }

  ints(name: string): readonly number[] | undefined {
    return this.#attribute(name, 'ints')
  }

  floats(name: string): readonly number[] | undefined {
    return this.#attribute(name, 'floats')
  }

  strings(name: string): readonly string[] | undefined {
    return this.#attribute(name, 'strings')
  }

  tensor(name: string): OnnxTensor | undefined {
    return this.#attribute(name, 'tensor')
  }

  /** A graph that is an attribute. */
  graph(name: string): OnnxGraph {
    const graph = this.#attribute(name, 'graph')
    if (graph === undefined) throw malformed(`${this.label}: expected the graph '${name}', got none`)
    return graph
  }

  /** Names inside a graph of the node, which sees those around it. @param through see `Scope` */
  scopeInside(through?: (value: string) => string): Scope {
    return new Scope(this.#scope, through)
  }

  /** What the outputs of a graph without inputs stand for that is an attribute, added to ours as a part of it. */
  inline(name: string): Resolved[] {
    const graph = this.graph(name)
    if (graph.inputs.length > 0) throw malformed(`${this.label}: expected '${name}' without inputs, got ${graph.inputs.length}`)
    return this.importer.graph(graph, this.scopeInside())
  }

  /** All attributes under our names (`keepdims`, `numOutputs`), without those named in `except`. */
  attributes(...except: readonly string[]): Record<string, Attribute> {
    const result = Object.create(null) as Record<string, Attribute>
    for (const { name, value } of this.#node.attributes) {
      if (except.includes(name)) continue
      if (value === undefined || value.kind === 'tensor' || value.kind === 'graph') throw this.unsupported(`the attribute '${name}'`)
      result[name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())] = value.value
    }
    return result
  }

  /** @throws LstmError `UNSUPPORTED` for attributes beside those named */
  onlyAttributes(names: readonly string[]): void {
    const others = this.#node.attributes.filter(({ name }) => !names.includes(name)).map(({ name }) => `'${name}'`)
    if (others.length > 0) throw this.unsupported(`the attribute ${others.join(', ')}`)
  }

  /** @throws LstmError `UNSUPPORTED` when more than the first `count` outputs are needed */
  onlyOutputs(count: number): void {
    if (this.outputCount > count) throw this.unsupported(`the output at position ${this.outputCount - 1}`)
  }

  unsupported(what: string): LstmError {
    return new LstmError('UNSUPPORTED', `onnx: ${this.label}: ${what} is not supported`)
  }

  /** An attribute that has one supported value. */
  requireInt(name: string, value: number): void {
    const got = this.int(name, value)
    if (got !== value) throw this.unsupported(`${name} ${got}`)
  }
}
