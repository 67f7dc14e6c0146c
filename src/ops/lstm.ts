import { LstmError } from '../errors.ts'
import type { DType } from '../values/dtype.ts'
import { formatShape, type Dimension, type SymbolicShape } from '../values/shape.ts'
import { label, requireFeatures, requireInput, requireParameter } from './checks.ts'
import { packCell, type PackedCell } from './lstm-cell.ts'
import { planLayers } from './lstm-plan.ts'
import { LSTM_ATTRIBUTES, lstmRole, readSettings, type Direction, type LstmSettings, type LstmWeight } from './lstm-settings.ts'
import type { GraphNode, InferenceContext, Operator } from './operator.ts'

/** Features of each timestep, told by the weights. */
function inputSizeOf(node: GraphNode, context: Pick<InferenceContext, 'parameter'>, settings: LstmSettings): number {
  const [direction] = settings.directions as [Direction]
  return requireParameter(node, context, lstmRole(0, direction, 'inputWeights')).shape[1] ?? 0
}

/** Features that enter a layer: the input's, then the outputs of all directions of the layer below. */
function layerInputSize(settings: LstmSettings, inputSize: number, layer: number): number {
  return layer === 0 ? inputSize : settings.outputSize * settings.directions.length
}

/** Shapes of all weights of a layer and direction; whether each must be there. */
function weightShapes(settings: LstmSettings, features: number): readonly (readonly [LstmWeight, SymbolicShape, boolean])[] {
  const { hiddenSize, outputSize, hasProjection, layerNorm } = settings
  return [
    ['inputWeights', [4 * hiddenSize, features], true],
    ['recurrentWeights', [4 * hiddenSize, outputSize], true],
    ['inputBias', [4 * hiddenSize], false],
    ['recurrentBias', [4 * hiddenSize], false],
    ['peepholes', [3 * hiddenSize], false],
    ...(hasProjection ? [['projection', [outputSize, hiddenSize], true]] as const : []),
    ...(layerNorm ? [['normGain', [5, hiddenSize], true], ['normShift', [5, hiddenSize], true]] as const : []),
  ]
}

