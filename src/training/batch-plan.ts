// The graph of one step for given sizes: lowered, with its loss, differentiated, and laid out in memory.
import { differentiate } from '../gradients/differentiate.ts'
import type { GradientFamily } from '../gradients/family.ts'
import { lowerGraph, type LoweredGraph } from '../gradients/lower-graph.ts'
import type { Graph } from '../graph/graph.ts'
import { typeGraph } from '../graph/infer.ts'
import type { TypedGraph } from '../ops/graph-data.ts'
import { makePlan, type Plan, type PlannedOutput, type PlannedValue } from '../plan/plan.ts'
import { prepareGraph } from '../plan/prepare.ts'
import { StateMemory } from '../plan/states.ts'
import type { TrainingRuntime } from '../runtime/gradient-kernels.ts'
import { lengthOf, type Shape } from '../values/shape.ts'
import { addLoss, type AddedLoss, type LossTarget } from './loss-graph.ts'
import type { OutputLoss } from './descriptions/output-losses.ts'

/** What is trained. */
export interface TrainedModel {
  /** As `typeGraph` gave it. */
  readonly graph: Graph
  /** Names of the constants that are parameters. */
  readonly trained: ReadonlySet<string>
  readonly losses: readonly OutputLoss[]
  /** What is known of its operators. */
  readonly gradients: GradientFamily
}

/** What a plan is made for. */
export interface BatchSizes {
  /** Shapes of the model's inputs. */
  readonly inputs: ReadonlyMap<string, Shape>
  /** Shapes of the targets of each loss; undefined where no loss is asked for. */
  readonly targets: readonly Shape[] | undefined
  /** Whether dropout drops, and batch normalisation takes the batch's own numbers. */
  readonly training: boolean
  /** Inputs whose gradients are wanted. */
  readonly wanted: readonly string[]
}

/** How names of inputs begin that losses need. */
const PREFIX = 'training/'
/** Name of the input with what each loss counts. */
const WEIGHTS = `${PREFIX}weights`

/** One of the losses in a plan. */
export interface PlannedLoss {
  readonly targets: readonly LossTarget[]
  /** How many losses there are: rows, or rows times timesteps. */
  readonly length: number
}

/** A plan of a step, and where everything of it is. */
export interface BatchPlan {
  readonly plan: Plan
  readonly inputs: ReadonlyMap<string, PlannedValue>
  readonly outputs: ReadonlyMap<string, PlannedOutput>
  /** All losses, one after the other, and what each counts; undefined where none is asked for. */
  readonly losses: PlannedOutput | undefined
  readonly weights: PlannedValue | undefined
  /** Where they come from. */
  readonly parts: readonly PlannedLoss[]
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
 * @throws LstmError for sizes that do not fit, `UNSUPPORTED` for what has no gradient, `MEMORY`
 */
export function planBatch(runtime: TrainingRuntime, model: TrainedModel, sizes: BatchSizes): BatchPlan {
  const { graph, trained, gradients: { lowerings, rules } } = model
  const lowered = lowerGraph(graph, sizes.inputs, lowerings, sizes.training, trained)
  const { builder, build } = lowered
  const outputs = new Map([...lowered.outputs].map(([name, value]) => [`output ${name}`, value]))
  const added = sizes.targets?.map((target, n) => addLossTo(lowered, model, n, target)) ?? []
  if (added.length > 0) {
    const [only, ...more] = added.map((one) => one.losses) as [string]
    const flat = (name: string): string => build.reshape(name, [lengthOf(build.shapeOf(name))])
    const all = more.length === 0 ? only : build.node('concat', [only, ...more].map(flat), { axis: 0 })
    outputs.set('losses', all)
    builder.input({ name: WEIGHTS, dtype: 'float32', shape: build.shapeOf(all) })
  }
  if (sizes.training) for (const [constant, value] of lowered.updates) outputs.set(`update ${constant}`, value)
  for (const [name, { value }] of lowered.states) if (value !== undefined) outputs.set(`state ${name}`, value)
  const forward = typeGraph(builder.finish([...outputs].map(([name, value]) => ({ name, value }))))
  let typed: TypedGraph = forward
  let gradients: ReadonlyMap<string, string | undefined> = new Map()
  if (sizes.wanted.length > 0) {
    const differentiated = differentiate(forward, { loss: outputs.get('losses') as string, seed: WEIGHTS, wanted: sizes.wanted }, rules)
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
    plan, inputs: inputOf, outputs: named('output '), losses: outputOf.get('losses'), weights: inputOf.get(WEIGHTS),
    parts: added.map((one) => ({ targets: one.targets, length: lengthOf(build.shapeOf(one.losses)) })),
    gradients: new Map([...gradients].flatMap(([input, value]) => (value === undefined ? [] : [[input, outputOf.get(`gradient of ${input}`) as PlannedOutput]]))),
    updates: named('update '), states: lowered.states, carried: named('state '), seed: lowered.seed === undefined ? undefined : inputOf.get(lowered.seed),
    dispose() {
      plan.dispose()
      prepared.dispose()
      states.clear()
    },
  }
}

/** The output that a loss compares with targets. */
export function comparedOf({ loss }: OutputLoss, { outputs }: Pick<Graph, 'outputs'>): string {
  return loss.output ?? (outputs[0] as { readonly name: string }).name
}

/** Adds the `n`th loss to a graph on its way. @throws LstmError see `addLoss` */
export function addLossTo(
  { builder, build, outputs }: Pick<LoweredGraph, 'builder' | 'build' | 'outputs'>, { graph, losses }: Pick<TrainedModel, 'graph' | 'losses'>, n: number,
  target: Shape,
): AddedLoss {
  const own = losses[n] as OutputLoss
  const prediction = outputs.get(comparedOf(own, graph)) as string
  const { nodes } = builder.finish([{ name: 'prediction', value: prediction }])
  return addLoss(own.loss, nodes, prediction, target, build, `${PREFIX}${n}/`, (input) => builder.input(input))
}

/** Plans that are kept: those of two batch sizes, of their last groups, with gradients and without. */
const KEPT_PLANS = 8

/** The plans that were used last, each with what it is for. */
export class PlanCache<Use> {
  readonly #plans: { readonly use: Use, readonly plan: BatchPlan }[] = []
  readonly #most: number

  /** @param lanes how many plans of one kind there may be */
  constructor(lanes: number) {
    this.#most = KEPT_PLANS * lanes
  }

  /** The plan for a use that `fits`, which is then the last one used; undefined where there is none. It allocates nothing. */
  find<Wanted>(fits: (use: Use, wanted: Wanted) => boolean, wanted: Wanted): BatchPlan | undefined {
    const plans = this.#plans
    for (let n = plans.length - 1; n >= 0; n--) {
      const found = plans[n] as typeof plans[number]
      if (!fits(found.use, wanted)) continue
      for (let later = n + 1; later < plans.length; later++) plans[later - 1] = plans[later] as typeof found
      plans[plans.length - 1] = found
      return found.plan
    }
    return undefined
  }

  /** Keeps a new plan, in the place of the one whose last use is longest ago. */
  add(use: Use, plan: BatchPlan): void {
    this.#plans.push({ use, plan })
    if (this.#plans.length > this.#most) this.#plans.shift()?.plan.dispose()
  }

  clear(): void {
    for (const { plan } of this.#plans.splice(0)) plan.dispose()
  }
}
