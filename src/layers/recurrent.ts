// What `lstm`, `gru` and `simpleRnn` have in common.
import { LstmError } from '../errors.ts'
import { joinName, recurrentTensors, type LstmShape } from '../formats/pytorch-names.ts'
import type { GraphInput, GraphNode } from '../graph/graph.ts'
import { constantNames, type BoundFunction } from '../ops/elementwise/functions.ts'
import { RECURRENT, type RecurrentOp } from '../ops/recurrent/kinds.ts'
import type { Dimension } from '../values/shape.ts'
import { bindActivation, type Activation } from './activations.ts'
import { axesOf, type Layer } from './layer.ts'
import type { RecurrentOptions, Units } from './recurrent-options.ts'

/** A layer that is told by its operator, its options and the attributes of its node; `more` of its tensors, where they are those of an LSTM. */
export function recurrentLayer(
  op: RecurrentOp, kind: string, read: RecurrentOptions & Units, attributes: GraphNode['attributes'],
  more: Pick<LstmShape, 'projSize' | 'peepholes' | 'layerNorm'> = {},
): Layer {
  const {
    hiddenSize = 0, name, inputSize, numLayers = 1, bidirectional = false, bias = true, returnSequences = false, returnState = false,
    initialState = false, goBackwards = false, timeMajor = false, mask = false, lengths = false,
  } = read
  const directions = bidirectional ? 2 : 1
  const outputSize = more.projSize ?? hiddenSize
  const letters = RECURRENT[op].states

  return {
    kind,
    name,
    inputDtype: 'float32',
    inputRank: 3,
    inputFeatures: (stateDict, prefix) => inputSize ?? (stateDict.get(joinName(prefix, 'weight_ih_l0')) ?? stateDict.get(joinName(prefix, 'weight_ih')))?.shape[1],
    tensors: (features) => recurrentTensors(op, { inputSize: features, hiddenSize, numLayers, bidirectional, bias, ...more })
      .map((spec) => (goBackwards ? { ...spec, role: spec.role.replace('forward', 'reverse') } : spec)),
    outputShape(input, layerName) {
      const [first, second] = axesOf(input, 3, `${kind} '${layerName}'`) as [Dimension, Dimension, Dimension]
      const width = outputSize * directions
      return returnSequences ? [first, second, width] : [timeMajor ? second : first, width]
    },
    build(layerName, input, output, parameters, shape) {
      const [batch = 'batch', timesteps = 'timesteps'] = timeMajor ? [shape[1], shape[0]] : shape
      const states = letters.map((letter): GraphInput => ({
        name: `${layerName}_${letter}0`, dtype: 'float32', shape: [numLayers * directions, batch, letter === 'h' ? outputSize : hiddenSize], optional: true,
      }))
      const masks: GraphInput[] = mask === false ? [] : [{ name: mask === true ? `${layerName}_mask` : mask, dtype: 'uint8', shape: [batch, timesteps] }]
      const counts: GraphInput[] = lengths === false ? [] : [{ name: lengths === true ? `${layerName}_lengths` : lengths, dtype: 'int32', shape: [batch] }]
      const inputs = [input, ...states.map((state) => (initialState ? state.name : '')), masks[0]?.name ?? '', counts[0]?.name ?? '']
      while (inputs.at(-1) === '') inputs.pop()
      const final = letters.map((letter) => `${layerName}_${letter}`)
      return {
        nodes: [{ name: layerName, op, inputs, outputs: returnState ? [output, ...final] : [output], parameters, attributes }],
        output,
        inputs: [...initialState ? states : [], ...masks, ...counts],
        ...(returnState && { outputs: final }),
      }
    },
  }
}

/** @throws LstmError `VALUE` */
export function refuse(what: string, why: string): never {
  throw new LstmError('VALUE', `${what}: ${why}`)
}

/**
 * @param needs options that say nothing without another one: their name, whether that one is there, and its name
 * @throws LstmError `VALUE` for options that contradict each other, or say nothing without another one
 */
