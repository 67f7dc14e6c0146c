// The LSTM, GRU and RNN of ONNX: https://onnx.ai/onnx/operators/onnx__LSTM.html, onnx__GRU.html, onnx__RNN.html. With G gates, 4, 3 or 1:
//   X [T, B, F], or [B, T, F] with layout 1; W [D, GH, F]; R [D, GH, H]; B [D, 2GH]: of W, then of R;
//   initial_h, Y_h [D, B, H], or [B, D, H] with layout 1; Y [T, D, B, H] or [B, T, D, H]; the LSTM's initial_c, Y_c as h, and P [D, 3H]
// Where the specification is silent, onnxruntime says what happens.
import type { Attribute } from '../../ops/graph-data.ts'
import { RECURRENT, type RecurrentOp } from '../../ops/recurrent/kinds.ts'
import { findOperator } from '../../ops/registry.ts'
import type { Conversion } from './conversion.ts'
import { plainMatrix, recurrentWeights, type ReadMatrix, type RecurrentLayout } from './recurrent-weights.ts'
import { malformed } from '../protobuf/wire.ts'

/** What PyTorch's exporters make files of that no runtime takes, and the way on. */
export const PROJECTION: string = "the projection of an nn.LSTM with proj_size: load its state dict instead (torch.save(model.state_dict(), 'model.pt'))"

/** Our functions by the names of ONNX, which are written in any case, and the constants that ONNX gives them. */
const ACTIVATIONS: ReadonlyMap<string, { readonly name: string, readonly alpha?: number, readonly beta?: number }> = new Map([
  ['relu', { name: 'relu' }],
  ['tanh', { name: 'tanh' }],
  ['sigmoid', { name: 'sigmoid' }],
  ['softsign', { name: 'softsign' }],
  ['softplus', { name: 'softplus' }],
  ['leakyrelu', { name: 'leakyRelu', alpha: 0.01 }],
  ['thresholdedrelu', { name: 'thresholdedRelu', alpha: 1 }],
  ['elu', { name: 'elu', alpha: 1 }],
  ['affine', { name: 'affine', alpha: 1, beta: 0 }],
  ['scaledtanh', { name: 'scaledTanh', alpha: 1, beta: 1 }],
  ['hardsigmoid', { name: 'hardSigmoid', alpha: 0.2, beta: 0.5 }],
])

/** What differs between the recurrent operators of ONNX. */
interface RecurrentKind extends RecurrentLayout {
  /** Our operator. */
  readonly op: RecurrentOp
  /** Functions a direction: ours are as many, in the same order. */
  readonly functions: number
  /** The attribute that no other operator has, if any. */
  readonly own: readonly string[]
}

const KINDS: Readonly<Record<string, RecurrentKind>> = {
  LSTM: { op: 'lstm', gates: [0, 2, 3, 1], functions: 3, peepholes: [0, 2, 1], own: ['input_forget'] },
  GRU: { op: 'gru', gates: [1, 0, 2], functions: 2, own: ['linear_before_reset'] },
  RNN: { op: 'rnn', gates: [0], functions: 1, own: [] },
}

const ATTRIBUTES = ['activation_alpha', 'activation_beta', 'activations', 'clip', 'direction', 'hidden_size', 'layout']

/** Larger clips clamp nothing. */
const NO_CLIP = 3e38

export function convertRecurrent(c: Conversion): void {
  convertKind(c, c.op, plainMatrix)
}

