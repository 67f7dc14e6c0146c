// A loss alone: a graph of a prediction that is an input, with the gradient by it.
import { addCommonOperators } from '../../src/ops/common-operators.ts'
import { differentiate } from '../../src/gradients/differentiate.ts'
import { NodeBuilder } from '../../src/gradients/builder.ts'
import { GraphBuilder } from '../../src/graph/builder.ts'
import { Model } from '../../src/model/model.ts'
import { addOperators } from '../../src/ops/registry.ts'
import { allFamilies } from '../../src/gradients/late/all.ts'
import type { GraphNode } from '../../src/graph/graph.ts'
import type { TrainingRuntime } from '../../src/runtime/gradient-kernels.ts'
import { addLoss, type LossTarget } from '../../src/training/loss-graph.ts'
import type { Loss } from '../../src/training/descriptions/losses.ts'
import { NdArray, type ArrayLike } from '../../src/values/ndarray.ts'
import type { Shape } from '../../src/values/shape.ts'

addCommonOperators()
const { operators, rules } = allFamilies()
addOperators(operators)

export interface LossRun {
  readonly losses: Float32Array
  /** By the prediction, of the sum of weights times losses. */
  readonly gradient: Float32Array
}

export type LossTargets = Partial<Record<LossTarget['role'], ArrayLike>>

/** @param weights of the losses. Default: ones */
export function runLoss(runtime: TrainingRuntime, loss: Loss, prediction: ArrayLike, targets: LossTargets, weights?: Float32Array): LossRun {
  const builder = new GraphBuilder()
  builder.input({ name: 'x', dtype: 'float32', shape: prediction.shape })
  const build = new NodeBuilder(builder, 'loss/', [])
  const shape = targets.target?.shape ?? targets.labels?.shape ?? []
  const { losses, targets: inputs } = addLoss(loss, [], 'x', shape, build, 'training/', (input) => builder.input(input))
  builder.input({ name: 'weights', dtype: 'float32', shape: build.shapeOf(losses) })
  const typed = GraphBuilder.of(builder.finish([{ name: 'losses', value: losses }]))
  const { graph: { graph } } = differentiate(typed, { loss: losses, seed: 'weights', wanted: ['x'] }, rules)
  const model = new Model(runtime, graph)
  try {
    const given = Object.fromEntries(inputs.map(({ role, input }) => [input.name, new NdArray(targets[role]?.data as Int32Array, input.shape)]))
    const count = build.shapeOf(losses)
    const ones = weights ?? new Float32Array(count.reduce((product, size) => product * size, 1)).fill(1)
    const outputs = model.run({ x: prediction, weights: new NdArray(ones, count), ...given })
    return { losses: outputs.losses?.data as Float32Array, gradient: outputs['gradient of x']?.data as Float32Array }
  } finally {
    model.dispose()
  }
}

/** The operator of the loss that is added to a graph of these nodes over the input x, and what it is given. */
export function lossNodeOf(loss: Loss, nodes: readonly GraphNode[], prediction: string, xShape: Shape, targetShape: Shape): GraphNode[] {
  const builder = new GraphBuilder()
  builder.input({ name: 'x', dtype: 'float32', shape: xShape })
  for (const node of nodes) builder.add(node)
  const build = new NodeBuilder(builder, 'loss/', nodes.map(({ name }) => name))
  const { losses } = addLoss(loss, nodes, prediction, targetShape, build, 'training/', (input) => builder.input(input))
  return [...builder.finish([{ name: 'losses', value: losses }]).nodes]
}
