// Models of audio players: layers one after the other over [batch, timesteps, features], and maybe the input added at the end.
import { LstmError } from '../../errors.ts'
import { RECURRENT } from '../../ops/recurrent/kinds.ts'
import { lstmRole, type LstmWeight } from '../../ops/recurrent/settings.ts'
import type { Attribute, GraphNode } from '../../ops/graph-data.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import { ExportedNode } from '../exported-node.ts'
import { Refusals, typedSource, type ExportOptions, type ExportSource } from '../source.ts'

/** One recurrent layer, gates as the operator stacks them: LSTM i, f, g, o; GRU r, z, n. */
export interface ChainCell<Kind extends 'lstm' | 'gru' = 'lstm' | 'gru'> {
  readonly kind: Kind
  readonly units: number
  readonly inputWeights: ArrayLike // (gates units, features)
  readonly recurrentWeights: ArrayLike // (gates units, units)
  /** (gates units) */
  readonly inputBias: Float32Array
  /** (gates units) */
  readonly recurrentBias: Float32Array
}

/** A dense layer. */
export interface ChainDense {
  readonly kind: 'dense'
  readonly units: number
  readonly weight: ArrayLike // (units, features)
  readonly bias: Float32Array // (units)
}

/** A function of each number. */
export interface ChainActivation {
  readonly kind: 'activation'
  readonly activation: string
}

/** What stands in a chain. */
export type ChainLayer = ChainCell<'lstm'> | ChainCell<'gru'> | ChainDense | ChainActivation

/** A model of an audio player. */
export interface Chain {
  /** Of the input. */
  readonly features: number
  readonly layers: readonly ChainLayer[]
  /** Whether the input is added to the output. */
  readonly skip: boolean
}

/** Attributes that a recurrent layer may have, and their values; undefined: any. Dropout is of training alone, and players keep states from block to block. */
const RECURRENT_ATTRIBUTES: Readonly<Record<string, Attribute | undefined>> = {
  hiddenSize: undefined, numLayers: undefined, stateful: undefined, dropout: undefined, recurrentDropout: undefined,
  direction: 'forward', timeMajor: false, returnSequences: true, reversedOutput: false,
}
const ACTIVATIONS = ['tanh', 'relu', 'sigmoid', 'softmax', 'elu']

/**
 * The layers of a model, from its first input to its first output.
 * @param what who asks, for messages
 * @throws LstmError `UNSUPPORTED` listing all that is no layer of a chain
 */
export function chainOf(source: ExportSource, options: ExportOptions, what: string): Chain {
  const typed = typedSource(source, options, what)
  const { graph: { inputs, outputs, nodes } } = typed
  const refusals = new Refusals(what)
  const [input] = inputs
  const features = input?.shape.at(-1)
  if (input?.shape.length !== 3 || typeof features !== 'number') {
    throw new LstmError('UNSUPPORTED', `${what}: expected an input [batch, timesteps, features], got ${input === undefined ? 'none' : `'${input.name}' [${input.shape.join(', ')}]`}`)
  }
  const states = new Set(nodes.filter(({ op }) => op in RECURRENT).flatMap((node) => node.outputs.slice(1)))
  for (const { name, value } of outputs.slice(1)) if (!states.has(value)) refusals.add(`the output '${name}' is a second one, and no state`)
  for (const { name } of inputs.slice(1)) {
    if (nodes.some((node) => node.inputs.includes(name) && !(node.op in RECURRENT && node.inputs.indexOf(name) > 0))) refusals.add(`the input '${name}' is a second one, and no state`)
  }
  const layers: ChainLayer[] = []
  let value = input.name
  let skip = false
  for (const node of nodes) {
    const exported = new ExportedNode(node, typed)
    if (skip || !isNext(node, value, input.name)) refusals.add(exported.unsupported('expected one layer after the other').message)
    if (node.op === 'add' && isNext(node, value, input.name) && layers.length > 0) skip = true
    else refusals.attempt(() => layers.push(...layersOf(exported)))
    value = node.outputs[0] as string
  }
  if (outputs[0]?.value !== value) refusals.add(`the output '${outputs[0]?.name ?? ''}' is not that of the last layer`)
  refusals.check('expected lstm, gru and dense layers and activations one after the other, and at most the input added at the end')
  return { features, layers, skip }
}

function isNext({ op, inputs }: GraphNode, value: string, input: string): boolean {
  if (op === 'add') return inputs.length === 2 && inputs.includes(value) && inputs.includes(input)
  return inputs[0] === value
}

function layersOf(node: ExportedNode): readonly ChainLayer[] {
  const { op } = node.node
  if (op === 'dropout' || op === 'identity') return []
  if (op === 'lstm') return cellsOf(node, op)
  if (op === 'gru') return cellsOf(node, op)
  if (op === 'linear') {
    const weight = node.weight('weight')
    if (weight === undefined) throw node.unsupported('its weights are computed')
    const units = weight.shape[0] as number
    return [{ kind: 'dense', units, weight, bias: biasOf(node.weight('bias'), units) }]
  }
  if (!ACTIVATIONS.includes(op)) throw node.unsupported('no layer of a chain')
  const [attribute] = Object.keys(node.node.attributes).filter((name) => !(op === 'softmax' && name === 'axis' && [-1, 2].includes(node.attribute(name) as number)))
  if (attribute !== undefined) throw node.unsupported(`'${attribute}'`)
  return [{ kind: 'activation', activation: op }]
}

function cellsOf<Kind extends ChainCell['kind']>(node: ExportedNode, op: Kind): ChainCell<Kind>[] {
  for (const [name, value] of Object.entries(node.node.attributes)) {
    const isKnown = Object.hasOwn(RECURRENT_ATTRIBUTES, name)
    if (!isKnown || (RECURRENT_ATTRIBUTES[name] !== undefined && RECURRENT_ATTRIBUTES[name] !== value)) throw node.unsupported(`${name} ${String(value)}`)
  }
  const [layers, units] = [node.attribute('numLayers') as number, node.attribute('hiddenSize') as number]
  return Array.from({ length: layers }, (_, layer) => {
    const weight = (role: LstmWeight): ArrayLike | undefined => node.weight(lstmRole(layer, 'forward', role))
    const [inputWeights, recurrentWeights] = [weight('inputWeights'), weight('recurrentWeights')]
    if (inputWeights === undefined || recurrentWeights === undefined) throw node.unsupported('its weights are computed')
    const rows = RECURRENT[op].gates * units
    return { kind: op, units, inputWeights, recurrentWeights, inputBias: biasOf(weight('inputBias'), rows), recurrentBias: biasOf(weight('recurrentBias'), rows) }
  })
}

function biasOf(bias: ArrayLike | undefined, length: number): Float32Array {
  return bias === undefined ? new Float32Array(length) : bias.data as Float32Array
}

/** The sum of both biases, as float32. */
export function summedBias({ inputBias, recurrentBias }: ChainCell): Float32Array {
  return inputBias.map((value, n) => value + (recurrentBias[n] as number))
}

/** Numbers as files have them: nine digits tell any float32 from its neighbours. */
export const numbersOf = (data: ArrayLike['data']): number[] => Array.from(data, (value) => Number(value.toPrecision(9)))

/** Rows of a matrix. */
export function rowsOf({ data, shape }: Pick<NdArray, 'data' | 'shape'>): number[][] {
  const [rows, columns] = shape as [number, number]
  return Array.from({ length: rows }, (_, row) => numbersOf(data.subarray(row * columns, (row + 1) * columns)))
}

export function jsonBytes(value: object): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value))
}
