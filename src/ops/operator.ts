import type { Kernels, Sharing } from '../runtime/kernels.ts'
import type { LinearMemory } from '../runtime/memory.ts'
import type { DataOf, DType } from '../values/dtype.ts'
import type { ArrayLike, NdArray } from '../values/ndarray.ts'
import type { Pointer, RecordFields, RecordPointer, RecordValues } from '../values/record.ts'
import type { Shape, SymbolicShape } from '../values/shape.ts'
import type { Graph, GraphNode, TypedGraph, ValueType } from './graph-data.ts'
import type { TimeRule } from './time/timing.ts'

/** Types of the outputs of a node: there is one at least. */
export type OutputTypes = readonly [ValueType, ...ValueType[]]

/** What an operator may look at when it infers types. */
export interface InferenceContext {
  /** The input at `position`, or undefined where it is absent. */
  readonly input: (position: number) => ValueType | undefined
  /** The elements of the input at `position` where they are known already, or undefined. */
  readonly value: (position: number) => ArrayLike | undefined
  /** The weight the operator calls `role`, or undefined where the node has none. */
  readonly parameter: (role: string) => ArrayLike | undefined
  /** The elements of an int32 input as sizes, row by row: numbers, or names of sizes that are known at run time; undefined where they are neither. */
  readonly sizes: (position: number) => SymbolicShape | undefined
}

/** What an operator may look at besides that, when it infers types. */
export interface TypingContext extends InferenceContext {
  /** Types of all values of a graph inside the node, with these shapes of its inputs. @throws LstmError as for any graph */
  inner(graph: Graph, shapes: ReadonlyMap<string, SymbolicShape>): TypedGraph
}

/** A graph inside a node, its weights packed. */
export interface InnerPrepared {
  readonly prepared: ReadonlyMap<GraphNode, unknown>
  readonly constants: ReadonlyMap<string, number>
}

/** A graph inside a node, laid out: whoever runs it sets where its inputs are, and takes its outputs from where they are then. */
export interface InnerPlan {
  /** Where an input or output is, by the name of its value. */
  readonly slot: (name: string) => Slot
  readonly steps: readonly (() => void)[]
  /** How many steps that is, those of graphs inside it included. */
  readonly stepCount: number
}

/** A buffer of a plan: where a value lives. `ptr` is set before the steps run, and may change from run to run. */
export interface Slot {
  ptr: Pointer
}

/** Where a record is. */
export interface RecordSlot<Fields extends RecordFields> {
  readonly ptr: RecordPointer<Fields>
}

/** What an operator gets to make its weights ready, once a model. */
export interface Packer {
  readonly kernels: Kernels
  /** The elements of an input that is a constant. */
  readonly value: (position: number) => ArrayLike | undefined
  readonly parameter: (role: string) => ArrayLike | undefined
  /** A block of linear memory that lives as long as the model. */
  readonly allocate: (bytes: number) => number
  /** Copies data into a block that lives as long as the model. */
  place(data: DataOf | Int8Array): number
  /** Copies a parameter into memory that is freed when `prepare` returns; 0 for an absent one. */
  readonly upload: (role: string) => number
  /** The same of an input that is a constant. It is packed then: `plan` must not ask for it. */
  uploadInput(position: number): number
  /** The same of an array, which is part of a parameter or of an input: of weights of 8 bits; and of a record. */
  readonly uploadData: (data: Int8Array | Float32Array | Uint8Array) => number
  /** The input at that position is packed: `plan` must not ask for it. */
  take(position: number): void
  /** Packs the weights of a graph inside the node. */
  inner(graph: TypedGraph): InnerPrepared
}

/** What an operator gets to plan its kernel calls for given sizes. */
export interface Planner {
  readonly kernels: Kernels
  /** For steps that write elements themselves. A view is good while `generation` is the same. */
  readonly linearMemory: Pick<LinearMemory, 'generation' | 'view'>
  dtypeOf(position: number): DType
  shapeOf(position: number): Shape
  outputShape(position: number): Shape
  /** The elements of an input that is a constant. */
  readonly value: (position: number) => ArrayLike | undefined
  readonly parameter: (role: string) => ArrayLike | undefined
  hasInput(position: number): boolean
  hasOutput(position: number): boolean
  input(position: number): Slot
  output(position: number): Slot
  /** How messages call the node. */
  readonly label: string
  /** A buffer [outer, rows, rowBytes] that is kept from run to run, zeros at first; rows belong to batch rows. */
  state(name: string, outer: number, rows: number, rowBytes: number): Slot
  /** Whether every run of the plan goes on where the one before ended: a stream. */
  readonly streaming: boolean
  /** Where there are threads. */
  readonly sharing: Sharing | undefined
  /** Appends a step that runs after all other steps of this node. */
  finally(run: () => void): void
  /** A buffer that lives while this node runs. */
  workspace(bytes: number): Slot
  /** A buffer with these numbers, written once, when the plan is placed in memory. */
  constant(data: DataOf): Slot
  /**
   * The same with a record that a kernel takes: the numbers of its call that stay as they are from run to run. What moves, the slots, are
   * arguments beside it. See docs/adding-a-kernel.md.
   * @param tail i32s that follow the fields
   */
  record<Fields extends RecordFields>(fields: Fields, values: RecordValues<Fields>, tail?: readonly number[]): RecordSlot<Fields>
  /** A value of this node is the same memory as its input: nothing to compute. */
  alias(outputPosition: number, inputPosition: number): void
  /**
   * Appends a step; runs in order, and must not allocate.
   * @param count how many steps it is worth. Default 1
   */
  step(run: () => void, count?: number): void
  /** Lays out a graph inside the node. @param graph with numbers for sizes, as `infer` typed it for this plan */
  inner(graph: TypedGraph, prepared: InnerPrepared): InnerPlan
}

