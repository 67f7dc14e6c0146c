// Graphs inside nodes: what the operators of loops and choices share.
import { LstmError } from '../../errors.ts'
import type { ArrayLike } from '../../values/ndarray.ts'
import { formatShape, isNumeric, type SymbolicShape } from '../../values/shape.ts'
import type { Body, Graph, GraphInput, GraphNode, TypedGraph, ValueType } from '../graph-data.ts'
import { label } from '../node/checks.ts'
import type { InferenceContext, InnerPlan, Planner, Slot, TypingContext } from '../operator.ts'
import { findOperator } from '../registry.ts'

/** A graph inside a node by its name. @throws LstmError `FORMAT` where there is none */
export function bodyOf({ bodies = {}, ...node }: GraphNode, name: string): Body {
  const body = bodies[name]
  if (body === undefined) throw new LstmError('FORMAT', `${label(node)}: expected the graph '${name}' inside it, got none`)
  return body
}

/** Refuses graphs and weights that are none of these graphs'. */
export function checkBodies(node: GraphNode, names: readonly string[]): void {
  const isOurs = (name: string | undefined): boolean => name !== undefined && names.includes(name)
  const foreign = [...Object.keys(node.bodies ?? {}).filter((name) => !isOurs(name)), ...Object.keys(node.parameters).filter((role) => !isOurs(role.split('.')[0]))]
  if (foreign.length > 0) throw new LstmError('UNSUPPORTED', `${label(node)}: graphs or weights that it has no use for: ${foreign.map((name) => `'${name}'`).join(', ')}`)
}

/** The same with its constants, which are weights of the node: `body.w` is the constant `w` of the graph `body`. */
function graphOf(node: GraphNode, context: Pick<InferenceContext, 'parameter'>, name: string): Graph {
  const prefix = `${name}.`
  const roles = Object.keys(node.parameters).filter((role) => role.startsWith(prefix))
  const constants = new Map(roles.map((role) => [role.slice(prefix.length), context.parameter(role) as ArrayLike]))
  return { ...bodyOf(node, name), constants }
}

/** What is known of an input of a graph inside a node: its shape, or its elements. */
export type InnerInput = SymbolicShape | ArrayLike

/** Types of all values of a graph inside a node, in which inputs that are known are constants; what is wrong in there is said of the node. */
export function typeInside(
  node: GraphNode, context: TypingContext, name: string, givenFor: (input: GraphInput, position: number) => InnerInput,
): TypedGraph {
  const { inputs, constants, ...graph } = graphOf(node, context, name)
  const given = inputs.map((input, position) => [input, givenFor(input, position)] as const)
  const isOpen = (known: InnerInput): known is SymbolicShape => !('data' in known)
  const shapes = new Map(given.flatMap(([input, known]) => (isOpen(known) ? [[input.name, known]] : [])))
  const known = given.flatMap(([input, elements]) => (isOpen(elements) ? [] : [[input.name, elements] as const]))
  try {
    return context.inner({ ...graph, inputs: inputs.filter((input) => shapes.has(input.name)), constants: new Map([...constants, ...known]) }, shapes)
  } catch (error) {
    if (!(error instanceof LstmError) || error.message.startsWith(label(node))) throw error
    throw new LstmError(error.code, `${label(node)}: in its graph '${name}': ${error.message}`, { cause: error })
  }
}

/** Whether all outputs have numbers for sizes. @throws LstmError `UNSUPPORTED` naming one that has not */
export function requireNumbers({ label: what }: Planner, { graph, types }: TypedGraph): void {
  for (const { value } of graph.outputs) {
    const { shape } = types.get(value) as ValueType
    if (!isNumeric(shape)) throw new LstmError('UNSUPPORTED', `${what}: its value '${value}' ${formatShape(shape)} has sizes that depend on elements that are known only when the model runs`)
  }
}

/** Whether an operator inside may refuse elements. */
export function mayRefuseInside({ bodies = {} }: GraphNode): boolean {
  return Object.values(bodies).some(({ nodes }) => nodes.some((node) => findOperator(node.op)?.mayRefuse !== undefined))
}

/** How many nodes a graph has, in words. */
export function nodesOf(...graphs: readonly (TypedGraph | undefined)[]): string {
  const counts = graphs.map((typed) => typed?.graph.nodes.length ?? 0)
  return `${counts.join(' or ')} ${counts.length === 1 && counts[0] === 1 ? 'node' : 'nodes'}`
}

/** Multiply-adds of one run of a graph inside. */
export function costInside(typed: TypedGraph | undefined): number {
  if (typed === undefined) return 0
  const { graph: { nodes, constants }, types, settings, sizes } = typed
  return nodes.reduce((sum, node) => {
    const named = (position: number): string => node.inputs[position] ?? ''
    const context: InferenceContext = {
      input: (position) => types.get(named(position)),
      value: (position) => constants.get(named(position)),
      parameter: (role) => constants.get(node.parameters[role] ?? ''),
      sizes: (position) => sizes.get(named(position)),
    }
    return sum + (findOperator(node.op)?.cost(node, context, settings.get(node)).multiplyAdds ?? 0)
  }, 0)
}

/** Where the inputs of a graph inside are when it runs, by position, and its outputs; whatever is known already is none of its inputs. */
export function innerSlots({ slot }: InnerPlan, { graph: { inputs, outputs } }: TypedGraph, names: readonly string[]): { inputs: Slot[], outputs: Slot[] } {
  const open = new Set(inputs.map(({ name }) => name))
  return { inputs: names.map((name) => (open.has(name) ? slot(name) : { ptr: 0 })), outputs: outputs.map(({ value }) => slot(value)) }
}

/** Runs a graph inside once. */
export function runInside({ steps }: InnerPlan): void {
  for (let n = 0; n < steps.length; n++) (steps[n] as () => void)()
}

/** Copies a value as a whole. */
export function copyValue({ kernels }: Planner, from: number, to: number, bytes: number): void {
  if (bytes > 0) kernels.copyRows(from, 0, to, 0, 1, bytes)
}
