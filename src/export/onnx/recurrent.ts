// Recurrent layers as LSTM, GRU and RNN of ONNX, a node for each layer, where these have all that is asked for; others are spelled out (recurrent-scan.ts).
// With G gates and D directions: X [T, B, F]; W [D, GH, F]; R [D, GH, H]; B [D, 2GH]; P [D, 3H]; Y [T, D, B, H]; states [D, B, H].
import type { BoundFunction } from '../../ops/elementwise/functions.ts'
import { RECURRENT, type RecurrentOp } from '../../ops/recurrent/kinds.ts'
import { roleOf, type Direction } from '../../ops/recurrent/layer-settings.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import { lengthOf } from '../../values/shape.ts'
import { functionsOf, type AnySettings } from '../recurrent-settings.ts'
import type { Attributes, NodeExport } from './node-export.ts'
import { backwards, perLayer, writeSequence, writeStates } from './recurrent-ports.ts'
import { writeScans } from './recurrent-scan.ts'

/** Where the gates of ONNX stand in ours: LSTM i, o, f, c in i, f, g, o; GRU z, r, h in r, z, n. */
const GATES: Readonly<Record<RecurrentOp, readonly number[]>> = { lstm: [0, 3, 1, 2], gru: [1, 0, 2], rnn: [0] }
/** Where its peepholes i, o, f stand in ours: i, f, o. */
const PEEPHOLES = [0, 2, 1]

/** Functions that are activations of recurrent operators in ONNX, and the constants they have there. */
const ACTIVATIONS: Readonly<Record<string, { readonly onnx: string, readonly constants: 0 | 1 | 2 }>> = {
  sigmoid: { onnx: 'Sigmoid', constants: 0 }, tanh: { onnx: 'Tanh', constants: 0 }, relu: { onnx: 'Relu', constants: 0 }, softsign: { onnx: 'Softsign', constants: 0 },
  softplus: { onnx: 'Softplus', constants: 0 }, leakyRelu: { onnx: 'LeakyRelu', constants: 1 }, elu: { onnx: 'Elu', constants: 1 },
  thresholdedRelu: { onnx: 'ThresholdedRelu', constants: 1 }, affine: { onnx: 'Affine', constants: 2 }, scaledTanh: { onnx: 'ScaledTanh', constants: 2 },
  hardSigmoid: { onnx: 'HardSigmoid', constants: 2 }, linear: { onnx: 'Affine', constants: 2 },
}

const allFunctions = (settings: AnySettings): BoundFunction[] => settings.directions.flatMap((_, index) => functionsOf(settings, index))

/** Whether an operator of ONNX does it. */
function isNative(c: NodeExport<AnySettings>): boolean {
  const { settings } = c
  const { states } = RECURRENT[c.node.op as RecurrentOp]
  const hasActivations = allFunctions(settings).every(({ name, beta }) => Object.hasOwn(ACTIVATIONS, name) && (name !== 'thresholdedRelu' || beta === 0))
  const { hasProjection, layerNorm, cellClip = 0, coupling = 'none', maskRule } = settings
  return hasActivations && !hasProjection && !layerNorm && cellClip === 0 && coupling !== 'inputIsOneMinusForget' && !c.has(1 + states.length)
    && (!c.has(2 + states.length) || maskRule === 'zero')
}

/** Writes an lstm, gru or rnn node. */
export function writeRecurrent(c: NodeExport<AnySettings>): void {
  const { settings } = c
  if (settings.stateful) throw c.unsupported('states that are kept from run to run; make the layer without stateful, and carry its states as inputs and outputs')
  if (settings.delaySamples > 1) throw c.unsupported(`delaySamples ${settings.delaySamples}, states of several steps before`)
  if (isNative(c)) writeNative(c)
  else writeScans(c)
}

function writeNative(c: NodeExport<AnySettings>): void {
  const op = c.node.op as RecurrentOp
  const { states } = RECURRENT[op]
  const { settings } = c
  const { numLayers, directions, returnSequences, timeMajor, hiddenSize, reversedOutput } = settings
  const wantsY = c.isNeeded(0)
  const lengths = c.as(2 + states.length, 'int32')
  const initial = states.map((_, n) => perLayer(c, 1 + n, numLayers))
  const finals = states.map((): string[] => [])
  let x = timeMajor ? c.any(0) : c.emit('Transpose', [c.any(0)], { perm: [1, 0, 2] })
  let last = ''
  for (let layer = 0; layer < numLayers; layer++) {
    const isLast = layer === numLayers - 1
    const wanted = states.map((state, n) => c.isNeeded(1 + n) || (state === 'h' && isLast && !returnSequences && wantsY))
    const hasY = !isLast || (returnSequences && wantsY)
    const fresh = (what: string): string => c.emission.file.names.unused(`${c.node.name}.${what}`)
    const outputs = [hasY ? fresh('Y') : '', ...wanted.map((is, n) => (is ? fresh(`Y_${states[n]}`) : ''))]
    const inputs = [x, ...weightsOf(c, op, layer), lengths, ...initial.map((names) => names[layer] ?? '')]
    if (op === 'lstm') inputs.push(...Array.from({ length: 7 - inputs.length }, () => ''), peepholesOf(c, layer))
    c.emission.emitNode(op.toUpperCase(), inputs, attributesOf(settings, op), outputs)
    states.forEach((_, n) => {
      const name = outputs[1 + n] as string
      finals[n]?.push(name === '' ? '' : keptWhereEmpty(c, name, initial[n]?.[layer] ?? '', lengths))
    })
    if (hasY) x = joined(c, outputs[0] as string, directions.length, hiddenSize)
    if (isLast) last = finals[0]?.at(-1) ?? ''
  }
  if (wantsY) {
    if (returnSequences) writeSequence(c, reversedOutput ? backwards(c, x, 0) : x, true)
    else writeLastStep(c, last, directions.length, hiddenSize)
  }
  writeStates(c, finals)
}

