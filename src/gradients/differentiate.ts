// Reverse-mode differentiation of a graph: the gradient of each node is further nodes of the same graph.
import { LstmError } from '../errors.ts'
import { GraphBuilder } from '../graph/builder.ts'
import type { Graph, GraphOutput } from '../graph/graph.ts'
import { label } from '../ops/node/checks.ts'
import type { GraphNode, TypedGraph, ValueType } from '../ops/graph-data.ts'
import { formatShape, isNumeric } from '../values/shape.ts'
import { NodeBuilder } from './builder.ts'
import type { GradientRule, GradientRules } from './rule.ts'

/** Whose gradients are made. */
export interface Differentiation {
  /** The value that is differentiated: float32. Where it has several elements, it is their sum, unless `seed` says otherwise. */
  readonly loss: string
  /** Name of a value with the shape of `loss`: the gradient of what follows by each of its elements. Default: ones. */
  readonly seed?: string | undefined
  /** Names of inputs of the graph, float32. */
  readonly wanted: readonly string[]
}

/** A graph with its gradients. */
export interface Differentiated {
  /** The graph, with an output more for each gradient: `gradient of NAME`. Sizes of its inputs are numbers. */
  readonly graph: TypedGraph
  /** The value that is the gradient, by the name that was wanted; undefined for one that the loss does not depend on. */
  readonly gradients: ReadonlyMap<string, string | undefined>
}

/** Values that some others reach, along nodes from inputs to outputs. */
function reachedFrom(nodes: readonly GraphNode[], names: Iterable<string>, isNumber: (name: string) => boolean): Set<string> {
  const reached = new Set(names)
  for (const { inputs, outputs, parameters } of nodes) {
    if (![...inputs, ...Object.values(parameters)].some((name) => reached.has(name))) continue
    for (const name of outputs) if (name !== '' && isNumber(name)) reached.add(name)
  }
  return reached
}

/** Values that others are made of, and these themselves. */
function sourcesOf(nodes: readonly GraphNode[], names: Iterable<string>): Set<string> {
  const sources = new Set(names)
  for (let n = nodes.length - 1; n >= 0; n--) {
    const { inputs, outputs, parameters } = nodes[n] as GraphNode
    if (!outputs.some((name) => sources.has(name))) continue
    for (const name of [...inputs, ...Object.values(parameters)]) sources.add(name)
  }
  return sources
}

const floatsOf = (types: ReadonlyMap<string, ValueType>) => (name: string): boolean => types.get(name)?.dtype === 'float32'

/**
 * What to throw where nodes between `wanted` and the targets have no gradient: an error `UNSUPPORTED` that lists all of them; undefined
 * where there are none.
 * @param wanted names of inputs and of constants
 * @param known operators that have a gradient: rules and lowerings by name
 * @param targets values that losses are made of. Default: the outputs of the graph
 */
export function missingRules(
  { graph, types }: Pick<TypedGraph, 'graph' | 'types'>, wanted: readonly string[], known: Readonly<Record<string, unknown>>,
  targets: readonly string[] = graph.outputs.map(({ value }) => value),
): LstmError | undefined {
  const reached = reachedFrom(graph.nodes, wanted, floatsOf(types))
  const sources = sourcesOf(graph.nodes, targets)
  const missing = graph.nodes.filter(({ op, outputs }) => !Object.hasOwn(known, op) && outputs.some((name) => reached.has(name) && sources.has(name)))
  if (missing.length === 0) return undefined
  const operators = [...new Set(missing.map(({ op }) => op))]
  return new LstmError('UNSUPPORTED', `training: operators without a gradient stand between the loss and what is trained: ${missing.map(label).join(', ')}; `
    + `freeze the weights before ${operators.length === 1 ? 'it' : 'them'} (trainer.freeze(names)), or train a model that has none`)
}

/** Throws unless a value of this name is float32. */
function checkFloat(name: string, what: string, types: ReadonlyMap<string, ValueType>): ValueType {
  const type = types.get(name)
  if (type === undefined) throw new LstmError('VALUE', `differentiate: ${what} '${name}' is no value of the graph`)
  if (type.dtype !== 'float32') throw new LstmError('VALUE', `differentiate: expected a float32 value as ${what} '${name}', got ${type.dtype} ${formatShape(type.shape)}`)
  return type
}