/** @param name of the operator of ONNX that the node is, but for its matrices */
export function convertKind(c: Conversion, name: string, matrix: ReadMatrix): void {
  const kind = KINDS[name] as RecurrentKind
  c.onlyAttributes([...ATTRIBUTES, ...kind.own])
  const direction = c.string('direction', 'forward')
  const directions = ({ forward: ['forward'], reverse: ['reverse'], bidirectional: ['forward', 'reverse'] } as const)[direction]
  if (directions === undefined) throw malformed(`${c.label}: expected 'forward', 'reverse' or 'bidirectional' for the direction, got '${direction}'`)
  const layout = c.int('layout', 0)
  if (layout !== 0 && layout !== 1) throw malformed(`${c.label}: expected layout 0 or 1, got ${layout}`)
  const { hiddenSize, parameters } = recurrentWeights(c, directions, kind, matrix)
  const wanted = c.int('hidden_size', hiddenSize)
  if (wanted !== hiddenSize) throw malformed(`${c.label}: expected hidden_size ${hiddenSize} for its weights, got ${wanted}`)
  const attributes: Record<string, Attribute> = {
    hiddenSize,
    numLayers: 1,
    direction,
    timeMajor: layout === 0,
    returnSequences: c.isNeeded(0),
    maskRule: 'zero',
    zeroEmptyState: true,
    ...activations(c, kind.functions * directions.length),
    ...clip(c),
    ...ownAttributes(c, name),
  }
  const state = (position: number): string => {
    const name = c.inputs[position] ?? ''
    if (name === '') return ''
    checkUnits(c, name, hiddenSize)
    if (isZero(c, name)) return ''
    return layout === 0 ? name : c.emit('transpose', [name], { perm: [1, 0, 2] })
  }
  const states = RECURRENT[kind.op].states.map((_, n) => n)
  const inputs = [c.input(0), ...states.map((n) => state(5 + n)), '', c.inputs[4] ?? '']
  while (inputs.at(-1) === '') inputs.pop()
  const y = c.isNeeded(0)
  const own = layout === 0
  const outputs = [
    y ? c.unused('Y') : '',
    ...states.map((n) => (c.isNeeded(n + 1) ? (own ? c.output(n + 1) : c.unused(`state${n + 1}`)) : '')),
  ]
  c.emit(kind.op, inputs, attributes, outputs, parameters)
  // [T, B, D H] -> [T, B, D, H] -> [T, D, B, H]
  if (y) {
    const [value] = outputs as [string]
    const shape = c.integers('sizes', [0, 0, directions.length, hiddenSize])
    if (layout === 1) c.emit('reshape', [value, shape], {}, [c.output(0)])
    else if (directions.length === 1) c.emit('unsqueeze', [value, c.integers('axes', [1])], {}, [c.output(0)])
    else c.emit('transpose', [c.emit('reshape', [value, shape])], { perm: [0, 2, 1, 3] }, [c.output(0)])
  }
  if (layout === 1) {
    for (const n of states) if (c.isNeeded(n + 1)) c.emit('transpose', [outputs[n + 1] as string], { perm: [1, 0, 2] }, [c.output(n + 1)])
  }
}

/**
 * Zeros are left out, whatever their size: one that is not that of the layer says that the layer is another one.
 * @throws LstmError `FORMAT`
 */
function checkUnits(c: Conversion, state: string, hiddenSize: number): void {
  const units = c.importer.builder.types.get(state)?.shape.at(-1)
  if (typeof units !== 'number' || units === hiddenSize) return
  const found = `${c.label}: expected initial states of ${hiddenSize} units, as its weights have them, got ${units} in '${state}'`
  if (c.op !== 'LSTM' || units < hiddenSize) throw malformed(found)
  throw malformed(`${found}. PyTorch's exporter drops ${PROJECTION}`)
}

/** The attributes of one operator alone. */
function ownAttributes(c: Conversion, name: string): Record<string, Attribute> {
  if (name === 'GRU') return { resetAfter: c.int('linear_before_reset', 0) !== 0 }
  return name === 'LSTM' && c.int('input_forget', 0) !== 0 ? { coupling: 'forgetIsOneMinusInput' } : {}
}

/** ONNX `clip`: what goes into the activations is clamped. onnxruntime accepts nothing but positive ones. */
function clip(c: Conversion): Record<string, Attribute> {
  if (!c.hasAttribute('clip')) return {}
  const value = c.float('clip', 0)
  if (!(value > 0)) throw malformed(`${c.label}: expected a clip above 0, got ${value}`)
  return value < NO_CLIP ? { clip: value } : {}
}

/**
 * Functions of every direction: gates, candidate and output of an LSTM, gates and candidate of a GRU, one of an RNN. The lists of
 * constants hold those of the functions that have any, one after the other; where a list ends, the rest are defaults (onnxruntime).
 */
function activations(c: Conversion, count: number): Record<string, Attribute> {
  const names = c.strings('activations')
  if (names === undefined || names.length === 0) return {}
  if (names.length !== count) throw malformed(`${c.label}: expected ${count} activations, got ${names.length}`)
  const functions = names.map((name) => {
    const found = ACTIVATIONS.get(name.toLowerCase())
    if (found === undefined) throw c.unsupported(`the activation '${name}'`)
    return found
  })
  const constants = (key: 'alpha' | 'beta'): number[] => {
    const given = [...c.floats(`activation_${key}`) ?? []]
    return functions.map((one) => {
      const otherwise = one[key]
      return otherwise === undefined ? 0 : given.shift() ?? otherwise
    })
  }
  return { activations: functions.map(({ name }) => name), activationAlpha: constants('alpha'), activationBeta: constants('beta') }
}

const MOST_STEPS = 8

/** Whether a state is zeros whatever its size: exporters write out what an absent one means. */
export function isZero(c: Conversion, name: string, steps: number = MOST_STEPS): boolean {
  const value = c.importer.builder.value(name)
  if (value !== undefined) {
    c.importer.spend(0, value.data.length)
    return value.data.every((element) => element === 0)
  }
  const node = c.importer.producer(name)
  if (node === undefined || steps === 0) return false
  if (node.op === 'constantOfShape') return (node.attributes.value ?? 0) === 0
  if (findOperator(node.op)?.carriesZeros === true) return isZero(c, node.inputs[0] as string, steps - 1)
  return node.op === 'concat' && node.inputs.length <= MOST_STEPS && node.inputs.every((input) => isZero(c, input, steps - 4))
}
