// A batch through plans, in groups of rows: one after the other, or some at the same time where there are threads.
import type { Graph } from '../graph/graph.ts'
import { operatorOf } from '../graph/node.ts'
import type { TrainingRuntime } from '../runtime/gradient-kernels.ts'
import type { Site } from '../runtime/threads/crew.ts'
import type { Lanes } from '../runtime/threads/lanes.ts'
import type { ArrayLike } from '../values/ndarray.ts'
import { lengthOf, type Shape } from '../values/shape.ts'
import { GradientSums, type Arena } from './arena.ts'
import { PlanCache, planBatch, type BatchPlan, type TrainedModel } from './batch-plan.ts'
import { areAlike, shapesOfInputs } from './batch-sizes.ts'
import type { CarriedStates } from './carried-states.ts'
import { feedInputs, feedLosses, takeLosses } from './feeding.ts'
import type { PlanViews } from './plan-views.ts'
import type { RunOutputs } from './run-outputs.ts'
import type { BatchInputs, BatchOptions, BatchTargets } from './trainable.ts'

/**
 * Rows that are taken at once: a fixed number, so that sums have one order whoever computes them. A batch of 128 in four groups is no slower, and takes a
 * quarter of the memory.
 */
const GROUP_ROWS = 32

/** Sizes of batches that are remembered. */
const MOST_SITES = 256

/** What is trained, and where it takes its numbers from. */
export interface GroupedModel extends TrainedModel {
  readonly runtime: TrainingRuntime
  readonly seed: number
  readonly arena: Arena
  readonly states: CarriedStates
  readonly outputs: RunOutputs
  readonly views: PlanViews
  /** Of each input, its axis that is the batch. */
  readonly batchAxes: ReadonlyMap<string, number>
  /** Whether rows of a batch know nothing of each other, so that they can be taken in groups. */
  readonly isApart: boolean
}

/** A batch, and what is wanted of it. */
export interface GroupedBatch extends BatchOptions {
  readonly inputs: BatchInputs
  /** Undefined where no loss is asked for. */
  readonly targets: readonly BatchTargets[] | undefined
  /** Takes the losses of all rows, of each loss. */
  readonly losses: readonly Float32Array[]
}

interface Group {
  readonly lane: number
  readonly plan: BatchPlan
  readonly begin: number
  readonly size: number
}

/** Plans of a model's steps, and how batches go through them. */
export class Groups {
  readonly #model: GroupedModel
  readonly #plans: PlanCache<PlanUse>
  readonly #wanted: WantedPlan
  readonly #sums: GradientSums
  /** Whether groups may run at the same time. */
  readonly #mayShare: boolean
  /** What is known of batches, by their sizes: where there are threads. */
  readonly #sites: Map<string, Site> = new Map()

  constructor(model: GroupedModel) {
    this.#model = model
    const { runtime, arena, graph, trained, isApart } = model
    this.#wanted = { batch: undefined, size: 0, lane: 0, firstAxis: isApart ? 1 : 0 }
    this.#mayShare = isShareable(graph, trained)
    this.#sums = new GradientSums(runtime, arena)
    this.#plans = new PlanCache(runtime.lanes?.most ?? 1)
  }

  /**
   * Runs a batch: gradients, states, outputs and losses are those of its rows then. Gives way between two kernels where it is due, unless it has states.
   * @throws LstmError for sizes that do not fit, elements that are refused, `MEMORY`; `ENVIRONMENT` where a thread does not go on
   */
  * run(batch: GroupedBatch, isDue: () => boolean): Generator<undefined, void> {
    const { runtime: { lanes }, isApart } = this.#model
    const { rows } = batch
    const size = isApart ? GROUP_ROWS : rows
    const taken = lanes !== undefined && rows > size && this.#mayShare ? lanes.begin(this.#siteOf(batch, lanes)) : 0
    const count = Math.max(1, taken)
    let pause = 0
    let isDone = false
    try {
      for (let begin = 0; begin < rows; begin += count * size) {
        const groups = this.#prepare(batch, begin, size, count)
        const [first] = groups as [Group]
        lanes?.offer(groups.length)
        for (const step of first.plan.plan.steps) {
          if (first.plan.states.size === 0 && isDue()) {
            const left = performance.now()
            yield
            pause += performance.now() - left
          }
          step()
        }
        lanes?.finish(groups.length, (lane) => runPlan((groups[lane] as Group).plan))
        for (const group of groups) this.#take(batch, group)
      }
      isDone = true
    } finally {
      if (taken > 0) lanes?.end(isDone ? pause : undefined)
    }
  }

  /** Plans are made anew: for other parameters that learn. */
  clearPlans(): void {
    this.#plans.clear()
  }

  dispose(): void {
    this.#plans.clear()
    this.#sums.dispose()
  }

