// Masks as Keras has them: made by Embedding and Masking, passed on by layers that are asked for nothing, or an argument of a layer.
import type { GraphNode, TypedGraph } from '../../ops/graph-data.ts'
import { RECURRENT, type RecurrentOp } from '../../ops/recurrent/kinds.ts'
import { lengthOf } from '../../values/shape.ts'
import type { AttachedMask, KerasTensor } from './network.ts'

/** Layers whose output has the mask of their input, in all versions of Keras 3. */
const PASSING: ReadonlySet<string> = new Set(['Activation', 'BatchNormalization', 'Dense', 'Dropout', 'ELU', 'LayerNormalization', 'LeakyReLU', 'ReLU'])

/**
 * The mask that Keras attaches to the output of a layer which makes none itself. Tensors with masks are merged by functions of keras.ops: layers would compute
 * a mask of theirs, in functions that count where Keras tells layers of a class apart by their depth.
 */
export function passedMask(className: string, inputs: readonly KerasTensor[]): AttachedMask | undefined {
  const mask = inputs[0]?.mask
  if (mask === undefined || PASSING.has(className)) return mask
  return className === 'Rescaling' ? { ...mask, isSure: false } : undefined
}

/** Which masks a graph has, whichever nodes they go through on their way. */
export class Masks {
  readonly #typed: TypedGraph
  readonly #makers: ReadonlyMap<string, GraphNode>
  /** Those that recurrent layers take. */
  readonly #wanted: ReadonlySet<string>

  constructor(typed: TypedGraph) {
    this.#typed = typed
    this.#makers = new Map(typed.graph.nodes.flatMap((node) => node.outputs.map((value) => [value, node])))
    this.#wanted = new Set(typed.graph.nodes.flatMap((node): string[] => {
      const mask = node.op in RECURRENT ? node.inputs[1 + RECURRENT[node.op as RecurrentOp].states.length] ?? '' : ''
      return mask === '' ? [] : [this.keyOf(mask)]
    }))
  }

  /** What a mask comes from: two masks with one key are the same at every step. */
  keyOf(mask: string): string {
    const value = this.#source(mask, ({ op }) => op === 'cast' || op === 'squeeze' || op === 'identity')
    const indices = this.#indicesOf(value)
    return indices === undefined ? value : indicesKey(indices)
  }

  /** The mask that an embedding of these indices makes with `mask_zero`, where a layer takes it, and the indices are an input. */
  ofIndices(indices: string): AttachedMask | undefined {
    const source = this.#source(indices, isSameIndices)
    const key = indicesKey(source)
    return this.#isInput(source) && this.#wanted.has(key) ? { key, isSure: true } : undefined
  }

  /** What Masking makes of a product x * any(x != value) where x is an input: undefined for any other node. */
  ofProduct({ inputs }: GraphNode): { readonly value: number, readonly mask: AttachedMask } | undefined {
    const [x = '', any = ''] = inputs
    const most = this.#maker(any, 'reduceMax')
    const axes = this.#typed.graph.constants.get(most?.inputs[1] ?? '')
    const rank = this.#typed.types.get(x)?.shape.length ?? 0
    const isLast = axes?.data.length === 1 && (axes.data[0] === -1 || axes.data[0] === rank - 1) && Number(most?.attributes.keepdims ?? 1) !== 0
    const equal = this.#maker(this.#maker(this.#source(most?.inputs[0] ?? '', ({ op }) => op === 'cast'), 'not')?.inputs[0] ?? '', 'equal')
    const value = this.#typed.graph.constants.get(equal?.inputs[1] ?? '')
    if (!this.#isInput(x) || !isLast || rank !== 3 || equal?.inputs[0] !== x || value === undefined || lengthOf(value.shape) !== 1 || value.dtype !== 'float32') return undefined
    return { value: value.data[0] as number, mask: { key: any, isSure: true } }
  }

  /** What `indices != 0` compares. */
  #indicesOf(mask: string): string | undefined {
    const equal = this.#maker(this.#maker(mask, 'not')?.inputs[0] ?? '', 'equal')
    const zero = this.#typed.graph.constants.get(equal?.inputs[1] ?? '')
    const isZero = zero?.dtype === 'int32' && lengthOf(zero.shape) === 1 && zero.data[0] === 0
    return isZero ? this.#source(equal?.inputs[0] as string, isSameIndices) : undefined
  }

  #isInput(value: string): boolean {
    return this.#typed.graph.inputs.some(({ name }) => name === value)
  }

  #maker(value: string, op: string): GraphNode | undefined {
    const maker = this.#makers.get(value)
    return maker?.op === op ? maker : undefined
  }

  /** Back through nodes that leave truth, and whole numbers, what they are. */
  #source(value: string, isSame: (maker: GraphNode) => boolean): string {
    const maker = this.#makers.get(value)
    return maker !== undefined && isSame(maker) ? this.#source(maker.inputs[0] as string, isSame) : value
  }
}

const isSameIndices = ({ op, attributes }: GraphNode): boolean => op === 'identity' || (op === 'cast' && attributes.to === 'int32')
const indicesKey = (indices: string): string => `${indices} != 0`