/** [D, B, H] -> [B, D H] */
function writeLastStep(c: NodeExport<AnySettings>, h: string, directions: number, size: number): void {
  if (directions === 1) c.emitOutput('Squeeze', [h, c.integers('axis', [0])])
  else c.emitOutput('Reshape', [c.emit('Transpose', [h], { perm: [1, 0, 2] }), c.integers('sizes', [0, directions * size])])
}

/** [T, D, B, H] -> [T, B, D H] */
function joined(c: NodeExport, y: string, directions: number, size: number): string {
  if (directions === 1) return c.emit('Squeeze', [y, c.integers('axis', [1])])
  return c.emit('Reshape', [c.emit('Transpose', [y], { perm: [0, 2, 1, 3] }), c.integers('sizes', [0, 0, directions * size])])
}

/** The state of a row without a step is its first one; onnxruntime makes zeros of it. */
function keptWhereEmpty(c: NodeExport<AnySettings>, state: string, initial: string, lengths: string): string {
  if (initial === '' || lengths === '' || c.settings.zeroEmptyState) return state
  const isEmpty = c.emit('Equal', [lengths, c.constant('none', new NdArray(Int32Array.of(0), []))])
  return c.emit('Where', [c.emit('Unsqueeze', [isEmpty, c.integers('axis', [1])]), initial, state])
}

function attributesOf(settings: AnySettings, op: RecurrentOp): Attributes {
  const { directions, hiddenSize, clip, coupling, resetAfter } = settings
  const functions = allFunctions(settings)
  const constants = (key: 'alpha' | 'beta'): { floats: number[] } | undefined => {
    const floats = functions.flatMap(({ name, [key]: value }) => {
      const count = ACTIVATIONS[name]?.constants ?? 0
      return count < (key === 'alpha' ? 1 : 2) ? [] : [name === 'linear' ? Number(key === 'alpha') : value]
    })
    return floats.length > 0 ? { floats } : undefined
  }
  return {
    hidden_size: hiddenSize,
    direction: directions.length > 1 ? 'bidirectional' : directions[0],
    activations: functions.map(({ name }) => ACTIVATIONS[name]?.onnx as string),
    activation_alpha: constants('alpha'), activation_beta: constants('beta'),
    clip: clip === 0 ? undefined : { float: clip },
    input_forget: coupling === 'forgetIsOneMinusInput' ? 1 : undefined,
    linear_before_reset: op === 'gru' ? Number(resetAfter) : undefined,
  }
}

/** Blocks of an array, one for each gate, in another order. */
function reordered(data: ArrayLike['data'], order: readonly number[]): Float32Array {
  const block = data.length / order.length
  const out = new Float32Array(data.length)
  order.forEach((from, to) => out.set(data.subarray(from * block, (from + 1) * block), to * block))
  return out
}

/** The parts of all directions one after the other, with an axis for them in front. */
function stacked(parts: readonly Float32Array[], shape: readonly number[]): NdArray {
  const out = new Float32Array(parts.length * lengthOf(shape))
  parts.forEach((part, n) => out.set(part, n * part.length))
  return new NdArray(out, [parts.length, ...shape])
}

/** W, R and B of a layer; B is absent where there is no bias. */
function weightsOf(c: NodeExport<AnySettings>, op: RecurrentOp, layer: number): string[] {
  const { directions, hiddenSize, forgetBias = 0 } = c.settings
  const { gates } = RECURRENT[op]
  const order = GATES[op]
  const of = (direction: Direction, weight: string): ArrayLike | undefined => c.weight(roleOf(layer, direction, weight))
  const matrix = (what: string): string => {
    const parts = directions.map((direction) => of(direction, what) as ArrayLike)
    return c.constant(`${layer}.${what}`, stacked(parts.map(({ data }) => reordered(data, order)), (parts[0] as ArrayLike).shape))
  }
  const biases = ['inputBias', 'recurrentBias'] as const
  const hasBias = forgetBias !== 0 || directions.some((direction) => biases.some((what) => of(direction, what) !== undefined))
  const both = (direction: Direction): Float32Array => {
    const joined = new Float32Array(2 * gates * hiddenSize)
    biases.forEach((what, n) => {
      const own = Float32Array.from(of(direction, what)?.data ?? new Float32Array(gates * hiddenSize))
      if (what === 'inputBias' && forgetBias !== 0) for (let unit = hiddenSize; unit < 2 * hiddenSize; unit++) own[unit] = (own[unit] as number) + forgetBias
      joined.set(reordered(own, order), n * gates * hiddenSize)
    })
    return joined
  }
  const bias = hasBias ? c.constant(`${layer}.bias`, stacked(directions.map(both), [2 * gates * hiddenSize])) : ''
  return [matrix('inputWeights'), matrix('recurrentWeights'), bias]
}

function peepholesOf(c: NodeExport<AnySettings>, layer: number): string {
  const { directions, hiddenSize } = c.settings
  const parts = directions.map((direction) => c.weight(roleOf(layer, direction, 'peepholes')))
  if (parts.every((part) => part === undefined)) return ''
  return c.constant(`${layer}.peepholes`, stacked(parts.map((part) => reordered(part?.data ?? new Float32Array(3 * hiddenSize), PEEPHOLES)), [3 * hiddenSize]))
}
