// Operators whose attributes or outputs are not ours one to one.
import type { DType } from '../../values/dtype.ts'
import { NdArray } from '../../values/ndarray.ts'
import type { Conversion } from './conversion.ts'
import { PROJECTION } from './recurrent.ts'
import { typeFacts } from './tensors.ts'
import { malformed } from '../protobuf/wire.ts'

/** Casts to these keep every number that fits int32; to the narrower ones they would not. */
const CAST_TARGETS: ReadonlyMap<string, string> = new Map([
  ['float', 'float32'], ['float16', 'float32'], ['bfloat16', 'float32'], ['double', 'float32'],
  ['int32', 'int32'], ['int64', 'int32'], ['uint8', 'uint8'], ['bool', 'bool'],
])

/** float16, bfloat16 and double are float32 here, int64 is int32. */
export function cast(c: Conversion): void {
  const { name } = typeFacts(c.int('to', 0), `${c.label}: the attribute 'to'`)
  const to = CAST_TARGETS.get(name)
  if (to === undefined) throw c.unsupported(`a cast to ${name}`)
  const attributes = c.attributes('to', 'saturate', 'round_mode')
  if (to === c.type(c.input(0)).dtype) return c.alias(0, c.input(0))
  c.emitOutputs('cast', [c.input(0)], { ...attributes, to })
}

/** To the dtype of another value; where that is uint8 it may be a bool as well. */
export function castLike(c: Conversion): void {
  const { dtype } = c.type(c.input(1))
  if (dtype === 'uint8') throw c.unsupported('a cast to what may be uint8 or bool')
  c.emitOutputs('cast', [c.input(0)], { to: dtype })
}

/** One of the attributes that a value may be. */
export function constant(c: Conversion): void {
  const tensor = c.tensor('value')
  const value = tensor !== undefined ? c.importer.decode(tensor, `${c.label}: its value`) : plainConstant(c)
  if (c.isNeeded(0)) c.importer.builder.constant(c.output(0), value)
}

function plainConstant(c: Conversion): NdArray {
  c.onlyAttributes(['value', 'value_float', 'value_floats', 'value_int', 'value_ints'])
  const floats = c.floats('value_floats')
  if (floats !== undefined) return new NdArray(Float32Array.from(floats), [floats.length])
  const ints = c.ints('value_ints')
  if (ints !== undefined) return new NdArray(Int32Array.from(c.checked(ints)), [ints.length])
  if (c.hasAttribute('value_float')) return new NdArray(Float32Array.of(c.float('value_float', 0)), [])
  if (c.hasAttribute('value_int')) return new NdArray(Int32Array.from(c.checked([c.int('value_int', 0)])), [])
  throw malformed(`${c.label}: expected a value, got none`)
}

/** `value` is a tensor of one element, which also says the dtype; float32 0 without it. */
export function constantOfShape(c: Conversion): void {
  const tensor = c.tensor('value')
  if (tensor === undefined) return c.emitOutputs('constantOfShape', c.inputs, c.attributes())
  const { dtype, data } = c.importer.decode(tensor, `${c.label}: its value`)
  if (data.length !== 1) throw malformed(`${c.label}: expected a value of one element, got ${data.length}`)
  const value = data[0] as number
  // Attributes are finite numbers; masks of attention begin with -Infinity everywhere.
  if (!Number.isFinite(value)) {
    c.onlyAttributes(['value'])
    return c.emitOutputs('expand', [c.scalar('value', value), c.input(0)])
  }
  c.emitOutputs('constantOfShape', c.inputs, { ...c.attributes('value'), value, dtype })
}

/** Nothing at inference, but the rate is kept; the mask, should anyone ask, says that everything is kept. */
export function dropout(c: Conversion): void {
  const training = c.inputs[2] ?? ''
  const isOff = training === '' || c.importer.builder.value(training)?.data.every((flag) => flag === 0) === true
  if (!isOff) throw c.unsupported('training')
  const x = c.input(0)
  const rate = c.value(1)?.data[0] ?? c.float('ratio', 0.5)
  const isNode = c.isNeeded(0) && c.type(x).dtype === 'float32' && c.value(0) === undefined && rate > 0 && rate <= 1
  if (isNode) c.emit('dropout', [x], { rate }, [c.output(0)])
  else c.alias(0, x)
  if (c.isNeeded(1)) {
    const dtype: DType = 'uint8'
    c.emit('constantOfShape', [c.emit('shape', [c.input(0)])], { value: 1, dtype }, [c.output(1)])
  }
}

