import type { Graph } from '../graph/graph.ts'
import type { GraphNode } from '../ops/graph-data.ts'
import type { Operator } from '../ops/operator.ts'
import type { Lowerings } from './lowering.ts'
import type { GradientRules } from './rule.ts'

/** What stands around a node. */
export interface Surroundings {
  /** The nodes that make values, by these. */
  readonly makers: ReadonlyMap<string, GraphNode>
  readonly constants: Graph['constants']
}

/** What training knows of some operators of models, or of a loss. */
export interface GradientFamily {
  /** Operators that only training has: what lowerings and rules add. */
  readonly operators: readonly Operator[]
  readonly lowerings: Lowerings
  readonly rules: GradientRules
  /** The constants among the inputs of a node that are weights of a graph. Families that have this have the same. Default: none are. */
  readonly weightsOf?: ((node: GraphNode, around: Surroundings) => readonly string[]) | undefined
}

/** Several families as one. */
export function joinFamilies(families: readonly GradientFamily[]): GradientFamily {
  return {
    operators: families.flatMap(({ operators }) => operators),
    lowerings: Object.assign({}, ...families.map(({ lowerings }) => lowerings)) as Lowerings,
    rules: Object.assign({}, ...families.map(({ rules }) => rules)) as GradientRules,
    weightsOf: families.find(({ weightsOf }) => weightsOf !== undefined)?.weightsOf,
  }
}
