// A model description and weights -> a graph.
import { LstmError } from '../../errors.ts'
import type { Graph, GraphOutput } from '../../graph/graph.ts'
import { addAllOperators } from '../../ops/more.ts'
import type { DType } from '../../values/dtype.ts'
import { describeValue } from '../../values/dtype.ts'
import type { Dimension } from '../../values/shape.ts'
import { callWithArguments } from './call-arguments.ts'
import type { LayerNode, LayerSpec, ModelSpec, TensorRef } from './config.ts'
import { refsOf } from './config.ts'
import type { Dialect, Origin } from './dialect.ts'
import { Emitter } from './emitter.ts'
import { kindOf, supportedClasses } from './kinds.ts'
import { bindArgument, tensorsOf, type KerasTensor, type LayerCall } from './layer-call.ts'
import { isOperation } from './operations.ts'
import { isList, malformed, type Settings } from './settings.ts'
import type { LayerWeights, WeightOwner } from './weights.ts'

/**
 * The graph of a Keras model. Inputs go by the names of its input layers, outputs by those of the layers they come from.
 *
 * @throws LstmError `UNSUPPORTED` listing every layer that cannot be run, `FORMAT` for a description that does not hold together
 */
export function buildModel(model: ModelSpec, weights: LayerWeights, { dialect, note }: Origin): Graph {
  const problems = modelProblems(model, dialect)
  if (problems.length > 0) {
    throw new LstmError('UNSUPPORTED', `${dialect.name}: layers that are not supported: ${problems.join('; ')}. Supported are ${supportedClasses().join(', ')}`)
  }
  addAllOperators()
  const emit = new Emitter()
  emit.builder.note(note)
  const byLayer = new Map(model.layers.map((layer) => [layer.name, layer]))
  const inputs = model.inputs.map((ref, index): KerasTensor => {
    const layer = byLayer.get(ref.layer)
    if (layer?.className !== 'InputLayer') throw malformed(`model '${model.name}': expected the input '${ref.layer}' to be an InputLayer`)
    return addInput(emit, layer, index, consumers(model, ref.layer))
  })
  const outputs = runModel({ model, weights, dialect, emit, prefix: '' }, inputs)
  return emit.builder.finish(nameOutputs(model.outputs, outputs))
}

/** Every layer that cannot be run, in all models inside the model. */
function modelProblems(model: ModelSpec, dialect: Dialect): string[] {
  return model.layers.flatMap((layer) => layerProblems(layer, dialect))
}

function layerProblems(layer: LayerSpec, dialect: Dialect): string[] {
  if (layer.className === 'InputLayer') return []
  if (layer.model !== undefined) return modelProblems(layer.model, dialect)
  const kind = kindOf(layer)
  if (kind === undefined) return [layer.settings.what]
  const found = kind.unsupported?.(layer, dialect, (inner) => layerProblems(inner, dialect)) ?? []
  return found.map((problem) => `${layer.settings.what}: ${problem}`)
}

/** Layers that are given an input directly. */
function consumers(model: ModelSpec, input: string): LayerSpec[] {
  return model.layers.filter(({ nodes }) => nodes.some(({ args }) => args.flatMap(refsOf).some(({ layer }) => layer === input)))
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
  return sizes.map((size, axis): Dimension => {
    if (typeof size === 'number' && Number.isSafeInteger(size) && size >= 1) return size
    if (size !== null) throw settings.wrong('batch_shape', 'sizes or null', size)
    if (axis === 0) return 'batch'
    if (axis > 1) return `${name}_${axis}`
    return index === 0 ? 'timesteps' : `${name}_timesteps`
  })
}

function addInput(emit: Emitter, layer: LayerSpec, index: number, layers: readonly LayerSpec[]): KerasTensor {
  const name = emit.freeName(layer.name)
  const dtype = inputDtype(layer.settings, layers)
  const shape = inputShape(layer.settings, name, index)
  emit.builder.input({ name, dtype, shape })
  return { value: name, mask: undefined }
}