export function gelu(c: Conversion): void {
  const approximate = c.string('approximate', 'none')
  if (approximate !== 'none' && approximate !== 'tanh') throw c.unsupported(`approximate '${approximate}'`)
  c.emitOutputs(approximate === 'tanh' ? 'geluTanh' : 'gelu', [c.input(0)], c.attributes('approximate'))
}

/** LayerNormalization and RMSNormalization; their means and deviations are not given. */
export function rowNormalization(c: Conversion): void {
  c.requireInt('stash_type', 1)
  c.onlyOutputs(1)
  c.emitOutputs(c.op === 'RMSNormalization' ? 'rmsNormalization' : 'layerNormalization', c.inputs, c.attributes('stash_type'))
}

/** Convolutions and pools over one axis or two. */
export function windowed(c: Conversion): void {
  const axes = c.type(c.input(0)).shape.length - 2
  if (axes > 2) throw c.unsupported(`a window over ${axes} axes (there are 1 and 2)`)
  // The indices of the largest are not given; `storage_order` is about them.
  const pools = c.op === 'MaxPool' || c.op === 'AveragePool'
  if (pools) c.onlyOutputs(1)
  c.emitOutputs(c.op.charAt(0).toLowerCase() + c.op.slice(1), c.inputs, c.attributes(...(pools ? ['storage_order'] : [])))
}

/** Of any number of inputs. */
export function mean(c: Conversion): void {
  c.onlyAttributes([])
  c.emitOutputs('div', [c.emit('sum', c.inputs), c.scalar('count', c.inputs.length)])
}

/** slope x below 0, else x; the slope broadcasts. */
export function pRelu(c: Conversion): void {
  c.onlyAttributes([])
  const x = c.input(0)
  const isNegative = c.emit('less', [x, c.scalar('zero', 0)])
  c.emitOutputs('where', [isNegative, c.emit('mul', [x, c.input(1)]), x])
}

/** Our second constant is ONNX's gamma. */
export function selu(c: Conversion): void {
  c.emitOutputs('selu', [c.input(0)], { ...c.attributes('gamma'), beta: c.hasAttribute('gamma') ? c.float('gamma', 1) : undefined })
}

/** x + bias below -lambd, x - bias above lambd, else 0: two functions of ours are cases of it. */
export function shrink(c: Conversion): void {
  const [bias, lambd] = [c.float('bias', 0), c.float('lambd', 0.5)]
  c.onlyAttributes(['bias', 'lambd'])
  if (bias !== 0 && bias !== lambd) throw c.unsupported(`bias ${bias} with lambd ${lambd}`)
  c.emitOutputs(bias === 0 ? 'hardShrink' : 'softShrink', [c.input(0)], { alpha: lambd })
}

export function swish(c: Conversion): void {
  if (c.float('alpha', 1) !== 1) throw c.unsupported(`alpha ${c.float('alpha', 1)}`)
  c.emitOutputs('silu', [c.input(0)], c.attributes('alpha'))
}

/** Constants of different ranks beside each other are weights and biases that PyTorch's dynamo exporter takes for each other. */
export function concat(c: Conversion): void {
  const shapes = c.inputs.map((_, position) => c.value(position)?.shape)
  const isMixed = shapes.every((shape) => shape !== undefined) && new Set(shapes.map((shape) => shape?.length)).size > 1
  if (isMixed) throw malformed(`${c.label}: expected constants with as many axes each, got ${shapes.map((shape) => `[${shape?.join(', ')}]`).join(' and ')}. PyTorch's dynamo exporter writes so ${PROJECTION}`)
  c.emitOutputs('concat', c.inputs, c.attributes())
}
