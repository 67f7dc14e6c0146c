// A batch through plans, in groups of rows: one after the other, or some at the same time where there are threads.
import type { Graph } from '../graph/graph.ts'
import { operatorOf } from '../graph/node.ts'
import type { PlannedValue } from '../plan/plan.ts'
import type { TrainingRuntime } from '../runtime/gradient-kernels.ts'
import type { Site } from '../runtime/threads/crew.ts'
import type { Lanes } from '../runtime/threads/lanes.ts'
import type { DataOf, DType } from '../values/dtype.ts'
import type { ArrayLike } from '../values/ndarray.ts'
import { lengthOf, type Shape } from '../values/shape.ts'
import { GradientSums, type Arena } from './arena.ts'
import { PlanCache, planBatch, type BatchPlan } from './batch-plan.ts'
import { shapesOfInputs } from './batch-sizes.ts'
import type { CarriedStates } from './carried-states.ts'
import { feedInputs, feedLosses, takeLosses } from './feeding.ts'
import type { OutputLoss } from './output-losses.ts'
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
export interface GroupedModel {
  readonly runtime: TrainingRuntime
  readonly graph: Graph
  /** Names of the constants that are parameters. */
  readonly trained: ReadonlySet<string>
  readonly losses: readonly OutputLoss[]
  readonly seed: number
  readonly arena: Arena
  readonly states: CarriedStates
  readonly outputs: RunOutputs
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
  readonly #plans: PlanCache
  readonly #sums: GradientSums
  /** Whether groups may run at the same time. */
  readonly #mayShare: boolean
  /** What is known of batches, by their sizes: where there are threads. */
  readonly #sites: Map<string, Site> = new Map()

  constructor(model: GroupedModel) {
    this.#model = model
    const { runtime, arena, graph, trained } = model
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
    const { runtime, losses } = this.#model
    const { targets, weights, rows, training } = batch
    const groups: Group[] = []
    for (let lane = 0; lane < count && begin + lane * size < rows; lane++) {
      const from = begin + lane * size
      const own = Math.min(size, rows - from)
      const plan = this.#planOf(batch, own, lane)
      this.#feed(plan, batch, from, own)
      if (targets !== undefined) feedLosses(runtime.linearMemory, plan, losses, { targets, weights }, from, own, rows)
      if (training) this.#sums.begin(plan, lane, from === 0)
      if (lane > 0) runtime.lanes?.record(lane, () => runPlan(plan))
      groups.push({ lane, plan, begin: from, size: own })
    }
    return groups
  }

  /** Inputs, parameters and states of a group. */
  #feed(plan: BatchPlan, { inputs, rows, step }: GroupedBatch, begin: number, size: number): void {
    const { runtime, graph, batchAxes, arena, states, seed } = this.#model
    feedInputs(runtime.linearMemory, plan, graph.inputs, batchAxes, inputs, begin, size, rows)
    if (plan.seed !== undefined) {
      const view = this.#view('int32', plan.seed, 3)
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
    const { runtime: { kernels, linearMemory }, states, outputs, isApart } = this.#model
    if (training) this.#sums.end(plan, lane, begin === 0)
    for (const [name, { slot, shape }] of plan.carried) {
      kernels.copyRows(slot.ptr, 0, states.addressOf(name, shape, begin, rows), 0, 1, 4 * lengthOf(shape))
    }
    for (const [name, output] of plan.outputs) outputs.take(name, output, begin, size, isApart ? rows : size)
    takeLosses(linearMemory, plan, losses, begin, size)
  }

  #view<T extends DType>(dtype: T, { slot }: PlannedValue, length: number): DataOf<T> {
    return this.#model.runtime.linearMemory.view(dtype, slot.ptr, length)
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
    const { runtime, graph, trained, losses, arena, batchAxes, isApart } = this.#model
    const { targets, training } = batch
    const ofGroup = isApart ? size : undefined
    const given = Object.fromEntries(Object.entries(batch.inputs).map(([name, { shape }]) => [name, shape]))
    const inputs = shapesOfInputs(graph.inputs, given, batchAxes, ofGroup)
    const targetShapes = targets?.map(({ target, labels }): Shape => {
      const { shape } = (target ?? labels) as ArrayLike
      return [ofGroup ?? shape[0] ?? 0, ...shape.slice(1)]
    })
    const key = JSON.stringify([lane, [...inputs.values()], targetShapes ?? null, training])
    return this.#plans.of(key, () => {
      const wanted = training ? arena.parameters.filter(({ trainable }) => trainable).map(({ input }) => input) : []
      return planBatch(runtime.ofLane(lane), graph, trained, losses, { inputs, targets: targetShapes, training, wanted })
    })
  }
}

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
