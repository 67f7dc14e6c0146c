// What the operators of recurrent layers have in common: everything but their cells.
import { LstmError } from '../../errors.ts'
import { int8Along, type Constant } from '../constant.ts'
import type { ArrayLike } from '../../values/ndarray.ts'
import type { DType } from '../../values/dtype.ts'
import { formatShape, type Dimension, type SymbolicShape } from '../../values/shape.ts'
import { hasInput, label, requireFeatures, requireInput, requireParameter } from '../node/checks.ts'
import type { GraphNode, ValueType } from '../graph-data.ts'
import type { InferenceContext, Operator, Packer } from '../operator.ts'
import { RECURRENT, type RecurrentOp } from './kinds.ts'
import { roleOf, type Direction, type LayerSettings } from './layer-settings.ts'
import { packDense } from '../products/dense.ts'
import { planLayers, type PackedCell } from './plan.ts'
import { recurrentTime } from './time.ts'

/** A weight of one layer and direction: its name, its shape, and whether it must be there. */
export type WeightShape = readonly [name: string, shape: readonly number[], required: boolean]

/** One layer in one direction, on its way into the kernels. */
export interface CellPacker extends Pick<Packer, 'kernels' | 'place'> {
  /** Its number among the directions of the layer. */
  readonly index: number
  /** A weight; undefined where there is none. */
  readonly parameter: (weight: string) => Float32Array | undefined
  /** Packs a weight [columns, k]: see packDenseF32 in assembly/products/pack.ts. */
  packDense(weight: string, k: number, columns: number): number
  /** Packs a matrix of gates, its weight from gate `begin` on, with these biases: see packGatesF32 in assembly/products/pack.ts. */
  pack(weight: string, biases: readonly string[], gates: number, begin?: number, forgetBias?: number): number
}

/** What an operator of recurrent layers is besides a stack of them. */
export interface CellKind<Settings extends LayerSettings> {
  readonly name: RecurrentOp
  /** Operator of ONNX that becomes it. */
  readonly onnx?: string
  readonly attributes: readonly string[]
  /** A sentence on its gates, for summaries. */
  readonly gates: string
  /** The attributes, checked. */
  parse(node: GraphNode): Settings
  /** Weights besides those of all cells. */
  weights?(settings: Settings): readonly WeightShape[]
  /** Refuses what does not go together. */
  check?(node: GraphNode, settings: Settings): void
  /** Multiply-adds of a step besides those of the gates. */
  moreMultiplyAdds?(settings: Settings): number
  /** How parameters besides those of the gates add up: rows, columns, and what they are. */
  moreParameters?(settings: Settings, has: (weight: string) => boolean): readonly (readonly [rows: number, columns: number, what: string])[]
  /** Words on what is not as usual, for summaries: of the shape of the layer, and of its cell. */
  describe(node: GraphNode, settings: Settings): readonly (string | false)[]
  /** Packs one layer in one direction. */
  pack(packer: CellPacker, settings: Settings): PackedCell
}

/** Features that enter a layer: the input's, then the outputs of all directions of the layer below. */
function layerInputSize(settings: LayerSettings, inputSize: number, layer: number): number {
  return layer === 0 ? inputSize : settings.outputSize * settings.directions.length
}

/** Features of each timestep, told by the weights. */
function inputSizeOf(node: GraphNode, context: Pick<InferenceContext, 'parameter'>, settings: LayerSettings): number {
  const [direction] = settings.directions as [Direction]
  return requireParameter(node, context, roleOf(0, direction, 'inputWeights')).shape[1] ?? 0
}

/** Every layer and direction of a node. */
function eachDirection<T>({ numLayers, directions }: LayerSettings, make: (layer: number, direction: Direction, index: number) => T): T[][] {
  const made: T[][] = []
  // A file may claim any number of layers: the first without weights ends it.
  while (made.length < numLayers) made.push(directions.map((direction, index) => make(made.length, direction, index)))
  return made
}

/** Compares numbers only: a symbolic batch may go by another name, and is compared when it is known. */
function checkOptional(
  node: GraphNode, context: InferenceContext, position: number, what: string, dtype: DType, shape: SymbolicShape, meaning = '',
): void {
  const value = context.input(position)
  if (value === undefined) return
  requireInput(node, context, position, dtype)
  const fits = value.shape.length === shape.length
    && value.shape.every((size, axis) => typeof size === 'string' || typeof shape[axis] === 'string' || size === shape[axis])
  if (!fits) {
    throw new LstmError('SHAPE', `${label(node)}: expected ${what} with shape ${formatShape(shape)}${meaning}, got ${formatShape(value.shape)}`)
  }
}