  /** The groups from row `begin` on that run at the same time, fed; those of workers are written down. */
  #prepare(batch: GroupedBatch, begin: number, size: number, count: number): Group[] {
    const { runtime, losses, views } = this.#model
    const { targets, weights, rows, training } = batch
    const groups: Group[] = []
    for (let lane = 0; lane < count && begin + lane * size < rows; lane++) {
      const from = begin + lane * size
      const own = Math.min(size, rows - from)
      const plan = this.#planOf(batch, own, lane)
      this.#feed(plan, batch, from, own)
      if (targets !== undefined) feedLosses(views, plan, losses, { targets, weights }, from, own, rows)
      if (training) this.#sums.begin(plan, lane, from === 0)
      if (lane > 0) runtime.lanes?.record(lane, () => runPlan(plan))
      groups.push({ lane, plan, begin: from, size: own })
    }
    return groups
  }

  /** Inputs, parameters and states of a group. */
  #feed(plan: BatchPlan, { inputs, rows, step }: GroupedBatch, begin: number, size: number): void {
    const { views, graph, batchAxes, arena, states, seed } = this.#model
    feedInputs(views, plan, graph.inputs, batchAxes, inputs, begin, size, rows)
    if (plan.seed !== undefined) {
      const view = views.of(plan.seed)
      view[0] = seed
      view[1] = step
      view[2] = begin
    }
    for (const parameter of arena.parameters) {
      const value = plan.inputs.get(parameter.input)
      if (value !== undefined) value.slot.ptr = arena.addressOf(parameter, arena.valuesPtr)
    }
    for (const [name, { input, shape }] of plan.states) {
      const value = plan.inputs.get(input)
      if (value !== undefined) value.slot.ptr = states.addressOf(name, shape, begin, rows)
    }
  }

  /** Takes what came out of a group. */
  #take({ rows, training, losses }: GroupedBatch, { plan, lane, begin, size }: Group): void {
    const { runtime: { kernels }, views, states, outputs, isApart } = this.#model
    if (training) this.#sums.end(plan, lane, begin === 0)
    for (const [name, { slot, shape }] of plan.carried) {
      kernels.copyRows(slot.ptr, 0, states.addressOf(name, shape, begin, rows), 0, 1, 4 * lengthOf(shape))
    }
    for (const [name, output] of plan.outputs) outputs.take(name, output, begin, size, isApart ? rows : size)
    takeLosses(views, plan, losses, begin, size)
  }

  #siteOf({ inputs, training, rows }: GroupedBatch, lanes: Lanes): Site {
    const key = JSON.stringify([rows, training, Object.values(inputs).map(({ shape }) => shape)])
    let site = this.#sites.get(key)
    if (site === undefined) {
      if (this.#sites.size >= MOST_SITES) this.#sites.clear()
      site = lanes.site()
      this.#sites.set(key, site)
    }
    return site
  }

  /** The plan of a lane for these sizes: one that is there, or a new one. */
  #planOf(batch: GroupedBatch, size: number, lane: number): BatchPlan {
    const { runtime, graph, arena, batchAxes, isApart } = this.#model
    const wanted = this.#wanted
    wanted.batch = batch
    wanted.size = size
    wanted.lane = lane
    const known = this.#plans.find(fitsPlan, wanted)
    wanted.batch = undefined // the caller's arrays are not kept
    if (known !== undefined) return known
    const { training } = batch
    const ofGroup = isApart ? size : undefined
    const given = Object.fromEntries(Object.entries(batch.inputs).map(([name, { shape }]) => [name, shape]))
    const inputs = shapesOfInputs(graph.inputs, given, batchAxes, ofGroup)
    const targets = batch.targets?.map((target): Shape => {
      const { shape } = comparedTarget(target)
      return [ofGroup ?? shape[0] ?? 0, ...shape.slice(1)]
    })
    const learning = training ? arena.parameters.filter(({ trainable }) => trainable).map(({ input }) => input) : []
    const plan = planBatch(runtime.ofLane(lane), this.#model, { inputs, targets, training, wanted: learning })
    this.#plans.add({ lane, size, training, inputs: given, targets: batch.targets?.map((target) => comparedTarget(target).shape) }, plan)
    return plan
  }
}

/** What a plan was made for: a group of so many rows of a batch of these shapes. */
interface PlanUse {
  readonly lane: number
  readonly size: number
  readonly training: boolean
  readonly inputs: Readonly<Record<string, Shape>>
  readonly targets: readonly Shape[] | undefined
}

/** What a plan is looked for with: one record for all that come, for a step allocates little. */
interface WantedPlan {
  batch: GroupedBatch | undefined
  size: number
  lane: number
  /** The first axis that must be the same: groups are of batches of any number of rows. */
  readonly firstAxis: number
}

function fitsPlan(use: PlanUse, { batch, size, lane, firstAxis }: WantedPlan): boolean {
  const { inputs, targets, training } = batch as GroupedBatch
  if (use.lane !== lane || use.size !== size || use.training !== training || use.targets?.length !== targets?.length) return false
  for (const name in use.inputs) if (!areAlike(use.inputs[name] as Shape, inputs[name]?.shape, firstAxis)) return false
  for (const name in inputs) if (use.inputs[name] === undefined) return false
  for (let n = 0; targets !== undefined && n < targets.length; n++) {
    if (!areAlike(use.targets?.[n] as Shape, comparedTarget(targets[n] as BatchTargets).shape, firstAxis)) return false
  }
  return true
}

/** The one of the targets whose shape tells those of the others. */
const comparedTarget = ({ target, labels }: BatchTargets): ArrayLike => (target ?? labels) as ArrayLike

function runPlan({ plan: { steps } }: BatchPlan): void {
  for (let n = 0; n < steps.length; n++) (steps[n] as () => void)()
}

/**
 * Whether groups may run at the same time. Numbers that JavaScript draws it draws in the order of the groups. And a matrix of weights takes on the bias of
 * the node that it is used by: where several use it, each finds its own there only as long as nobody else is at work.
 */
function isShareable({ nodes }: Graph, trained: ReadonlySet<string>): boolean {
  const used = nodes.flatMap(({ inputs, parameters = {} }) => [...new Set([...inputs, ...Object.values(parameters)])].filter((name) => trained.has(name)))
  return new Set(used).size === used.length && !nodes.some((node) => operatorOf(node).draws)
}
