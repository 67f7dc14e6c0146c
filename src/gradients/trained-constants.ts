// Which constants of a model learn: its weights.
import { LstmError } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import type { GradientFamily } from './family.ts'

/**
 * Names of the constants that are trained: weights of nodes, and float32 ones that flow in where weights do, but no scalars: the
 * bias of one unit has an axis.
 * @param gradients say which inputs of nodes are weights
 * @param more names of other ones that are trained too, or of nodes whose constants are
 * @throws LstmError `VALUE` for one of these that is none
 */
export function trainedNames({ nodes, constants }: Graph, { weightsOf }: Pick<GradientFamily, 'weightsOf'>, more: readonly string[] = []): Set<string> {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)))
  const isArray = (name: string): boolean => {
    const constant = constants.get(name)
    return constant?.dtype === 'float32' && constant.shape.length > 0
  }
  const names = new Set(nodes.flatMap((node) => [...Object.values(node.parameters), ...(weightsOf?.(node, { makers, constants }) ?? []).filter(isArray)]))
  for (const name of more) {
    const node = nodes.find((candidate) => candidate.name === name)
    const found = node === undefined ? [name] : [...Object.values(node.parameters), ...node.inputs]
    const own = found.filter((candidate) => names.has(candidate) || constants.get(candidate)?.dtype === 'float32')
    if (own.length === 0) throw new LstmError('VALUE', `trainable: no float32 constant '${name}', and no layer that has one`)
    for (const constant of own) names.add(constant)
  }
  return names
}
