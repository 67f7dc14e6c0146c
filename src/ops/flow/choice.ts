import { LstmError } from '../../errors.ts'
import { bytesOf } from '../../values/dtype.ts'
import { formatShape, isNumeric, lengthOf, type Shape } from '../../values/shape.ts'
import type { GraphNode, TypedGraph, ValueType } from '../graph-data.ts'
import { integerOf } from '../node/attributes.ts'
import { anyInput, label } from '../node/checks.ts'
import { freshSize } from '../node/sizes.ts'
import type { InnerPrepared, Operator, Slot, TypingContext } from '../operator.ts'
import { bodyOf, checkBodies, copyValue, costInside, innerSlots, mayRefuseInside, nodesOf, requireNumbers, runInside, typeInside } from './body.ts'

type Branch = 'then' | 'else'
const BRANCHES: readonly Branch[] = ['then', 'else']

interface ChoiceSettings {
  /** How many of the inputs behind the condition are those of `then`. */
  readonly thenInputs: number
  readonly typed: Map<Branch, TypedGraph>
  /** The branch that is taken, once it is known. */
  taken: Branch | undefined
}

/**
 * One of two graphs, by a condition that follows from sizes (ONNX If): it is known when a plan is made.
 *
 * Inputs: the condition, one element; what `then` takes, what `else` takes. Outputs: those of the graph that is taken; both have as many, of
 * the same types and numbers of axes. Attributes: `thenInputs`, how many inputs are those of `then`.
 */
export const choice: Operator<ChoiceSettings, ReadonlyMap<Branch, InnerPrepared>> = {
  name: 'choice',
  mostInputs: Infinity,
  roles: 'own',
  attributes: ['thenInputs'],
  time: 'unknown',
  mayRefuse: mayRefuseInside,
  parse(node) {
    checkBodies(node, BRANCHES)
    const thenInputs = integerOf(node, 'thenInputs', undefined, 0)
    const counts = BRANCHES.map((branch) => bodyOf(node, branch).inputs.length) as [number, number]
    if (counts[0] !== thenInputs || counts[0] + counts[1] !== node.inputs.length - 1) {
      throw new LstmError('SHAPE', `${label(node)}: expected inputs for the condition and for branches that take ${counts.join(' and ')}, got ${node.inputs.length}, ${thenInputs} of them for 'then'`)
    }
    return { thenInputs, typed: new Map(), taken: undefined }
  },
  infer(node, context, settings) {
    const { dtype, shape } = anyInput(node, context, 0)
    if (isNumeric(shape) && lengthOf(shape) !== 1) throw new LstmError('SHAPE', `${label(node)}: expected a condition of one element, got ${dtype} ${formatShape(shape)}`)
    const condition = context.value(0)
    settings.taken = condition === undefined ? undefined : condition.data[0] === 0 ? 'else' : 'then'
    const types = BRANCHES.filter((branch) => settings.taken === undefined || branch === settings.taken).map((branch) => {
      const typed = typeBranch(node, context, settings, branch)
      settings.typed.set(branch, typed)
      return typed.graph.outputs.map(({ value }) => typed.types.get(value) as ValueType)
    })
    const [first, second = first] = types as [ValueType[], ValueType[]?]
    if (first.length !== second.length) throw new LstmError('FORMAT', `${label(node)}: expected branches with as many outputs, got ${first.length} and ${second.length}`)
    return first.map((type, n) => common(node, n, type, second[n] as ValueType))
  },
  // Of two that may be taken, the dearer one.
  cost: (_node, _context, { typed }) => ({ detail: nodesOf(...typed.values()), multiplyAdds: Math.max(...[...typed.values()].map(costInside)) }),
  prepare: (_node, packer, { typed }) => new Map([...typed].map(([branch, graph]) => [branch, packer.inner(graph)])),
  plan(node, planner, { taken, typed, thenInputs }, prepared) {
    if (taken === undefined) {
      throw new LstmError('UNSUPPORTED', `${planner.label}: which branch to take depends on elements that are known only when the model runs; where it follows from an input, fix that with the option 'constants'`)
    }
    const graph = typed.get(taken) as TypedGraph
    requireNumbers(planner, graph)
    const inner = planner.inner(graph, prepared.get(taken) as InnerPrepared)
    const first = taken === 'then' ? 1 : 1 + thenInputs
    const slots = innerSlots(inner, graph, bodyOf(node, taken).inputs.map(({ name }) => name))
    const inputs = slots.inputs.map((inside, n): [Slot, Slot] => [planner.input(first + n), inside])
    const outputs = graph.graph.outputs.flatMap(({ value }, n): [Slot, Slot, number][] => {
      if (!planner.hasOutput(n)) return []
      const { dtype, shape } = graph.types.get(value) as ValueType
      return [[slots.outputs[n] as Slot, planner.output(n), lengthOf(shape as Shape) * bytesOf(dtype)]]
    })
    planner.step(() => {
      for (let n = 0; n < inputs.length; n++) {
        const [outside, inside] = inputs[n] as [Slot, Slot]
        inside.ptr = outside.ptr
      }
      runInside(inner)
      for (let n = 0; n < outputs.length; n++) {
        const [from, to, bytes] = outputs[n] as [Slot, Slot, number]
        copyValue(planner, from.ptr, to.ptr, bytes)
      }
    }, inner.stepCount + 1)
  },
}

function typeBranch(node: GraphNode, context: TypingContext, { thenInputs }: ChoiceSettings, branch: Branch): TypedGraph {
  return typeInside(node, context, branch, ({ name, dtype: wanted }, n) => {
    const position = (branch === 'then' ? 1 : 1 + thenInputs) + n
    const { dtype, shape } = anyInput(node, context, position)
    if (dtype !== wanted) throw new LstmError('VALUE', `${label(node)}: expected ${wanted} for '${name}' of '${branch}', got ${dtype} ${formatShape(shape)}`)
    return context.value(position) ?? shape
  })
}

/** What an output is whichever branch is taken: sizes that differ have a name of their own. */
function common(node: GraphNode, n: number, a: ValueType, b: ValueType): ValueType {
  if (a.dtype !== b.dtype || a.shape.length !== b.shape.length) {
    throw new LstmError('UNSUPPORTED', `${label(node)}: its output ${n} is ${a.dtype} ${formatShape(a.shape)} in one branch and ${b.dtype} ${formatShape(b.shape)} in the other: they must have the same type and number of axes, unless the sizes that decide are numbers in the file`)
  }
  return { dtype: a.dtype, shape: a.shape.map((size, axis) => (size === b.shape[axis] ? size : freshSize(node, `${n}.${axis}`))) }
}
