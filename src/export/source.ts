import { LstmError } from '../errors.ts'
import type { Graph, GraphNode, GraphOutput } from '../graph/graph.ts'
import { typeGraph, type TypedGraph } from '../graph/infer.ts'
import type { GraphSource } from '../model/load.ts'
import { addAllOperators } from '../ops/all.ts'
import { RECURRENT, type RecurrentOp } from '../ops/recurrent/kinds.ts'
import { oneOf, readOptions, type OptionTable } from '../options.ts'
import { describeValue } from '../values/dtype.ts'

/** What is written: a model, layers with weights, or a graph. */
export type ExportSource = GraphSource

/** Options of all that writes a model. */
export interface ExportOptions {
  /** Names of the outputs that are written, in this order. Default: all. */
  readonly outputs?: readonly string[] | undefined
  /** What becomes of first states that may be left out here, and are zeros then: inputs that must be given, or zeros without an input. Default `'inputs'`. */
  readonly optionalStates?: 'inputs' | 'zeros' | undefined
}

const OPTIONS: OptionTable<ExportOptions> = {
  outputs: { expected: 'a list of names', test: (value) => Array.isArray(value) && value.length > 0 && Array.from(value).every((name) => typeof name === 'string') },
  optionalStates: oneOf(['inputs', 'zeros']),
}

/**
 * The graph of a source, every value of it typed.
 * @param what who asks, for messages
 * @throws LstmError `VALUE` for what is no source, and for options that do not fit it
 */
export function typedSource(source: ExportSource, options: ExportOptions, what: string): TypedGraph {
  const given: unknown = source
  if (typeof given !== 'object' || given === null || !('toGraph' in given || ('nodes' in given && 'constants' in given))) {
    throw new LstmError('VALUE', `${what}: expected a model, layers with weights or a graph, got ${describeValue(given)}`)
  }
  const { outputs, optionalStates } = readOptions(options, OPTIONS, what)
  addAllOperators()
  const graph = 'toGraph' in source ? source.toGraph() : source
  const chosen = outputs === undefined ? graph : { ...graph, outputs: outputs.map((name) => outputNamed(graph, name, what)) }
  return typeGraph(optionalStates === 'zeros' ? withZeroStates(chosen) : chosen)
}

function outputNamed({ outputs }: Graph, wanted: string, what: string): GraphOutput {
  const found = outputs.find(({ name }) => name === wanted)
  if (found === undefined) throw new LstmError('VALUE', `${what}: expected outputs of the model for 'outputs', ${outputs.map(({ name }) => `'${name}'`).join(', ')}, got '${wanted}'`)
  return found
}

/** Without optional inputs that are first states of recurrent layers and nothing else: absent ones are zeros. */
function withZeroStates(graph: Graph): Graph {
  const isState = ({ op }: GraphNode, position: number): boolean => op in RECURRENT && position >= 1 && position <= RECURRENT[op as RecurrentOp].states.length
  const elsewhere = new Set([...graph.outputs.map(({ value }) => value), ...graph.nodes.flatMap((node) => node.inputs.filter((_, n) => !isState(node, n)))])
  const dropped = new Set(graph.inputs.flatMap(({ name, optional }) => (optional === true && !elsewhere.has(name) ? [name] : [])))
  return {
    ...graph,
    inputs: graph.inputs.filter(({ name }) => !dropped.has(name)),
    nodes: graph.nodes.map((node) => ({ ...node, inputs: node.inputs.map((name) => (dropped.has(name) ? '' : name)) })),
  }
}

/** What cannot be written, collected so that one message says all of it. */
export class Refusals {
  readonly #what: string
  readonly #found: string[] = []

  /** @param what who asks, for messages */
  constructor(what: string) {
    this.#what = what
  }

  get isEmpty(): boolean {
    return this.#found.length === 0
  }

  add(text: string): void {
    this.#found.push(text)
  }

  /** Runs a part; an `UNSUPPORTED` error of it is collected. */
  attempt(run: () => void): void {
    try {
      run()
    } catch (error) {
      if (!(error instanceof LstmError) || error.code !== 'UNSUPPORTED') throw error
      this.add(error.message)
    }
  }

  /** @throws LstmError `UNSUPPORTED` listing everything, if there is anything */
  check(wayOn: string): void {
    if (this.#found.length > 0) throw new LstmError('UNSUPPORTED', `${this.#what}: ${wayOn}: ${this.#found.join('; ')}`)
  }
}
