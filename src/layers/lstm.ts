import { LstmError } from '../errors.ts'
import { joinName, lstmTensors } from '../formats/pytorch-names.ts'
import type { GraphInput, GraphNode } from '../graph/graph.ts'
import { constantNames, type BoundFunction } from '../ops/elementwise/functions.ts'
import { checkKind } from '../options.ts'
import { formatShape, type Dimension } from '../values/shape.ts'
import { bindActivation } from './activations.ts'
import type { Layer } from './layer.ts'
import { COUNT, LSTM_ALIASES, LSTM_OPTIONS, type AllLstmOptions, type MoreLstmOptions, type SpelledLstmOptions } from './lstm-options.ts'
import { readWords } from './options.ts'

/**
 * An LSTM layer, or a stack of them.
 *
 *     lstm(128)                              // Keras: LSTM(128)
 *     lstm(128, { returnSequences: true })   // Keras: LSTM(128, return_sequences=True); PyTorch always does
 *     lstm({ hiddenSize: 128, numLayers: 2, bidirectional: true })
 *     lstm(128, { recurrentActivation: { name: 'hardSigmoid', keras: 2 } }) // what TensorFlow.js has by default
 *
 * The number of units is also known as hidden size, `num_units` and `n_hidden`; all these words are accepted.
 *
 * @throws LstmError `VALUE` for options that are unknown, out of range or contradict each other
 */
export function lstm(units: number | SpelledLstmOptions, options: MoreLstmOptions = {}): Layer {
  const positional = typeof units === 'object' && units !== null ? units : { units }
  const read = readWords<AllLstmOptions>(options, LSTM_OPTIONS, 'lstm', LSTM_ALIASES, positional)
  checkKind(read.hiddenSize, COUNT, 'units', 'lstm')
  checkTogether(read)
  const attributes = attributesOf(read)
  const {
    hiddenSize = 0, name, inputSize, numLayers = 1, bidirectional = false, bias = true, projSize, returnSequences = false, returnState = false,
    initialState = false, goBackwards = false, timeMajor = false, peepholes = false, layerNorm = false, mask = false, lengths = false,
  } = read
  const directions = bidirectional ? 2 : 1
  const outputSize = projSize ?? hiddenSize

  return {
    kind: 'lstm',
    name,
    inputDtype: 'float32',
    inputRank: 3,
    inputFeatures: (stateDict, prefix) => inputSize ?? (stateDict.get(joinName(prefix, 'weight_ih_l0')) ?? stateDict.get(joinName(prefix, 'weight_ih')))?.shape[1],
    tensors: (features) => lstmTensors({ inputSize: features, hiddenSize, numLayers, bidirectional, bias, projSize, peepholes, layerNorm })
      .map((spec) => (goBackwards ? { ...spec, role: spec.role.replace('forward', 'reverse') } : spec)),
    outputShape(input, layerName) {
      if (input.length !== 3) {
        throw new LstmError('SHAPE', `lstm '${layerName}': expected [batch, timesteps, features], got ${formatShape(input)}; does the layer before it need returnSequences: true?`)
      }
      const [first, second] = input as [Dimension, Dimension, Dimension]
      const width = outputSize * directions
      return returnSequences ? [first, second, width] : [timeMajor ? second : first, width]
    },
    build(layerName, input, output, parameters, shape) {
      const [batch = 'batch', timesteps = 'timesteps'] = timeMajor ? [shape[1], shape[0]] : shape
      const state = (suffix: string, size: number): GraphInput => (
        { name: `${layerName}_${suffix}`, dtype: 'float32', shape: [numLayers * directions, batch, size], optional: true }
      )
      const states = initialState ? [state('h0', outputSize), state('c0', hiddenSize)] : []
      const masks: GraphInput[] = mask === false ? [] : [{ name: mask === true ? `${layerName}_mask` : mask, dtype: 'uint8', shape: [batch, timesteps] }]
      const counts: GraphInput[] = lengths === false ? [] : [{ name: lengths === true ? `${layerName}_lengths` : lengths, dtype: 'int32', shape: [batch] }]
      const inputs = [input, states[0]?.name ?? '', states[1]?.name ?? '', masks[0]?.name ?? '', counts[0]?.name ?? '']
      while (inputs.at(-1) === '') inputs.pop()
      const final = [`${layerName}_h`, `${layerName}_c`]
      return {
        nodes: [{ name: layerName, op: 'lstm', inputs, outputs: returnState ? [output, ...final] : [output], parameters, attributes }],
        output,
        inputs: [...states, ...masks, ...counts],
        ...(returnState && { outputs: final }),
      }
    },
  }
}

