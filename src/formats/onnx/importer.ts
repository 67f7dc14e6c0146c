import { LstmError } from '../../errors.ts'
import { GraphBuilder } from '../../graph/builder.ts'
import { cancelMoves } from '../../graph/cancel-moves.ts'
import type { Graph, GraphOutput } from '../../graph/graph.ts'
import type { GraphNode } from '../../ops/graph-data.ts'
import type { ArrayLike, NdArray } from '../../values/ndarray.ts'
import type { Budget } from '../budget.ts'
import { listed } from '../malformed.ts'
import type { FormatOptions } from '../reader.ts'
import { adviceFor } from './advice.ts'
import { Conversion } from './conversion.ts'
import { addInputs } from './inputs.ts'
import { refuseLists, TAKES_LISTS, WITHOUT_LISTS } from './lists.ts'
import type { TensorList } from './surroundings.ts'
import type { OnnxGraph, OnnxModel, OnnxNode, OnnxTensor } from './messages.ts'
import { converters, type Converter } from './operators.ts'
import { neededNodes } from './order.ts'
import { Scope, UNSUPPORTED_VALUE, type Resolved } from './scope.ts'
import type { Quantised, Surroundings } from './surroundings.ts'
import { decodeTensor, type ExternalData } from './tensors.ts'
import { refuseWeightsAsInputs } from './weights-as-inputs.ts'
import { malformed } from '../protobuf/wire.ts'
import { lengthOf } from '../../values/shape.ts'

/** The oldest version of the standard operators that is read: the one that has today's broadcasting. */
const OLDEST_OPSET = 7

/** What it takes to compute an element beforehand. */
const ELEMENT_WORK = 10
/** What it takes to throw an error, and catch it. */
const ERROR_WORK = 2000
/** Of what is not supported, the message says so many. */
const MOST_LISTED = 50
/** A note names so many nodes, with so many letters of each. */
const MOST_NAMED = 5
const MOST_LETTERS = 60

/** Turns a model, node by node, into a graph of ours. */
export class Importer implements Surroundings {
  readonly builder: GraphBuilder = new GraphBuilder()
  readonly opset: number
  readonly #model: OnnxModel
  readonly #files: ExternalData
  /** Nodes of ours by the values they make. */
  readonly #producers: Map<string, GraphNode> = new Map()
  readonly #nodeNames: Set<string> = new Set()
  /** The number after the names that were taken already. */
  readonly #copies: Map<string, number> = new Map()
  /** Unknown operators, and the nodes that have them. */
  readonly #unknown: Map<string, string[]>
  readonly #unsupported: string[]
  /** Constants made by the readers of operators, such as permuted weights, by what they are made of. */
  readonly made: Map<ArrayLike['data'], Map<string, string>> = new Map()
  readonly lists: Map<string, TensorList> = new Map()
  readonly quantised: Map<string, Quantised> = new Map()
  readonly #budget: Budget
  /** See `Surroundings`: one object for a model and the graphs in it. */
  draws: { readonly seed: number | undefined, count: number }
  readonly #converters: ReadonlyMap<string, Converter> = converters()

  /** @param around the import that this one is a part of */
  constructor(model: OnnxModel, files: ExternalData, budget: Budget, around?: Importer) {
    this.draws = around?.draws ?? { seed: undefined, count: 0 }
    this.#unknown = around === undefined ? new Map<string, string[]>() : around.#unknown
    this.#unsupported = around === undefined ? [] : around.#unsupported
    this.#model = model
    this.#files = files
    this.opset = model.opsets.get('') ?? 0
    this.#budget = budget
  }

