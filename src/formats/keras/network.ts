// A model description and weights -> a graph.
import { LstmError } from '../../errors.ts'
import { cancelMoves } from '../../graph/cancel-moves.ts'
import type { Graph, GraphOutput } from '../../graph/graph.ts'
import type { FamilyName } from '../../ops/families.ts'
import type { DType } from '../../values/dtype.ts'
import { describeValue } from '../../values/dtype.ts'
import type { Dimension } from '../../values/shape.ts'
import { Budget } from '../budget.ts'
import { callWithArguments } from './call-arguments.ts'
import { callKey, orderByDepth, orderOf, type PendingCall } from './call-order.ts'
import type { LayerSpec, ModelSpec, TensorRef } from './config.ts'
import { MAX_DEPTH, refsOf } from './config.ts'
import type { Dialect, Origin } from './dialect.ts'
import { Emitter } from './emitter.ts'
import { kindOf, supportedClasses } from './kinds.ts'
import { bindArgument, tensorsOf, type KerasTensor, type LayerCall } from './layer-call.ts'
import { takesMasks } from './layers/attention-heads.ts'
import { isOperation } from './layers/operations.ts'
import { named, policyNotes, policyProblems } from './policies.ts'
import { field, isList } from '../json.ts'
import { malformed, type Settings } from './settings.ts'
import type { LayerWeights, WeightOwner } from './weights.ts'

/**
 * The graph of a Keras model, of operators that are known already. Inputs go by the names of its input layers, outputs by those of the layers they come from.
 *
 * @param batch of a model that keeps states; default: what the file fixes, if it does
 * @throws LstmError `UNSUPPORTED` listing every layer that cannot be run, `FORMAT` for a description that does not hold together,
 *   `VALUE` for the batch of a model that keeps no states
 */
export function buildModel(model: ModelSpec, weights: LayerWeights, { dialect, note }: Origin, budget: Budget = new Budget(0), batch?: number): Graph {
  const problems = modelProblems(model, dialect)
  if (problems.length > 0) {
    throw new LstmError('UNSUPPORTED', `${dialect.name}: layers that are not supported: ${problems.join('; ')}. Supported are ${supportedClasses().join(', ')}`)
  }
  const keepsStates = isStateful(model)
  if (batch !== undefined && !keepsStates) {
    throw new LstmError('VALUE', `${dialect.name}: 'batch' is for models with stateful layers, and this one has none: each run takes the batch that it is given`)
  }
  const emit = new Emitter(budget)
  const consumers = consumersOf(model)
  emit.builder.note(note, ...policyNotes(model))
  const byLayer = new Map(model.layers.map((layer) => [layer.name, layer]))
  const inputs = model.inputs.map((ref, index): KerasTensor => {
    const layer = byLayer.get(ref.layer)
    if (layer?.className !== 'InputLayer') throw malformed(`model '${model.name}': expected the input '${ref.layer}' to be an InputLayer`)
    return addInput(emit, layer, index, consumers.get(ref.layer) ?? [], keepsStates ? { batch } : undefined)
  })
  const passed: Set<LayerWeights> = new Set()
  const outputs = runModel({ model, weights, dialect, emit, passed, prefix: '' }, inputs)
  for (const layer of passed) layer.pass()
  const unread = weights.unread()
  if (unread.length > 0) {
    throw malformed(`no layer reads ${named(unread)}, which ${unread.length === 1 ? 'is a tensor' : 'are tensors'} of the file: the description of the layers is not that of these weights`)
  }
  return cancelMoves(emit.builder.finish(nameOutputs(model.outputs, outputs, budget)), emit.builder.types)
}

/** Every layer that cannot be run, in all models inside the model. */
function modelProblems(model: ModelSpec, dialect: Dialect): string[] {
  return model.layers.flatMap((layer) => layerProblems(layer, dialect))
}

function layerProblems(layer: LayerSpec, dialect: Dialect, depth: number = 0): string[] {
  if (depth > MAX_DEPTH) throw malformed(`expected at most ${MAX_DEPTH} layers inside each other`)
  if (layer.className === 'InputLayer') return []
  if (layer.model !== undefined) return modelProblems(layer.model, dialect)
  const kind = kindOf(layer)
  if (kind === undefined) return [layer.isPython ? `${layer.settings.what}: Python code, which is not in the file or not run here` : layer.settings.what]
  const found = [...policyProblems(layer), ...kind.unsupported?.(layer, dialect, (inner) => layerProblems(inner, dialect, depth + 1)) ?? []]
  const { what } = layer.settings
  return found.map((problem) => (problem.startsWith(`${what}: `) ? problem : `${what}: ${problem}`))
}

