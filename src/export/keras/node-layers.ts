import type { GraphNode, TypedGraph } from '../../ops/graph-data.ts'
import type { ArrayLike } from '../../values/ndarray.ts'
import { ExportedNode } from '../exported-node.ts'
import type { Names } from '../names.ts'
import { passedMask, type Masks } from './masks.ts'
import type { AttachedMask, KerasLayer, KerasOperation, KerasTensor } from './network.ts'

/** The model on its way: layers so far, and which tensor each value of ours is. */
export interface Network {
  readonly typed: TypedGraph
  readonly names: Names
  readonly layers: KerasLayer[]
  readonly tensors: Map<string, KerasTensor>
  /** States [layers x directions, batch, units], of which Keras has one tensor [batch, units] for each layer and direction. */
  readonly lifted: Map<string, readonly KerasTensor[]>
  readonly masks: Masks
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
  /** The mask that it is called with, as an argument. */
  readonly mask?: KerasTensor | undefined
  /** The mask that Keras attaches to its output. Default: what layers of its class make of the masks of their inputs. */
  readonly attached?: AttachedMask | undefined
}

/** What a function of keras.ops is besides its name and inputs. Default: of the module `numpy`, called with its inputs. */
type OperationFacts = Partial<KerasOperation> & Pick<LayerFacts, 'config' | 'takesList'>

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

  /** The tensor of an input. @throws LstmError `UNSUPPORTED` for a constant, and for sizes */
  tensor(position: number): KerasTensor {
    const tensor = this.network.tensors.get(this.node.inputs[position] as string)
    if (tensor === undefined && this.typed.sizes.has(this.node.inputs[position] ?? '') && this.value(position) === undefined) throw this.unsupported('sizes as elements')
    if (tensor === undefined) throw this.unsupported('a constant where Keras layers take a tensor')
    return tensor
  }

  /** Adds a layer, whose first output is returned. */
  add(className: string, inputs: readonly KerasTensor[], type: Pick<KerasTensor, 'dtype' | 'shape'>, facts: LayerFacts = {}): KerasTensor {
    const { config = {}, weights = {}, takesList = false, initialState = [], mask } = facts
    const name = this.network.names.unused(layerName(this.node.name))
    this.network.layers.push({ className, name, config, inputs, initialState, mask, takesList, weights })
    const attached = 'attached' in facts ? facts.attached : passedMask(className, inputs)
    return { layer: name, index: 0, dtype: type.dtype, shape: type.shape, ...attached !== undefined && { mask: attached } }
  }

  /** Adds a function of keras.ops: none of them knows masks. */
  operation(className: string, inputs: readonly KerasTensor[], type: Pick<KerasTensor, 'dtype' | 'shape'>, facts: OperationFacts = {}): KerasTensor {
    const { config = {}, takesList = false, module = 'numpy', args = takesList ? [] : inputs.map(() => undefined) } = facts
    const name = this.network.names.unused(layerName(this.node.name))
    this.network.layers.push({ className, name, config, inputs, initialState: [], takesList, weights: {}, operation: { module, args } })
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
