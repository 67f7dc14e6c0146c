import { LstmError } from '../../errors.ts'
import type { DType } from '../../values/dtype.ts'
import { formatShape, type Dimension, type SymbolicShape } from '../../values/shape.ts'
import { hasInput, label, requireFeatures, requireInput, requireParameter } from '../node/checks.ts'
import { packCell, type PackedCell } from './cell.ts'
import { planLayers } from './plan.ts'
import { LSTM_ATTRIBUTES, lstmRole, readSettings, type Direction, type LstmSettings, type LstmWeight } from './settings.ts'
import { recurrentTime } from './time.ts'
import type { GraphNode, InferenceContext, Operator, ValueType } from '../operator.ts'

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
    throw new LstmError('UNSUPPORTED', `${label(node)}: weights that it has no use for: ${foreign.map((role) => `'${role}'`).join(', ')}`)
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
export const lstm: Operator<LstmSettings, readonly (readonly PackedCell[])[]> = {
  name: 'lstm',
  onnx: 'LSTM',
  mostInputs: 5,
  roles: 'own',
  attributes: LSTM_ATTRIBUTES,
  time: recurrentTime(2),
  recurrent: {
    states: ['h', 'c'],
    gates: 'An LSTM has four gates (input, forget, cell, output), each as wide as its units: hence the 4.',
    arithmetic,
  },
  mayRefuse: (node) => hasInput(node, 4),
  parse: readSettings,
  infer(node, context, settings) {
    const { hiddenSize, outputSize, directions, numLayers } = settings
    const x = requireInput(node, context, 0, 'float32', 3)
    const inputSize = inputSizeOf(node, context, settings)
    checkWeights(node, context, settings, inputSize)
    requireFeatures(node, x, inputSize)
    const [first, second] = x.shape as [Dimension, Dimension, Dimension]
    const [batch, timesteps] = settings.timeMajor ? [second, first] : [first, second]
    const stack = numLayers * directions.length
    const states = [outputSize, hiddenSize].map((size) => [stack, batch, size])
    states.forEach((shape, n) => checkOptional(node, context, n + 1, `initial ${'hc'[n]}`, 'float32', shape, ' (layers x directions, batch, units)'))
    checkOptional(node, context, 3, 'a mask', 'uint8', [batch, timesteps])
    checkOptional(node, context, 4, 'lengths', 'int32', [batch])
    if (context.input(3) !== undefined && context.input(4) !== undefined) {
      throw new LstmError('VALUE', `${label(node)}: expected a mask or lengths, got both`)
    }
    if (settings.delaySamples > 1 && node.inputs.slice(1).some(Boolean)) {
      throw new LstmError('UNSUPPORTED', `${label(node)}: 'delaySamples' goes without initial states, masks and lengths`)
    }
    const width = directions.length * outputSize
    return [
      { dtype: 'float32', shape: settings.returnSequences ? [first, second, width] : [batch, width] },
      ...states.map((shape): ValueType => ({ dtype: 'float32', shape })),
    ]
  },
  cost(node, context, settings) {
    const { hiddenSize, outputSize, hasProjection, directions, numLayers } = settings
    const inputSize = inputSizeOf(node, context, settings)
    let multiplyAdds = 0
    for (let layer = 0; layer < numLayers; layer++) {
      const gates = 4 * hiddenSize * (layerInputSize(settings, inputSize, layer) + outputSize)
      multiplyAdds += directions.length * (gates + (hasProjection ? hiddenSize * outputSize : 0))
    }
    return { detail: describe(node, settings), multiplyAdds }
  },
  prepare(_node, packer, settings) {
    return Array.from({ length: settings.numLayers }, (_, layer) =>
      settings.directions.map((direction, index) => {
        const functions = settings.functions[index] as LstmSettings['functions'][number]
        return packCell(packer, settings, layer, direction, functions)
      }))
  },
  plan(_node, planner, settings, cells) {
    planLayers(planner, settings, cells)
  },
}

/** `64 units, 2 layers, bidirectional, every step`. */
function describe(node: GraphNode, settings: LstmSettings): string {
  const functions = settings.functions.map(({ gate, candidate, output }) => `${gate.name}/${candidate.name}/${output.name}`)
  const { directions, numLayers, delaySamples } = settings
  return [
    `${settings.hiddenSize} units`,
    settings.hasProjection && `projected to ${settings.outputSize}`,
    numLayers > 1 && `${numLayers} layers`,
    directions.length > 1 ? 'bidirectional' : directions[0] === 'reverse' && 'backwards',
    Object.keys(node.parameters).some((role) => role.endsWith('.peepholes')) && 'peepholes',
    settings.layerNorm && 'layer-normalised',
    settings.coupling !== 'none' && 'coupled gates',
    ...(['forgetBias', 'clip', 'cellClip', 'projClip'] as const).map((name) => settings[name] !== 0 && `${name} ${settings[name]}`),
    functions.some((names) => names !== 'sigmoid/tanh/tanh') && [...new Set(functions)].join(', '),
    delaySamples > 1 && `delaySamples ${delaySamples}`,
    settings.stateful && 'stateful',
    settings.returnSequences ? 'every step' : 'last step',
  ].filter(Boolean).join(', ')
}

/** How the number of parameters comes about, a line for each layer and direction. */
function arithmetic(node: GraphNode, context: InferenceContext, settings: LstmSettings): string[] {
  const { hiddenSize, outputSize, numLayers, directions, hasProjection, layerNorm } = settings
  return Array.from({ length: numLayers }, (_, layer) => directions.map((direction) => {
    const has = (weight: LstmWeight): boolean => node.parameters[lstmRole(layer, direction, weight)] !== undefined
    const inputSize = context.parameter(lstmRole(layer, direction, 'inputWeights'))?.shape[1] as number
    const biases = Number(has('inputBias')) + Number(has('recurrentBias'))
    const more = ([
      [has('peepholes'), 3, hiddenSize, 'peephole'],
      [hasProjection, hiddenSize, outputSize, 'projection'],
      [layerNorm, 10, hiddenSize, 'normalisation'],
    ] as const).filter(([isThere]) => isThere)
    const total = more.reduce((sum, [, rows, columns]) => sum + rows * columns, 4 * hiddenSize * (inputSize + outputSize + biases))
    const which = [
      numLayers > 1 && `layer ${layer}`,
      (directions.length > 1 || direction === 'reverse') && direction,
    ].filter(Boolean).join(' ')
    const bias = biases === 0 ? '' : ` + ${biases === 1 ? '' : `${biases} x `}${hiddenSize} bias`
    const extra = more.map(([, rows, columns, name]) => ` + ${rows} x ${columns} ${name}`).join('')
    return `${which && `${which}: `}4 gates x (${inputSize} x ${hiddenSize} input + ${outputSize} x ${hiddenSize} recurrent${bias})${extra} = ${total} parameters`
  })).flat()
}