function checkWeights(node: GraphNode, context: Pick<InferenceContext, 'parameter'>, settings: LstmSettings, inputSize: number): void {
  const known: Set<string> = new Set()
  for (let layer = 0; layer < settings.numLayers; layer++) {
    for (const direction of settings.directions) {
      for (const [weight, shape, required] of weightShapes(settings, layerInputSize(settings, inputSize, layer))) {
        const role = lstmRole(layer, direction, weight)
        known.add(role)
        if (required || node.parameters[role] !== undefined) requireParameter(node, context, role, shape)
      }
    }
  }
  const foreign = Object.keys(node.parameters).filter((role) => !known.has(role))
  if (foreign.length > 0) {
    throw new LstmError('SHAPE', `${label(node)}: weights that it has no use for: ${foreign.map((role) => `'${role}'`).join(', ')}`)
  }
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
 * A stack of LSTM layers, every one over the whole sequence (Hochreiter and Schmidhuber 1997, with the
 * forget gate of Gers et al. 2000): the equations of PyTorch's LSTM and Keras's LSTM, and every option
 * that PyTorch, Keras, TensorFlow 1 and ONNX add to them (see `LstmSettings`).
 *
 * Inputs: x [batch, timesteps, inputSize] ([timesteps, batch, inputSize] with `timeMajor`); optional
 * initial h [numLayers x directions, batch, outputSize] and c [.., hiddenSize], default zeros; optional
 * uint8 mask [batch, timesteps], 0 where a step is padding, or int32 lengths [batch]. With `delaySamples` above 1 there is none of
 * these: the history that such a state has is no input.
 * Outputs: y [batch, timesteps, directions x outputSize] with `returnSequences`, otherwise
 * [batch, directions x outputSize]: the last step each direction processed; final h and c, shaped as the initial ones.
 * Weights: see `LstmWeight`.
 */
export const lstm: Operator<readonly (readonly PackedCell[])[]> = {
  name: 'lstm',
  mostInputs: 5,
  attributes: LSTM_ATTRIBUTES,
  infer(node, context) {
    const settings = readSettings(node)
    const { hiddenSize, outputSize, directions, numLayers } = settings
    const x = requireInput(node, context, 0, 'float32', 3)
    const inputSize = inputSizeOf(node, context, settings)
    checkWeights(node, context, settings, inputSize)
    requireFeatures(node, x, inputSize)
    const [first, second] = x.shape as [Dimension, Dimension, Dimension]
    const [batch, timesteps] = settings.timeMajor ? [second, first] : [first, second]
    const stack = numLayers * directions.length
    checkOptional(node, context, 1, 'initial h', 'float32', [stack, batch, outputSize], ' (layers x directions, batch, units)')
    checkOptional(node, context, 2, 'initial c', 'float32', [stack, batch, hiddenSize], ' (layers x directions, batch, units)')
    checkOptional(node, context, 3, 'a mask', 'uint8', [batch, timesteps])
    checkOptional(node, context, 4, 'lengths', 'int32', [batch])
    if (context.input(3) !== undefined && context.input(4) !== undefined) {
      throw new LstmError('VALUE', `${label(node)}: expected a mask or lengths, got both`)
    }
    if (settings.delaySamples > 1 && [1, 2, 3, 4].some((position) => context.input(position) !== undefined)) {
      throw new LstmError('UNSUPPORTED', `${label(node)}: 'delaySamples' goes without initial states, masks and lengths`)
    }
    const width = directions.length * outputSize
    return [
      { dtype: 'float32', shape: settings.returnSequences ? [first, second, width] : [batch, width] },
      { dtype: 'float32', shape: [stack, batch, outputSize] },
      { dtype: 'float32', shape: [stack, batch, hiddenSize] },
    ]
  },
  cost(node, context) {
    const settings = readSettings(node)
    const { hiddenSize, outputSize, hasProjection, directions, numLayers } = settings
    const inputSize = inputSizeOf(node, context, settings)
    let multiplyAdds = 0
    for (let layer = 0; layer < numLayers; layer++) {
      const gates = 4 * hiddenSize * (layerInputSize(settings, inputSize, layer) + outputSize)
      multiplyAdds += directions.length * (gates + (hasProjection ? hiddenSize * outputSize : 0))
    }
    return { detail: describe(node, settings), multiplyAdds }
  },
  prepare(node, packer) {
    const settings = readSettings(node)
    return Array.from({ length: settings.numLayers }, (_, layer) =>
      settings.directions.map((direction, index) => {
        const functions = settings.functions[index] as LstmSettings['functions'][number]
        return packCell(packer, settings, layer, direction, functions)
      }))
  },
  plan(node, planner, cells) {
    planLayers(planner, readSettings(node), cells)
  },
}

/** `64 units, 2 layers, bidirectional, every step`. */
function describe(node: GraphNode, settings: LstmSettings): string {
  const words = [`${settings.hiddenSize} units`]
  const add = (when: boolean, word: string): void => {
    if (when) words.push(word)
  }
  add(settings.hasProjection, `projected to ${settings.outputSize}`)
  add(settings.numLayers > 1, `${settings.numLayers} layers`)
  add(settings.directions.length > 1, 'bidirectional')
  add(settings.directions.length === 1 && settings.directions[0] === 'reverse', 'backwards')
  add(Object.keys(node.parameters).some((role) => role.endsWith('.peepholes')), 'peepholes')
  add(settings.layerNorm, 'layer-normalised')
  add(settings.coupling !== 'none', 'coupled gates')
  add(settings.forgetBias !== 0, `forget bias ${settings.forgetBias}`)
  add(settings.clip !== 0, `clip ${settings.clip}`)
  add(settings.cellClip !== 0, `cell clip ${settings.cellClip}`)
  add(settings.projClip !== 0, `projection clip ${settings.projClip}`)
  const functions = settings.functions.map(({ gate, candidate, output }) => `${gate.name}/${candidate.name}/${output.name}`)
  add(functions.some((names) => names !== 'sigmoid/tanh/tanh'), [...new Set(functions)].join(', '))
  add(settings.delaySamples > 1, `from ${settings.delaySamples} samples before`)
  add(settings.stateful, 'stateful')
  words.push(settings.returnSequences ? 'every step' : 'last step')
  return words.join(', ')
}

/** How the number of parameters comes about, a line for each layer and direction. */
export function lstmArithmetic(node: GraphNode, context: InferenceContext): string[] {
  const settings = readSettings(node)
  const { hiddenSize, outputSize, numLayers, directions, hasProjection } = settings
  const lines: string[] = []
  for (let layer = 0; layer < numLayers; layer++) {
    for (const direction of directions) {
      const has = (weight: LstmWeight): boolean => node.parameters[lstmRole(layer, direction, weight)] !== undefined
      const inputSize = context.parameter(lstmRole(layer, direction, 'inputWeights'))?.shape[1] as number
      const biases = Number(has('inputBias')) + Number(has('recurrentBias'))
      const terms = [`${inputSize} x ${hiddenSize} input`, `${outputSize} x ${hiddenSize} recurrent`]
      if (biases > 0) terms.push(`${biases === 1 ? '' : `${biases} x `}${hiddenSize} bias`)
      const more: [string, number][] = []
      if (has('peepholes')) more.push([`3 x ${hiddenSize} peephole`, 3 * hiddenSize])
      if (hasProjection) more.push([`${hiddenSize} x ${outputSize} projection`, hiddenSize * outputSize])
      if (settings.layerNorm) more.push([`10 x ${hiddenSize} normalisation`, 10 * hiddenSize])
      const total = 4 * hiddenSize * (inputSize + outputSize + biases) + more.reduce((sum, [, count]) => sum + count, 0)
      const which = [
        ...(numLayers > 1 ? [`layer ${layer}`] : []),
        ...(directions.length > 1 || direction === 'reverse' ? [direction] : []),
      ].join(' ')
      const extra = more.map(([text]) => ` + ${text}`).join('')
      lines.push(`${which === '' ? '' : `${which}: `}4 gates x (${terms.join(' + ')})${extra} = ${total} parameters`)
    }
  }
  return lines
}