/** The families of operators that the layers of a model take. */
export function familiesOf(model: ModelSpec, dialect: Dialect): ReadonlySet<FamilyName> {
  const found: Set<FamilyName> = new Set()
  const visit = (layer: LayerSpec, depth: number): void => {
    if (depth > MAX_DEPTH) throw malformed(`expected at most ${MAX_DEPTH} layers inside each other`)
    layer.model?.layers.forEach((inner) => visit(inner, depth + 1))
    const kind = kindOf(layer)
    for (const family of kind?.families?.(layer) ?? []) found.add(family)
    kind?.unsupported?.(layer, dialect, (inner) => {
      visit(inner, depth + 1)
      return []
    })
  }
  for (const layer of model.layers) visit(layer, 0)
  return found
}

/** Layers that are given the output of another one directly, by its name. */
function consumersOf(model: ModelSpec): Map<string, LayerSpec[]> {
  const consumers: Map<string, LayerSpec[]> = new Map()
  for (const layer of model.layers) {
    const sources = new Set(layer.nodes.flatMap(({ args }) => args.flatMap(refsOf).map((ref) => ref.layer)))
    for (const source of sources) {
      const known = consumers.get(source)
      if (known === undefined) consumers.set(source, [layer])
      else known.push(layer)
    }
  }
  return consumers
}

/** Whether an input is indices: what the first layer does with them tells better than the dtype, which may be float32. */
function isIndices(layers: readonly LayerSpec[]): boolean {
  return layers.length > 0 && layers.every(({ className, settings, model }) => {
    if (className === 'TimeDistributed') return settings.innerClassName('layer') === 'Embedding'
    const first = model?.layers.find((inner) => inner.className !== 'InputLayer')
    return className === 'Embedding' || (model?.className === 'Sequential' && first !== undefined && isIndices([first]))
  })
}

function inputDtype(settings: Settings, layers: readonly LayerSpec[]): DType {
  if (isIndices(layers)) return 'int32'
  const dtype = settings.json('dtype')
  if (typeof dtype !== 'string' || /^b?float/.test(dtype)) return 'float32'
  if (dtype === 'bool' || dtype === 'uint8') return 'uint8'
  if (/^u?int/.test(dtype)) return 'int32'
  throw new LstmError('UNSUPPORTED', `Keras: ${settings.what}: elements of dtype ${describeValue(dtype)}`)
}

/** Sizes of an input; unknown ones are `batch`, then `timesteps` in the first input that has them, then names of their own. */
function inputShape(settings: Settings, name: string, index: number): Dimension[] {
  const whole = settings.json('batch_shape') ?? settings.json('batch_input_shape')
  const part = settings.json('shape') ?? settings.json('input_shape')
  const length = settings.json('input_length') ?? null
  const sizes = isList(whole) ? whole : isList(part) ? [null, ...part] : settings.json('input_dim') === undefined ? undefined : [null, length]
  if (sizes === undefined) throw malformed(`${settings.what}: its shape is not in the file: give the model an Input layer`)
  if (sizes.length > MOST_AXES) throw malformed(`${settings.what}: expected at most ${MOST_AXES} axes, got ${sizes.length}`)
  return sizes.map((size, axis): Dimension => {
    if (typeof size === 'number' && Number.isSafeInteger(size) && size >= 1) return size
    if (size !== null) throw settings.wrong('batch_shape', 'sizes or null', size)
    if (axis === 0) return 'batch'
    if (axis > 1) return `${name}_${axis}`
    return index === 0 ? 'timesteps' : `${name}_timesteps`
  })
}

/** Whether a layer keeps its states from call to call. */
function isStateful({ layers }: ModelSpec): boolean {
  return layers.some(({ settings, model }) => (
    settings.json('stateful') === true || ['layer', 'backward_layer'].some((key) => field(field(settings.json(key), 'config'), 'stateful') === true)
    || (model !== undefined && isStateful(model))
  ))
}

/** A model that keeps states, and the batch that is asked for. */
interface Kept { readonly batch: number | undefined }

function addInput(emit: Emitter, layer: LayerSpec, index: number, layers: readonly LayerSpec[], kept: Kept | undefined): KerasTensor {
  const name = emit.freeName(layer.name)
  // Its sizes are named after it.
  emit.budget.take(MOST_AXES * name.length, 'Keras')
  const dtype = inputDtype(layer.settings, layers)
  const [batch, ...sizes] = inputShape(layer.settings, name, index)
  // A batch that the file fixes binds only where states are kept.
  const shape = batch === undefined ? [] : [kept === undefined ? 'batch' : kept.batch ?? batch, ...sizes]
  const says = kept?.batch === undefined ? 'file' : 'option batch'
  if (kept !== undefined && typeof shape[0] === 'number') {
    emit.builder.note(`the batch of '${name}' is ${shape[0]}, as the ${says} says; layers keep states for it`)
  }
  emit.builder.input({ name, dtype, shape })
  return { value: name, mask: undefined }
}

function nameOutputs(refs: readonly TensorRef[], tensors: readonly KerasTensor[], budget: Budget): GraphOutput[] {
  const taken: Set<string> = new Set()
  const counts: Map<string, number> = new Map()
  return tensors.map(({ value }, index) => {
    const base = refs[index]?.layer ?? `output_${index}`
    budget.build(base)
    let name = base
    let count = counts.get(base) ?? 1
    for (; taken.has(name); count++) name = `${base}_${count}`
    counts.set(base, count)
    taken.add(name)
    return { name, value }
  })
}