/**
 * A stack of recurrent layers, every one over the whole sequence.
 *
 * Inputs: x [batch, timesteps, inputSize] ([timesteps, batch, inputSize] with `timeMajor`); the initial states, optional, each
 * [numLayers x directions, batch, its size], default zeros; optional uint8 mask [batch, timesteps], 0 where a step is padding, or int32
 * lengths [batch].
 * Outputs: y [batch, timesteps, directions x outputSize] with `returnSequences`, otherwise
 * [batch, directions x outputSize]: the last step each direction processed; the final states, shaped as the initial ones.
 * Weights: `${layer}.${direction}.${weight}`, gates stacked.
 */
/* @__NO_SIDE_EFFECTS__ */
export function recurrentOperator<Settings extends LayerSettings>(kind: CellKind<Settings>): Operator<Settings, readonly (readonly PackedCell[])[]> {
  const { gates, states } = RECURRENT[kind.name]
  const [mask, lengths] = [1 + states.length, 2 + states.length]

  const checkWeights = (node: GraphNode, context: Pick<InferenceContext, 'parameter'>, settings: Settings, inputSize: number): void => {
    const { hiddenSize, outputSize } = settings
    const known: Set<string> = new Set()
    eachDirection(settings, (layer, direction) => {
      const shapes: WeightShape[] = [
        ['inputWeights', [gates * hiddenSize, layerInputSize(settings, inputSize, layer)], true],
        ['recurrentWeights', [gates * hiddenSize, outputSize], true],
        ['inputBias', [gates * hiddenSize], false],
        ['recurrentBias', [gates * hiddenSize], false],
        ...kind.weights?.(settings) ?? [],
      ]
      for (const [weight, shape, required] of shapes) {
        const role = roleOf(layer, direction, weight)
        known.add(role)
        if (required || node.parameters[role] !== undefined) requireParameter(node, context, role, shape)
      }
    })
    const foreign = Object.keys(node.parameters).filter((role) => !known.has(role))
    if (foreign.length > 0) {
      throw new LstmError('UNSUPPORTED', `${label(node)}: weights that it has no use for: ${foreign.map((role) => `'${role}'`).join(', ')}`)
    }
  }

  const arithmetic = (node: GraphNode, context: InferenceContext, settings: Settings): string[] => {
    const { hiddenSize, outputSize, numLayers, directions } = settings
    return eachDirection(settings, (layer, direction) => {
      const has = (weight: string): boolean => node.parameters[roleOf(layer, direction, weight)] !== undefined
      const inputSize = context.parameter(roleOf(layer, direction, 'inputWeights'))?.shape[1] as number
      const biases = Number(has('inputBias')) + Number(has('recurrentBias'))
      const more = kind.moreParameters?.(settings, has) ?? []
      const total = more.reduce((sum, [rows, columns]) => sum + rows * columns, gates * hiddenSize * (inputSize + outputSize + biases))
      const which = [
        numLayers > 1 && `layer ${layer}`,
        (directions.length > 1 || direction === 'reverse') && direction,
      ].filter(Boolean).join(' ')
      const bias = biases === 0 ? '' : ` + ${biases === 1 ? '' : `${biases} x `}${hiddenSize} bias`
      const gate = `${inputSize} x ${hiddenSize} input + ${outputSize} x ${hiddenSize} recurrent${bias}`
      const extra = more.map(([rows, columns, what]) => ` + ${rows} x ${columns} ${what}`).join('')
      return `${which && `${which}: `}${gates === 1 ? gate : `${gates} gates x (${gate})`}${extra} = ${total} parameters`
    }).flat()
  }

  return {
    name: kind.name,
    onnx: kind.onnx,
    mostInputs: 3 + states.length,
    roles: 'own',
    attributes: kind.attributes,
    time: recurrentTime(states.length),
    recurrent: { states, gates: kind.gates, arithmetic },
    mayRefuse: (node) => hasInput(node, lengths),
    narrowWeights: ({ parameters }) => Object.entries(parameters).flatMap(([role, constant]) => (
      /\.(inputWeights|recurrentWeights|projection)$/.test(role) ? { constant, axis: 0, products: 'int8' } : []
    )),
    parse: (node) => kind.parse(node),
    infer(node, context, settings) {
      const { hiddenSize, outputSize, directions, numLayers } = settings
      const x = requireInput(node, context, 0, 'float32', 3)
      const inputSize = inputSizeOf(node, context, settings)
      checkWeights(node, context, settings, inputSize)
      requireFeatures(node, x, inputSize)
      const [first, second] = x.shape as [Dimension, Dimension, Dimension]
      const [batch, timesteps] = settings.timeMajor ? [second, first] : [first, second]
      const shapes = states.map((state) => [numLayers * directions.length, batch, state === 'h' ? outputSize : hiddenSize])
      shapes.forEach((shape, n) => checkOptional(node, context, n + 1, `initial ${states[n]}`, 'float32', shape, ' (layers x directions, batch, units)'))
      checkOptional(node, context, mask, 'a mask', 'uint8', [batch, timesteps])
      checkOptional(node, context, lengths, 'lengths', 'int32', [batch])
      if (context.input(mask) !== undefined && context.input(lengths) !== undefined) {
        throw new LstmError('VALUE', `${label(node)}: expected a mask or lengths, got both`)
      }
      kind.check?.(node, settings)
      const width = directions.length * outputSize
      return [
        { dtype: 'float32', shape: settings.returnSequences ? [first, second, width] : [batch, width] },
        ...shapes.map((shape): ValueType => ({ dtype: 'float32', shape })),
      ]
    },
    cost(node, context, settings) {
      const { hiddenSize, outputSize, directions, numLayers } = settings
      const inputSize = inputSizeOf(node, context, settings)
      let multiplyAdds = 0
      for (let layer = 0; layer < numLayers; layer++) {
        const step = gates * hiddenSize * (layerInputSize(settings, inputSize, layer) + outputSize)
        multiplyAdds += directions.length * (step + (kind.moreMultiplyAdds?.(settings) ?? 0))
      }
      return { detail: kind.describe(node, settings).filter(Boolean).join(', '), multiplyAdds }
    },
    prepare: (_node, packer, settings) => eachDirection(settings, (layer, direction, index) => {
      const upload = (weight: string): number => packer.upload(roleOf(layer, direction, weight))
      const parameter: CellPacker['parameter'] = (weight) => packer.parameter(roleOf(layer, direction, weight))?.data as Float32Array | undefined
      return kind.pack({
        kernels: packer.kernels, index, parameter,
        place: (data) => packer.place(data),
        packDense: (weight, k, columns) => packDense(packer, roleOf(layer, direction, weight), 0, k, columns),
        pack: (weight, biases, count, begin = 0, forgetBias = 0) => {
          const { hiddenSize } = settings
          const constant = packer.parameter(roleOf(layer, direction, weight)) as ArrayLike
          const k = constant.shape[1] as number
          const from = begin * hiddenSize
          const [biasPtr = 0, secondBiasPtr = 0] = biases.map((bias) => {
            const ptr = upload(bias)
            return ptr === 0 ? 0 : ptr + from * 4
          })
          const int8 = int8Along(constant, 0)
          if (int8 !== undefined) return int8.packGates(packer, k, { hiddenSize, begin, gates: count, biasPtr, secondBiasPtr, forgetBias })
          const packedPtr = packer.allocate(packer.kernels.packedGatesBytes(k, hiddenSize, count))
          packer.kernels.packGatesF32(packedPtr, upload(weight) + from * k * 4, biasPtr, secondBiasPtr, k, hiddenSize, count, forgetBias)
          return packedPtr
        },
      }, settings)
    }),
    plan(node, planner, settings, cells) {
      const isInt8 = Object.keys(node.parameters).some((role) => (planner.parameter(role) as Constant | undefined)?.int8 !== undefined)
      planLayers(planner, kind.name, settings, cells, isInt8)
    },
  }
}

/** The first words of a summary: `64 units, 2 layers, bidirectional`; `more` is said between its units and its layers. */
export function describeStack({ hiddenSize, numLayers, directions }: LayerSettings, more: string | false = false): (string | false)[] {
  return [
    `${hiddenSize} units`, more, numLayers > 1 && `${numLayers} layers`,
    directions.length > 1 ? 'bidirectional' : directions[0] === 'reverse' && 'backwards',
  ]
}

/** The last words of a summary. */
export function describeRun({ stateful, returnSequences }: LayerSettings): (string | false)[] {
  return [stateful && 'stateful', returnSequences ? 'every step' : 'last step']
}

/** Names of functions that are not the usual ones. */
export function describeFunctions(functions: readonly (readonly { readonly name: string }[])[], usual: readonly string[]): string | false {
  const names = functions.map((bound) => bound.map(({ name }) => name).join('/'))
  return names.some((name) => name !== usual.join('/')) && [...new Set(names)].join(', ')
}
