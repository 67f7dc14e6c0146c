import type { GraphNode, TypedGraph, ValueType } from '../../ops/graph-data.ts'
import type { ArrayLike } from '../../values/ndarray.ts'
import { ExportedNode } from '../exported-node.ts'
import type { Names } from '../names.ts'
import type { KerasLayer, KerasTensor } from './network.ts'

/** The model on its way: layers so far, and which tensor each value of ours is. */
export interface Network {
  readonly typed: TypedGraph
  readonly names: Names
  readonly layers: KerasLayer[]
  readonly tensors: Map<string, KerasTensor>
  /** States [layers x directions, batch, units], of which Keras has one tensor [batch, units] for each layer and direction. */
  readonly lifted: Map<string, readonly KerasTensor[]>
  /** How many nodes and outputs read a value. */
  readonly uses: ReadonlyMap<string, number>
}

/** What a layer is besides its name and inputs. */
export interface LayerFacts {
  readonly config?: Readonly<Record<string, unknown>>
  readonly weights?: KerasLayer['weights']
  readonly takesList?: boolean
  /** First states of a recurrent layer. */
  readonly initialState?: readonly KerasTensor[]
}

/** A node of ours on its way to layers. */
export class NodeLayers<Settings = unknown> extends ExportedNode<Settings> {
  readonly network: Network

  constructor(node: GraphNode, network: Network) {
    super(node, network.typed)
    this.network = network
  }

  /** Whether anybody reads an output. */
  override isNeeded(position: number): boolean {
    return (this.network.uses.get(this.node.outputs[position] ?? '') ?? 0) > 0
  }

  /** An input that is a constant. @throws LstmError `UNSUPPORTED` where it is computed */
  fixed(position: number, what: string): ArrayLike {
    const value = this.value(position)
    if (value === undefined) throw this.unsupported(`${what} that is computed`)
    return value
  }

  /** The tensor of an input. @throws LstmError `UNSUPPORTED` for a constant */
  tensor(position: number): KerasTensor {
    const tensor = this.network.tensors.get(this.node.inputs[position] as string)
    if (tensor === undefined) throw this.unsupported('a constant where Keras layers take a tensor')
    return tensor
  }

  /** Adds a layer, whose first output is returned. */
  add(className: string, inputs: readonly KerasTensor[], type: ValueType, facts: LayerFacts = {}): KerasTensor {
    const { config = {}, weights = {}, takesList = false, initialState = [] } = facts
    const name = this.network.names.unused(layerName(this.node.name))
    this.network.layers.push({ className, name, config, inputs, initialState, takesList, weights })
    return { layer: name, index: 0, dtype: type.dtype, shape: type.shape }
  }

  /** The states that an input is, one for each layer and direction; undefined for what is none. */
  lifted(position: number): readonly KerasTensor[] | undefined {
    return this.network.lifted.get(this.node.inputs[position] ?? '')
  }

  /** The output is states, one for each layer and direction. */
  lift(tensors: readonly KerasTensor[], position: number = 0): void {
    const value = this.node.outputs[position] ?? ''
    if (value !== '') this.network.lifted.set(value, tensors)
  }

  /** The output of this node. */
  give(tensor: KerasTensor, position: number = 0): void {
    const value = this.node.outputs[position] ?? ''
    if (value !== '') this.network.tensors.set(value, tensor)
  }

  /** Adds a layer of the first input that makes the output of this node. */
  only(className: string, facts: LayerFacts = {}): void {
    this.give(this.add(className, [this.tensor(0)], this.outputType, facts))
  }
}

/** A name that Keras takes for a layer. */
export function layerName(name: string): string {
  return name.replace(/[^\w-]+/g, '_').replace(/^_+/, '') || 'layer'
}

/** Adds what stands for a node of ours. */
export type LayerWriter<Settings = unknown> = (c: NodeLayers<Settings>) => void