function nameOutputs(refs: readonly TensorRef[], tensors: readonly KerasTensor[]): GraphOutput[] {
  const taken: Set<string> = new Set()
  return tensors.map(({ value }, index) => {
    const base = refs[index]?.layer ?? `output_${index}`
    let name = base
    for (let count = 1; taken.has(name); count++) name = `${base}_${count}`
    taken.add(name)
    return { name, value }
  })
}

interface Run {
  readonly model: ModelSpec
  readonly weights: LayerWeights
  readonly dialect: Dialect
  readonly emit: Emitter
  /** Names of the models around it, each with a slash behind. */
  readonly prefix: string
}

/** One call of a layer, waiting for what it is given. */
interface PendingCall {
  readonly layer: LayerSpec
  readonly node: LayerNode
  readonly key: string
  readonly weights: LayerWeights
}

function callKey(layer: string, node: number): string {
  return `${node} ${layer}`
}

/** Makes the nodes of a model's layers, every call after those it depends on, and returns its outputs. */
function runModel(run: Run, inputs: readonly KerasTensor[]): KerasTensor[] {
  const { model } = run
  if (inputs.length !== model.inputs.length) {
    throw malformed(`model '${model.name}': expected ${model.inputs.length} inputs, got ${inputs.length}`)
  }
  const done: Map<string, readonly KerasTensor[]> = new Map(model.inputs.map(({ layer }, index) => [callKey(layer, 0), [inputs[index] as KerasTensor]]))
  const find = ({ layer, node, tensor }: TensorRef): KerasTensor => {
    const found = done.get(callKey(layer, node))?.[tensor]
    if (found === undefined) throw malformed(`model '${model.name}': there is no output ${tensor} of call ${node} of the layer '${layer}'`)
    return found
  }
  const calls = callsOf(run)
  for (const { layer } of model.outputs) if (!model.layers.some(({ name }) => name === layer)) throw malformed(`model '${model.name}': no layer '${layer}'`)
  for (const key of orderOf(model, calls, new Set(done.keys()))) {
    const { layer, node, weights } = calls.get(key) as PendingCall
    const args = node.args.map((argument) => bindArgument(argument, find))
    const kwargs = new Map([...node.kwargs].map(([name, argument]) => [name, bindArgument(argument, find)]))
    const named = ['inputs', 'sequence', 'sequences'].map((name) => kwargs.get(name))
    done.set(key, applyLayer({
      layer, path: `${run.prefix}${layer.name}`, inputs: [...args, ...named].flatMap(tensorsOf), args, kwargs, weights,
      dialect: run.dialect, emit: run.emit, apply: applyLayer,
    }))
  }
  return model.outputs.map(find)
}

/** A layer, or a model that stands as a layer. */
function applyLayer(call: LayerCall): readonly KerasTensor[] {
  const { layer, path, weights, dialect, emit, inputs } = call
  const { model } = layer
  if (model !== undefined) return callWithArguments(call, () => runModel({ model, weights, dialect, emit, prefix: `${path}/` }, inputs))
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

/** All tensors a call needs. */
function needsOf({ node }: PendingCall): string[] {
  return [...node.args, ...node.kwargs.values()].flatMap(refsOf).map(({ layer, node: index }) => callKey(layer, index))
}

/** The calls that the outputs need, each after those it needs itself. No recursion: models may be very deep. */
function orderOf(model: ModelSpec, calls: ReadonlyMap<string, PendingCall>, given: ReadonlySet<string>): string[] {
  const ordered: Set<string> = new Set()
  const open: Set<string> = new Set()
  const stack = model.outputs.map(({ layer, node }) => callKey(layer, node)).reverse()
  while (stack.length > 0) {
    const key = stack.at(-1) as string
    const call = calls.get(key)
    const isKnown = (need: string): boolean => given.has(need) || ordered.has(need)
    const waiting = call === undefined || isKnown(key) ? [] : needsOf(call).filter((need) => !isKnown(need) && calls.has(need))
    if (waiting.length === 0) {
      stack.pop()
      open.delete(key)
      if (call !== undefined && !given.has(key)) ordered.add(key)
      continue
    }
    if (open.has(key)) throw malformed(`model '${model.name}': the layer '${call?.layer.name ?? key}' depends on its own output`)
    open.add(key)
    stack.push(...waiting)
  }
  return [...ordered]
}