  /** @throws LstmError `UNSUPPORTED` listing every unsupported operator and attribute; `FORMAT`; `VALUE` for options that do not fit */
  run(options: FormatOptions): Graph {
    if (!this.#model.opsets.has('')) throw malformed('the model does not say which version of the standard operators it uses')
    if (this.opset < OLDEST_OPSET) {
      throw new LstmError('UNSUPPORTED', `onnx: the model uses version ${this.opset} of the standard operators, expected ${OLDEST_OPSET} or newer`)
    }
    const { seed } = options
    if (seed !== undefined && seed !== (seed | 0)) throw new LstmError('VALUE', `ONNX: expected a whole number from ${-(2 ** 31)} to ${2 ** 31 - 1} for 'seed', got ${seed}`)
    this.draws = { seed, count: 0 }
    const scope = new Scope()
    const { graph } = this.#model
    refuseWeightsAsInputs(graph, new Set(Object.keys(options.constants ?? {})))
    addInputs(this, graph, options, scope)
    this.#noteOthers(graph)
    const outputs = this.graph(graph, scope).map((value, n): GraphOutput => {
      const { name } = graph.outputs[n] as { readonly name: string }
      if (this.lists.has(String(value))) this.#unsupported.push(`the output '${name}' is a list of tensors ${WITHOUT_LISTS}`)
      return { name, value: String(value) }
    })
    this.#refuseUnsupported()
    return cancelMoves(this.builder.finish(outputs), this.builder.types)
  }

  /** A word about nodes that are left out; constants are not worth one. */
  #noteOthers(graph: OnnxGraph): void {
    const needed = new Set(neededNodes(graph).nodes)
    const others = graph.nodes.filter((node) => !needed.has(node) && node.op !== 'Constant')
    if (others.length === 0) return
    const names = listed(others, MOST_NAMED, (node) => `'${nameOf(node).slice(0, MOST_LETTERS)}' (${node.op.slice(0, MOST_LETTERS)})`)
    this.builder.note(`no output needs ${others.length === 1 ? 'the node' : 'the nodes'} ${names}`)
  }

  /** Adds what the outputs of a graph need, and returns what these stand for. */
  graph(graph: OnnxGraph, scope: Scope): Resolved[] {
    if (graph.sparseInitializers > 0) this.#unsupported.push(`${graph.sparseInitializers} sparse tensors`)
    const { nodes, needed } = neededNodes(graph)
    for (const tensor of graph.initializers) {
      // An initializer that is an input too is that input's default, which counts here as its value.
      if (!needed.has(tensor.name)) continue
      const isDone = this.attempt(() => {
        const value = this.constant(tensor.name, this.decode(tensor, `the tensor '${tensor.name}'`))
        scope.set(tensor.name, value)
      })
      if (!isDone) scope.set(tensor.name, UNSUPPORTED_VALUE)
    }
    for (const node of nodes) this.#node(node, scope, needed)
    return graph.outputs.map(({ name }) => scope.resolve(name, 'the output list'))
  }

