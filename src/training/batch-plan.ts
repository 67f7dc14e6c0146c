// The graph of one step for given sizes: lowered, with its loss, differentiated, and laid out in memory.
import { differentiate } from '../gradients/differentiate.ts'
import { lowerGraph, type LoweredGraph } from '../gradients/lower-graph.ts'
import type { Graph } from '../graph/graph.ts'
import { typeGraph } from '../graph/infer.ts'
import type { TypedGraph } from '../ops/graph-data.ts'
import { makePlan, type Plan, type PlannedOutput, type PlannedValue } from '../plan/plan.ts'
import { prepareGraph } from '../plan/prepare.ts'
import { StateMemory } from '../plan/states.ts'
import type { TrainingRuntime } from '../runtime/gradient-kernels.ts'
import type { Shape } from '../values/shape.ts'
import { GRADIENT_RULES, LOWERINGS } from './operators.ts'
import { addLoss, type LossTarget } from './loss-graph.ts'
import type { Loss } from './losses.ts'

/** What a plan is made for. */
export interface BatchSizes {
  /** Shapes of the model's inputs. */
  readonly inputs: ReadonlyMap<string, Shape>
  /** Shape of the targets; undefined where no loss is asked for. */
  readonly target: Shape | undefined
  /** Whether dropout drops, and batch normalisation takes the batch's own numbers. */
  readonly training: boolean
  /** Inputs whose gradients are wanted. */
  readonly wanted: readonly string[]
}

/** Name of the input with what each loss counts. */
const WEIGHTS = 'training/weights'

/** A plan of a step, and where everything of it is. */
export interface BatchPlan {
  readonly plan: Plan
  readonly inputs: ReadonlyMap<string, PlannedValue>
  readonly outputs: ReadonlyMap<string, PlannedOutput>
  readonly losses: PlannedOutput | undefined
  readonly weights: PlannedValue | undefined
  readonly targets: readonly LossTarget[]
  /** By name of the input. */
  readonly gradients: ReadonlyMap<string, PlannedOutput>
  /** By name of the constant. */
  readonly updates: ReadonlyMap<string, PlannedOutput>
  readonly states: LoweredGraph['states']
  /** Values of states after the step, by their names. */
  readonly carried: ReadonlyMap<string, PlannedOutput>
  readonly seed: PlannedValue | undefined
  dispose(): void
}

/**
 * Makes the plan of a step.
 * @param graph as `typeGraph` gave it
 * @throws LstmError for sizes that do not fit, `UNSUPPORTED` for what has no gradient, `MEMORY`
 */
export function planBatch(runtime: TrainingRuntime, graph: Graph, loss: Loss, sizes: BatchSizes): BatchPlan {
  const lowered = lowerGraph(graph, sizes.inputs, LOWERINGS, sizes.training)
  const { builder, build } = lowered
  const outputs = new Map([...lowered.outputs].map(([name, value]) => [`output ${name}`, value]))
  let targets: readonly LossTarget[] = []
  if (sizes.target !== undefined) {
    const prediction = lowered.outputs.get(loss.output ?? (graph.outputs[0] as { readonly name: string }).name) as string
    const { nodes } = builder.finish([{ name: 'prediction', value: prediction }])
    const added = addLoss(loss, nodes, prediction, sizes.target, build, (input) => builder.input(input))
    targets = added.targets
    outputs.set('losses', added.losses)
    builder.input({ name: WEIGHTS, dtype: 'float32', shape: build.shapeOf(added.losses) })
  }
  if (sizes.training) for (const [constant, value] of lowered.updates) outputs.set(`update ${constant}`, value)
  for (const [name, { value }] of lowered.states) if (value !== undefined) outputs.set(`state ${name}`, value)
  const forward = typeGraph(builder.finish([...outputs].map(([name, value]) => ({ name, value }))))
  let typed: TypedGraph = forward
  let gradients: ReadonlyMap<string, string | undefined> = new Map()
  if (sizes.wanted.length > 0) {
    const differentiated = differentiate(forward, { loss: outputs.get('losses') as string, seed: WEIGHTS, wanted: sizes.wanted }, GRADIENT_RULES)
    typed = differentiated.graph
    gradients = differentiated.gradients
  }
  const states = new StateMemory(runtime)
  const prepared = prepareGraph(runtime, typed)
  let plan: Plan
  try {
    plan = makePlan(runtime, prepared, new Map(typed.graph.inputs.map(({ name, shape }) => [name, shape as Shape])), states)
  } catch (error) {
    prepared.dispose()
    throw error
  }
  const inputOf = new Map(typed.graph.inputs.map(({ name }, n) => [name, plan.inputs[n] as PlannedValue]))
  const outputOf = new Map(typed.graph.outputs.map(({ name }, n) => [name, plan.outputs[n] as PlannedOutput]))
  const named = (prefix: string): Map<string, PlannedOutput> => new Map([...outputOf].flatMap(([name, output]) => (
    name.startsWith(prefix) ? [[name.slice(prefix.length), output] as const] : []
  )))
  return {
    plan, inputs: inputOf, outputs: named('output '), losses: outputOf.get('losses'), weights: inputOf.get(WEIGHTS), targets,
    gradients: new Map([...gradients].flatMap(([input, value]) => (value === undefined ? [] : [[input, outputOf.get(`gradient of ${input}`) as PlannedOutput]]))),
    updates: named('update '), states: lowered.states, carried: named('state '), seed: lowered.seed === undefined ? undefined : inputOf.get(lowered.seed),
    dispose() {
      plan.dispose()
      prepared.dispose()
      states.clear()
    },
  }
}

/** Plans that are kept: those of two batch sizes, of their last groups, with gradients and without. */
const KEPT_PLANS = 8

/** The plans that were used last. */
export class PlanCache {
  readonly #plans: Map<string, BatchPlan> = new Map()

  /** The plan of a key: one that is there, or a new one. */
  of(key: string, make: () => BatchPlan): BatchPlan {
    const plan = this.#plans.get(key) ?? make()
    this.#plans.delete(key)
    this.#plans.set(key, plan)
    for (const [oldest, old] of this.#plans) {
      if (this.#plans.size <= KEPT_PLANS) break
      old.dispose()
      this.#plans.delete(oldest)
    }
    return plan
  }

  clear(): void {
    for (const plan of this.#plans.values()) plan.dispose()
    this.#plans.clear()
  }
}