/** One row of `summary()`: what an operator costs. */
export interface OperatorCost {
  /** A few words on the settings: `64 units, bidirectional`. */
  readonly detail: string
  /** Multiply-adds for one batch row and one timestep (for one row, where there are no timesteps). */
  readonly multiplyAdds: number
}

/** A weight that can be of 8 bits, with a scale for each index along an axis. */
export interface NarrowWeight {
  /** Name of its constant. */
  readonly constant: string
  /** That of the outputs. */
  readonly axis: number
  /**
   * How it is multiplied then: as `'int8'`; as `'float32'`, which it is widened to when a model is made; or as `'either'`, where 8 bits cost
   * so much that they are asked for.
   */
  readonly products: 'int8' | 'float32' | 'either'
}

/** What a stream looks at before it runs anything: the elements of an input must be whole numbers in these bounds. */
export interface IndexBounds {
  /** Position of the input. */
  readonly input: number
  readonly least: number
  readonly most: number
}

/**
 * States of a recurrent layer, h first. Positions follow from their number: state n is input 1 + n and output 1 + n; the mask is
 * input 1 + states.length, the lengths input 2 + states.length. Attributes are called alike: `timeMajor`, `hiddenSize`, `stateful`.
 */
export interface RecurrentFacts<Settings = unknown> {
  /** Their names: `h`, `c`. */
  readonly states: readonly string[]
  /** A sentence above the lines of `arithmetic`. */
  readonly gates: string
  /** How the number of parameters comes about, a line for each layer and direction. */
  arithmetic(node: GraphNode, context: InferenceContext, settings: Settings): string[]
}

/**
 * An operator, with all that is known of it.
 * `Settings` is what `parse` makes of a node's attributes, once; each function gets it as its third argument.
 * `Prepared` is what `prepare` makes of its weights.
 */
export interface Operator<Settings = unknown, Prepared = unknown> {
  readonly name: string
  /**
   * Operators of ONNX that become this one. Inputs, outputs and attributes are the same (theirs in snake_case), unless
   * src/formats/onnx/operators.ts has a converter for this operator.
   */
  readonly onnx?: string | readonly string[] | undefined
  /** How many inputs it takes at most: further ones are refused. */
  readonly mostInputs: number
  /** Names of the weights it may have; others are refused. Default: none; `'own'` where `infer` checks them itself. */
  readonly roles?: readonly string[] | 'own'
  /** Names of the attributes it knows: any other one in a file is refused, not ignored. */
  readonly attributes: readonly string[]
  /**
   * What it does to timesteps; streams run step by step what keeps them apart.
   * - `'pointwise'`: each element of the output follows from the elements at its place, where inputs broadcast;
   * - `'unknown'`: nothing is known, so that streams refuse it where timesteps come to it;
   * - a rule: where the timesteps of the outputs lie, or why it cannot be run step by step.
   */
  readonly time: 'pointwise' | 'unknown' | TimeRule<Settings>
  /** Zeros in front of the timesteps that a pad put there: `'kept'` in front, or `'used'`, which its time rule sees to. Default: refused. */
  readonly padding?: 'kept' | 'used'
  /** Its output is zeros where its first input is zeros, whatever the other inputs are. */
  readonly carriesZeros?: boolean
  /** A layer with states that are kept from step to step. */
  readonly recurrent?: RecurrentFacts<Settings>
  /** The attributes, checked. @throws LstmError for values that are not accepted */
  parse?(node: GraphNode): Settings
  /**
   * Types of the outputs. Sizes may be symbolic; the same code runs with numbers when a plan is made.
   * @throws LstmError when the inputs, weights or attributes do not fit
   */
  infer(node: GraphNode, context: TypingContext, settings: Settings): readonly ValueType[]
  cost(node: GraphNode, context: InferenceContext, settings: Settings): OperatorCost
  /**
   * The outputs, where they follow from what is known before run time (constant inputs, or just
   * their shapes); undefined where they do not. Plain JavaScript: it runs where no WebAssembly is.
   * @param types what `infer` said
   */
  evaluate?(node: GraphNode, context: InferenceContext, settings: Settings, types: OutputTypes): readonly NdArray[] | undefined
  /**
   * The elements of its outputs as sizes, numbers and names, so that shapes are computed with before they are numbers. Default: unknown.
   * @param types what `infer` said
   */
  sizes?(node: GraphNode, context: InferenceContext, settings: Settings, types: OutputTypes): readonly (SymbolicShape | undefined)[] | undefined
  /** Its weights that can be of 8 bits. Default: none. */
  narrowWeights?(node: GraphNode, context: Pick<InferenceContext, 'value'>, settings: Settings): readonly NarrowWeight[]
  /** Positions of the inputs that it takes as sizes, not as numbers to compute with. */
  readonly takesSizes?: readonly number[]
  /** Its outputs are others in each run. Streams refuse it. */
  readonly draws?: boolean
  /** Whether a step of this node may throw for elements of its inputs: a run may then end halfway. Default: never. */
  mayRefuse?(node: GraphNode, context: InferenceContext): boolean
  /** The elements that are never refused, where that is known before the run: streams look at them first. */
  indexBounds?(node: GraphNode, context: InferenceContext, settings: Settings): IndexBounds | undefined
  /** Packs the weights. */
  prepare?(node: GraphNode, packer: Packer, settings: Settings): Prepared
  /** Binds the kernel calls. */
  plan(node: GraphNode, planner: Planner, settings: Settings, prepared: Prepared): void
}