/** @throws LstmError `VALUE` for options that contradict each other, or say nothing without another one */
function checkTogether(read: AllLstmOptions): void {
  const { goBackwards = false, bidirectional = false, numLayers = 1, reversedOutput = true, delaySamples = 1, mask = false, lengths = false } = read
  const refuse = (why: string): never => {
    throw new LstmError('VALUE', `lstm: ${why}`)
  }
  if (goBackwards && bidirectional) refuse('goBackwards goes with one direction; a bidirectional layer goes both ways')
  if (goBackwards && numLayers > 1 && reversedOutput) refuse('goBackwards goes with one layer, unless reversedOutput is false')
  const isMasked = mask !== false || lengths !== false
  if (mask !== false && lengths !== false) refuse('expected mask or lengths, got both')
  if (delaySamples > 1 && read.initialState) refuse('delaySamples goes without initialState: a delayed state has a history')
  if (delaySamples > 1 && isMasked) refuse('delaySamples goes without mask and lengths')
  if (read.maskRule !== undefined && read.zeroOutputForMask !== undefined) refuse("'maskRule' and 'zeroOutputForMask' say the same thing")
  const needs = [
    ['reversedOutput', goBackwards, 'goBackwards'], ['projClip', read.projSize !== undefined, 'projSize'], ['normEpsilon', read.layerNorm === true, 'layerNorm'],
    ...(['maskRule', 'zeroOutputForMask', 'zeroEmptyState'] as const).map((name) => [name, isMasked, 'mask or lengths'] as const),
  ] as const
  for (const [name, isThere, other] of needs) if (read[name] !== undefined && !isThere) refuse(`${name} says nothing without ${other}`)
  for (const name of ['activation', 'recurrentActivation', 'outputActivation'] as const) {
    if (read.activations !== undefined && read[name] !== undefined) refuse(`'activations' and '${name}' say the same thing`)
  }
}

/** Attributes of the node; those of the operator's defaults are left out. */
function attributesOf(read: AllLstmOptions): GraphNode['attributes'] {
  const {
    hiddenSize = 0, numLayers = 1, bidirectional = false, goBackwards = false, reversedOutput = true, timeMajor = false, returnSequences = false,
    projSize, forgetBias = 0, clip = 0, cellClip = 0, projClip = 0, coupling = 'none', layerNorm = false, normEpsilon, stateful = false,
    zeroEmptyState = false, delaySamples = 1,
  } = read
  return {
    hiddenSize,
    numLayers,
    direction: bidirectional ? 'bidirectional' : goBackwards ? 'reverse' : 'forward',
    timeMajor,
    returnSequences,
    reversedOutput: goBackwards && reversedOutput,
    ...(projSize !== undefined && { projSize }),
    ...activationsOf(read, bidirectional ? 2 : 1),
    ...(forgetBias !== 0 && { forgetBias }),
    ...(clip > 0 && { clip }),
    ...(cellClip > 0 && { cellClip }),
    ...(projClip > 0 && { projClip }),
    ...(coupling !== 'none' && { coupling }),
    ...(layerNorm && { layerNorm }),
    ...(normEpsilon !== undefined && { normEpsilon }),
    ...((read.mask ?? read.lengths) && { maskRule: maskRuleOf(read) }),
    ...(zeroEmptyState && { zeroEmptyState }),
    ...(stateful && { stateful }),
    ...(delaySamples > 1 && { delaySamples }),
  }
}

function maskRuleOf({ maskRule, zeroOutputForMask, lengths, bidirectional, returnSequences }: AllLstmOptions): string {
  if (maskRule !== undefined) return maskRule
  if (zeroOutputForMask !== undefined) return zeroOutputForMask ? 'zero' : 'hold'
  return Boolean(lengths) || (bidirectional && returnSequences) ? 'zero' : 'hold'
}

/** The functions of every direction; nothing where they are sigmoid, tanh, tanh. */
function activationsOf(read: AllLstmOptions, directions: number): GraphNode['attributes'] {
  const { activation = 'tanh', recurrentActivation = 'sigmoid', outputActivation = activation, activations } = read
  if (activations?.length === 6 && directions === 1) throw new LstmError('VALUE', 'lstm: activations: expected three functions for one direction, got 6')
  const three = activations === undefined
    ? [
        bindActivation(recurrentActivation, 'lstm: recurrentActivation'), bindActivation(activation, 'lstm: activation'),
        bindActivation(outputActivation, 'lstm: outputActivation'),
      ]
    : activations.map((one, n) => bindActivation(one, `lstm: activations[${n}]`))
  const all: readonly BoundFunction[] = three.length === 3 * directions ? three : [...three, ...three]
  if (all.every(({ name }, n) => name === (n % 3 === 0 ? 'sigmoid' : 'tanh'))) return {}
  return {
    activations: all.map(({ name }) => name),
    ...(all.some(({ name }) => constantNames(name).length > 0) && {
      activationAlpha: all.map(({ alpha }) => alpha), activationBeta: all.map(({ beta }) => beta),
    }),
  }
}