/**
 * Adds the gradients of a loss to a graph. Where gradients meet, they are added one after the other, those of later nodes first, and those
 * of one node by the positions of its inputs.
 * @param typed with numbers for all sizes
 * @throws LstmError `UNSUPPORTED` listing all nodes whose operator has no gradient, or for settings that have none; `VALUE` for names that are none
 */
export function differentiate(typed: TypedGraph, { loss, seed, wanted }: Differentiation, rules: GradientRules): Differentiated {
  const open = [...typed.types].find(([, { shape }]) => !isNumeric(shape))
  if (open !== undefined) throw new LstmError('SHAPE', `differentiate: expected numbers for all sizes, got ${formatShape(open[1].shape)} for '${open[0]}'`)
  const lossType = checkFloat(loss, 'the loss', typed.types)
  for (const name of wanted) {
    checkFloat(name, 'the input', typed.types)
    if (!typed.graph.inputs.some((input) => input.name === name)) throw new LstmError('VALUE', `differentiate: '${name}' is no input of the graph`)
  }
  const missing = missingRules(typed, wanted, rules, [loss])
  if (missing !== undefined) throw missing
  const inputs = typed.graph.inputs.map((input) => ({ ...input, shape: (typed.types.get(input.name) as ValueType).shape }))
  // The value that is differentiated may be one that no output needs.
  const source: Graph = { ...typed.graph, inputs }
  const builder = new GraphBuilder()
  const { types, settings, sizes } = GraphBuilder.of(source, undefined, builder)
  const build = new NodeBuilder(builder, 'gradient/', source.nodes.map(({ name }) => name))
  const reached = reachedFrom(source.nodes, wanted, floatsOf(types))
  const gradients: Map<string, string> = new Map()
  const add = (name: string, gradient: string): void => {
    const known = gradients.get(name)
    gradients.set(name, known === undefined ? gradient : build.node('add', [known, gradient]))
  }
  if (seed !== undefined && formatShape(checkFloat(seed, 'the seed', types).shape) !== formatShape(lossType.shape)) {
    throw new LstmError('SHAPE', `differentiate: expected the seed '${seed}' with the shape of the loss, ${formatShape(lossType.shape)}, got ${formatShape((types.get(seed) as ValueType).shape)}`)
  }
  if (reached.has(loss)) add(loss, seed ?? build.filled(1, build.shapeOf(loss)))
  for (let n = source.nodes.length - 1; n >= 0; n--) {
    const node = source.nodes[n] as GraphNode
    const outputs = node.outputs.map((name) => gradients.get(name))
    const reaches = node.inputs.map((name) => reached.has(name))
    if (!outputs.some((gradient) => gradient !== undefined) || !reaches.includes(true)) continue
    const made = (rules[node.op] as GradientRule)({ node, settings: settings.get(node), outputs, wanted: reaches }, build)
    node.inputs.forEach((name, position) => {
      const gradient = made[position]
      if (gradient !== undefined && reaches[position] === true) add(name, checkedShape(node, position, gradient, types))
    })
  }
  const found = new Map(wanted.map((name) => [name, gradients.get(name)]))
  const added = [...found].flatMap(([name, value]): GraphOutput[] => (value === undefined ? [] : [{ name: `gradient of ${name}`, value }]))
  return { graph: { graph: builder.finish([...source.outputs, ...added]), types, settings, sizes }, gradients: found }
}

/** The gradient, if it has the shape of what it is the gradient of. */
function checkedShape(node: GraphNode, position: number, gradient: string, types: ReadonlyMap<string, ValueType>): string {
  const [own, got] = [node.inputs[position] as string, gradient].map((name) => formatShape((types.get(name) as ValueType).shape))
  if (own !== got) throw new LstmError('SHAPE', `${label(node)}: the gradient of its input ${position} came out as ${got}, expected ${own}`)
  return gradient
}
