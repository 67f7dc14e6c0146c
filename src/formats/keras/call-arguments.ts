// What a layer is called with besides its inputs: nothing of it may be dropped in silence.
import type { LayerSpec } from './config.ts'
import { RECURRENT_LAYERS } from './layers/cells.ts'
import { notSupported, tensorsOf, type BoundArgument, type KerasTensor, type LayerCall } from './layer-call.ts'
import { malformed } from './settings.ts'

/** Arguments that the kinds of layers read themselves. */
const READ: ReadonlySet<string> = new Set(['inputs', 'sequence', 'sequences', 'initial_state', 'states', 'return_attention_scores', 'use_causal_mask'])

/** What only this layer reads. */
const READ_BY: Readonly<Record<string, readonly string[]>> = {
  MultiHeadAttention: ['query', 'value', 'key', 'attention_mask', 'query_mask', 'value_mask', 'key_mask'],
}

/** Layers with a mask for each tensor of a list. */
const LISTS: ReadonlySet<string> = new Set(['Attention', 'AdditiveAttention'])

/** Layers that do in training what they do not do else. */
const IN_TRAINING: ReadonlySet<string> = new Set([
  'Dropout', 'SpatialDropout1D', 'SpatialDropout2D', 'AlphaDropout', 'GaussianDropout', 'GaussianNoise', 'BatchNormalization',
])

/** Whether an argument says nothing: null, or what it is anyway. */
function isOff(argument: BoundArgument | undefined): boolean {
  if (argument === undefined) return true
  return 'list' in argument ? argument.list.every(isOff) : 'json' in argument && (argument.json === null || argument.json === false || argument.json === 0)
}

function dropsOut({ settings }: LayerSpec): boolean {
  return ['dropout', 'recurrent_dropout'].some((key) => settings.json(key) !== undefined && settings.json(key) !== 0)
}

/** The masks of a list of tensors, undefined for those that have none. */
function masksOf(argument: BoundArgument | undefined): (KerasTensor | undefined)[] {
  if (argument === undefined || 'json' in argument) return [undefined]
  return 'tensor' in argument ? [argument.tensor] : argument.list.flatMap(masksOf)
}

/** The inputs of a model inside a model, or of attention; masks that are arguments take the place of their own. */
function maskedInputs({ layer, inputs }: LayerCall, masks: readonly (KerasTensor | undefined)[]): KerasTensor[] {
  // Attention has none for its key.
  const isEnough = masks.length === inputs.length || (LISTS.has(layer.className) && masks.length === 2)
  if (!isEnough) throw malformed(`${layer.settings.what}: expected a mask for each of ${inputs.length} inputs, got ${masks.length}`)
  return inputs.map(({ value, mask }, index) => ({ value, mask: masks[index]?.value ?? mask }))
}

/**
 * Calls a layer with the mask that is an argument, where one is, in place of that of its input. Which of the two the
 * output has is a matter of the dialect.
 *
 * @throws LstmError `UNSUPPORTED` for arguments that would be left out
 */
export function callWithArguments(call: LayerCall, apply: (call: LayerCall) => readonly KerasTensor[]): readonly KerasTensor[] {
  const { layer, kwargs, inputs, dialect } = call
  const { what } = layer.settings
  if (!isOff(kwargs.get('training')) && (IN_TRAINING.has(layer.className) || dropsOut(layer) || layer.model !== undefined)) {
    throw notSupported(`${what}: called as in training`)
  }
  for (const [name, argument] of kwargs) {
    const isRead = READ.has(name) || READ_BY[layer.className]?.includes(name) === true
    if (!isRead && name !== 'training' && name !== 'mask' && !isOff(argument)) throw notSupported(`${what}: called with ${name}`)
  }
  const mask = kwargs.get('mask')
  if (isOff(mask)) return apply(call)
  if (layer.model !== undefined || LISTS.has(layer.className)) return apply({ ...call, inputs: maskedInputs(call, masksOf(mask)) })
  const [given, ...others] = tensorsOf(mask)
  const [first, ...more] = inputs
  // Of a recurrent layer, further inputs are states.
  const isOne = others.length === 0 && (more.length === 0 || [...RECURRENT_LAYERS, 'RNN', 'Bidirectional'].includes(layer.className))
  if (given === undefined || first === undefined || !isOne) throw notSupported(`${what}: called with mask`)
  const outputs = apply({ ...call, inputs: [{ value: first.value, mask: given.value }, ...more] })
  return dialect.givenMaskSpreads ? outputs : outputs.map((output) => (output.mask === given.value ? { value: output.value, mask: first.mask } : output))
}