  #node(node: OnnxNode, scope: Scope, needed: ReadonlySet<string>): void {
    const label = `node '${nameOf(node)}'`
    const name = node.domain === '' ? node.op : `${node.domain}.${node.op}`
    const converter = this.#converters.get(name)
    if (converter === undefined) {
      const nodes = this.#unknown.get(name) ?? []
      this.#unknown.set(name, nodes)
      nodes.push(label)
    }
    const inputs = node.inputs.map((name) => scope.resolve(name, label))
    let isDone = false
    if (converter !== undefined && inputs.every((input) => input !== UNSUPPORTED_VALUE)) {
      isDone = this.attempt(() => {
        const conversion = new Conversion(this, node, inputs, needed, scope, label)
        if (!TAKES_LISTS.has(name)) refuseLists(conversion, inputs, 'an input')
        converter(conversion)
        conversion.finish()
      }, label)
    }
    if (isDone) return
    for (const name of node.outputs) if (name !== '') scope.spoil(name)
  }

  inside(): Surroundings {
    return new Importer(this.#model, this.#files, this.#budget, this)
  }

  /** Runs a part of the import; what is unsupported in it is noted, and false returned. */
  attempt(run: () => void, where = ''): boolean {
    try {
      run()
      return true
    } catch (error) {
      if (!(error instanceof LstmError)) throw error
      if (error.code === 'UNSUPPORTED') {
        if (this.#unsupported.length < MOST_LISTED) this.#unsupported.push(error.message.replace(/^onnx: /, ''))
        this.#budget.work(ERROR_WORK, 'onnx')
        return false
      }
      // Sizes and numbers that do not fit are the file's fault here, not the caller's.
      if (where !== '' && (error.code === 'SHAPE' || error.code === 'VALUE')) throw malformed(`${where}: ${error.message}`, error)
      throw error
    }
  }

  #refuseUnsupported(): void {
    const operators = [...this.#unknown].map(([op, nodes]) => `operator ${op} (${listed(nodes, MOST_LISTED, String)})`)
    const all = [...operators, ...this.#unsupported]
    if (all.length === 0) return
    const advice = adviceFor(this.#model, [...this.#unknown.keys()])
    throw new LstmError('UNSUPPORTED', ['onnx: the model asks for what is not supported: ', [...all, ...advice].join('; ')].join(''))
  }

  /** A name like `name` that no node or value has yet. */
  unusedName(name: string): string {
    this.#budget.take(name.length, 'onnx')
    const isFree = (candidate: string): boolean => !this.#nodeNames.has(candidate) && !this.builder.types.has(candidate)
    if (isFree(name)) return name
    let n = this.#copies.get(name) ?? 2
    while (!isFree(`${name}_${n}`)) n++
    this.#copies.set(name, n)
    return `${name}_${n}`
  }

  nodeName(name: string): string {
    const unused = this.unusedName(name)
    this.#nodeNames.add(unused)
    return unused
  }

  decode(tensor: OnnxTensor, what: string): NdArray {
    const array = decodeTensor(tensor, this.#files, what)
    // Tensors may stand for the same bytes of a file beside the model: each is charged as it will be in the model.
    this.#budget.copy(array.data.length, array.data.byteLength, `onnx: ${what}`)
    return array
  }

  constant(name: string, value: ArrayLike): string {
    const unused = this.unusedName(name)
    this.builder.constant(unused, value)
    return unused
  }

  add(node: GraphNode): void {
    this.#budget.build(node.name)
    this.#budget.work(node.inputs.length, 'onnx')
    const inputs = node.inputs.map((name) => this.builder.value(name))
    const isKnown = node.inputs.every((name, n) => name === '' || inputs[n] !== undefined)
    if (isKnown) this.spend(0, inputs.reduce((sum, value) => sum + lengthOf(value?.shape ?? [0]), 0))
    this.builder.add(node)
    for (const name of node.outputs) {
      if (name === '') continue
      this.#producers.set(name, node)
      const made = this.builder.value(name)
      const isNew = made !== undefined && inputs.every((value) => value?.data.buffer !== made.data.buffer)
      if (isNew) this.spend(made.data.byteLength, made.data.length)
    }
  }

  /** @throws LstmError `FORMAT` when constants made of constants become too large or too many for the file */
  spend(bytes: number, work: number): void {
    this.#budget.take(bytes, 'onnx: constants that follow from constants')
    this.#budget.work(ELEMENT_WORK * work, 'onnx: constants that follow from constants')
  }

  producer(name: string): GraphNode | undefined {
    return this.#producers.get(name)
  }

  followsFromSizes(name: string): boolean {
    const seen: Set<string> = new Set([name])
    for (const value of seen) {
      if (value === '' || this.builder.value(value) !== undefined) continue
      const node = this.#producers.get(value)
      if (node === undefined) return false
      if (node.op !== 'shape' && node.op !== 'size') for (const input of node.inputs) seen.add(input)
    }
    this.#budget.work(ELEMENT_WORK * seen.size, 'onnx')
    return true
  }

  /** Inputs of the model that a value depends on. */
  dependencies(name: string): string[] {
    const seen: Set<string> = new Set([name])
    for (const value of seen) for (const input of this.#producers.get(value)?.inputs ?? []) seen.add(input)
    this.#budget.work(ELEMENT_WORK * (seen.size + this.#model.graph.inputs.length), 'onnx')
    return this.#model.graph.inputs.map((input) => input.name).filter((input) => seen.has(input) && this.builder.value(input) === undefined)
  }
}

/** The name of a node, or that of its first output. */
function nameOf(node: OnnxNode): string {
  return node.name === '' ? node.outputs.find((name) => name !== '') ?? '' : node.name
}