export function checkTogether(what: string, read: RecurrentOptions, needs: readonly (readonly [name: string, isThere: boolean, other: string])[] = []): void {
  const { goBackwards = false, bidirectional = false, numLayers = 1, reversedOutput = true, mask = false, lengths = false } = read
  if (goBackwards && bidirectional) refuse(what, 'goBackwards goes with one direction; a bidirectional layer goes both ways')
  if (goBackwards && numLayers > 1 && reversedOutput) refuse(what, 'goBackwards goes with one layer, unless reversedOutput is false')
  if (mask !== false && lengths !== false) refuse(what, 'expected mask or lengths, got both')
  if (read.maskRule !== undefined && read.zeroOutputForMask !== undefined) refuse(what, "'maskRule' and 'zeroOutputForMask' say the same thing")
  const all = [
    ['reversedOutput', goBackwards, 'goBackwards'] as const, ...needs,
    ...['maskRule', 'zeroOutputForMask', 'zeroEmptyState'].map((name) => [name, mask !== false || lengths !== false, 'mask or lengths'] as const),
  ]
  const given = read as Readonly<Record<string, unknown>>
  for (const [name, isThere, other] of all) if (given[name] !== undefined && !isThere) refuse(what, `${name} says nothing without ${other}`)
}

/** Attributes of the node that all recurrent operators have; those of the operator's defaults are left out. */
export function recurrentAttributes(read: RecurrentOptions & Units): GraphNode['attributes'] {
  const {
    hiddenSize = 0, numLayers = 1, bidirectional = false, goBackwards = false, reversedOutput = true, timeMajor = false, returnSequences = false,
    clip = 0, stateful = false, zeroEmptyState = false, dropout = 0, recurrentDropout = 0,
  } = read
  return {
    hiddenSize,
    numLayers,
    direction: bidirectional ? 'bidirectional' : goBackwards ? 'reverse' : 'forward',
    timeMajor,
    returnSequences,
    reversedOutput: goBackwards && reversedOutput,
    ...(clip > 0 && { clip }),
    ...((read.mask ?? read.lengths) && { maskRule: maskRuleOf(read) }),
    ...(zeroEmptyState && { zeroEmptyState }),
    ...(stateful && { stateful }),
    ...(dropout > 0 && { dropout }),
    ...(recurrentDropout > 0 && { recurrentDropout }),
  }
}

function maskRuleOf({ maskRule, zeroOutputForMask, lengths, bidirectional, returnSequences }: RecurrentOptions): string {
  if (maskRule !== undefined) return maskRule
  if (zeroOutputForMask !== undefined) return zeroOutputForMask ? 'zero' : 'hold'
  return Boolean(lengths) || (bidirectional && returnSequences) ? 'zero' : 'hold'
}

/** One of the functions of a cell: what options call it, what they say, and what it is by default. */
export type FunctionOption = readonly [option: string, given: Activation | undefined, otherwise: string]

/**
 * The functions of every direction, in the order of the operator; nothing where all are what they are by default.
 * @param all the option `activations`, which says all of them at once
 * @throws LstmError `VALUE` for functions that are none, or are said twice
 */
export function activationAttributes(
  what: string, options: readonly FunctionOption[], all: readonly Activation[] | undefined, { bidirectional = false }: RecurrentOptions,
): GraphNode['attributes'] {
  const each = options.length
  const directions = bidirectional ? 2 : 1
  if (all !== undefined && all.length > each * directions) {
    refuse(what, `activations: expected ${each === 1 ? 'one function' : `${each === 3 ? 'three' : 'two'} functions`} for one direction, got ${all.length}`)
  }
  const bound = all?.map((one, n) => bindActivation(one, `${what}: activations[${n}]`))
    ?? options.map(([option, given, otherwise]) => (given === undefined ? bindActivation(otherwise as Activation, what) : bindActivation(given, `${what}: ${option}`)))
  const functions: readonly BoundFunction[] = bound.length === each * directions ? bound : [...bound, ...bound]
  if (functions.every(({ name }, n) => name === options[n % each]?.[2])) return {}
  return {
    activations: functions.map(({ name }) => name),
    ...(functions.some(({ name }) => constantNames(name).length > 0) && {
      activationAlpha: functions.map(({ alpha }) => alpha), activationBeta: functions.map(({ beta }) => beta),
    }),
  }
}