/** NumPy's own limit. */
const MOST_AXES = 64
/** What a call takes for each layer and argument, even if it makes no node. */
const CALL_WORK = 100

interface Run {
  readonly model: ModelSpec
  readonly weights: LayerWeights
  /** Of layers that no output needs. */
  readonly passed: Set<LayerWeights>
  readonly dialect: Dialect
  readonly emit: Emitter
  /** Names of the models around it, each with a slash behind. */
  readonly prefix: string
}

/** Makes the nodes of a model's layers, every call after those it depends on, and returns its outputs. */
function runModel(run: Run, inputs: readonly KerasTensor[]): KerasTensor[] {
  const { model } = run
  // A model inside a model may be called any number of times.
  run.emit.budget.work(CALL_WORK * (1 + model.layers.length), 'Keras')
  if (inputs.length !== model.inputs.length) {
    throw malformed(`model '${model.name}': expected ${model.inputs.length} inputs, got ${inputs.length}`)
  }
  const done: Map<string, readonly KerasTensor[]> = new Map(model.inputs.map(({ layer }, index) => [callKey(layer, 0), [inputs[index] as KerasTensor]]))
  const find = ({ layer, node, tensor }: TensorRef): KerasTensor => {
    const found = done.get(callKey(layer, node))?.[tensor]
    if (found === undefined) throw malformed(`model '${model.name}': there is no output ${tensor} of call ${node} of the layer '${layer}'`)
    return found.mask !== undefined && run.emit.takenMasks.has(found.value) ? { value: found.value, mask: undefined } : found
  }
  const calls = callsOf(run)
  const names = new Set(model.layers.map(({ name }) => name))
  for (const { layer } of model.outputs) if (!names.has(layer)) throw malformed(`model '${model.name}': no layer '${layer}'`)
  const ordered = orderOf(model, calls, new Set(done.keys()), run.dialect.masksLinger && run.prefix === '')
  const order = run.dialect.headsTakeMasks && model.layers.some(takesMasks) ? orderByDepth(ordered, calls) : ordered
  const needed = new Set(order.map((key) => calls.get(key)?.layer))
  const others = model.layers.filter((layer) => layer.nodes.length > 0 && layer.className !== 'InputLayer' && !needed.has(layer))
  if (others.length > 0) run.emit.builder.note(`no output of '${model.name}' needs ${named(others.map(({ name }) => name))}`)
  for (const { layer, weights } of calls.values()) if (!needed.has(layer)) run.passed.add(weights)
  const apply = (call: LayerCall): readonly KerasTensor[] => applyLayer(call, run.passed)
  for (const key of order) {
    const { layer, node, weights } = calls.get(key) as PendingCall
    run.emit.budget.work(CALL_WORK * (1 + node.args.length), 'Keras')
    const args = node.args.map((argument) => bindArgument(argument, find))
    const kwargs = new Map([...node.kwargs].map(([name, argument]) => [name, bindArgument(argument, find)]))
    const named = ['inputs', 'sequence', 'sequences'].map((name) => kwargs.get(name))
    const inputs = [...args, ...named].flatMap(tensorsOf)
    if (run.prefix === '' && inputs.some(({ mask }) => mask !== undefined)) run.emit.lastMask = inputs[0]?.mask
    done.set(key, apply({
      layer, path: `${run.prefix}${layer.name}`, inputs, args, kwargs, weights,
      dialect: run.dialect, emit: run.emit, apply,
    }))
  }
  return model.outputs.map(find)
}

/** A layer, or a model that stands as a layer. */
function applyLayer(call: LayerCall, passed: Set<LayerWeights>): readonly KerasTensor[] {
  const { layer, path, weights, dialect, emit } = call
  const { model } = layer
  if (model !== undefined) return callWithArguments(call, ({ inputs }) => runModel({ model, weights, dialect, emit, passed, prefix: `${path}/` }, inputs))
  const kind = kindOf(layer)
  if (kind === undefined) throw new LstmError('UNSUPPORTED', `Keras: ${layer.settings.what}`)
  return isOperation(layer) ? kind.build(call) : callWithArguments(call, kind.build)
}

function callsOf({ model, weights }: Run): Map<string, PendingCall> {
  // An InputLayer, or a function, has no weights; but class names are counted over all layers.
  const owners: WeightOwner[] = model.layers.map(({ className, name }) => ({ className, name }))
  const places = weights.children('layers', owners)
  const calls: Map<string, PendingCall> = new Map()
  model.layers.forEach((layer, position) => {
    layer.nodes.forEach((node, index) => {
      const key = callKey(layer.name, index)
      calls.set(key, { layer, node, key, weights: places[position] as LayerWeights })
    })
  })
  return calls
}
