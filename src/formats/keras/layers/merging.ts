// Layers that make one tensor of several.
import { notSupported, severalInputs, type KerasTensor, type LayerCall, type LayerKind } from '../layer-call.ts'
import { lastAxes, emitUnit } from './basic-layers.ts'
import { malformed } from '../settings.ts'

/** Inputs with fewer axes get axes of one element behind the batch. */
function alignedInputs({ emit, path, inputs }: LayerCall): string[] {
  const rank = Math.max(...inputs.map(({ value }) => emit.rankOf(value)))
  return inputs.map(({ value }, index) => {
    const missing = rank - emit.rankOf(value)
    if (missing === 0) return value
    return emit.node(`${path}/aligned${index}`, 'unsqueeze', [value, emit.integers(...Array.from({ length: missing }, (_, axis) => axis + 1))])
  })
}

/** Steps that are valid after a merge: see `Dialect.mergedMask`. */
function mergedMask({ emit, path, inputs, dialect }: LayerCall): string | undefined {
  if (dialect.mergedMask === 'none') return undefined
  const masks = inputs.map(({ mask }) => mask).filter((mask) => mask !== undefined)
  // One input without a mask is valid everywhere, and so is what is valid in any: as a mask of ones it would still hide that there is none.
  if (masks.length === 0 || (dialect.mergedMask === 'any' && masks.length < inputs.length)) return undefined
  const op = dialect.mergedMask === 'any' ? 'or' : 'and'
  return masks.reduce((a, b) => (a === b ? a : emit.node(`${path}/mask`, op, [a, b])))
}

type Merge = 'add' | 'sub' | 'mul' | 'max' | 'min'

/** One operator after the other over all inputs. */
export function elementwise(op: Merge, average = false): LayerKind {
  return {
    build(call) {
      const { emit, path, layer, dialect } = call
      const [first, ...more] = alignedInputs(call)
      if (first === undefined || more.length === 0) throw malformed(`${layer.settings.what}: expected at least two inputs, got ${call.inputs.length}`)
      if (op === 'sub' && more.length !== 1) throw malformed(`${layer.settings.what}: expected two inputs, got ${call.inputs.length}`)
      if (dialect.mergedMask === 'any' && call.inputs.some(({ mask }) => mask !== undefined)) {
        if (op === 'mul') return [{ value: productOfValid(call, [first, ...more]), mask: mergedMask(call) }]
        if (op === 'max' || op === 'min') return [{ value: extremeOfValid(call, op, [first, ...more]), mask: mergedMask(call) }]
      }
      const merged = more.reduce((a, b) => emit.node(path, op, [a, b]), first)
      const value = average ? emit.node(`${path}/average`, 'mul', [merged, emit.number(1 / call.inputs.length)]) : merged
      return [{ value, mask: mergedMask(call) }]
    },
  }
}

/** The mask of an input as [batch, timesteps, 1], undefined where it has none. An input that had to be given axes has lost its mask. */
function stepsOf({ emit, path, inputs }: LayerCall, values: readonly string[]): (string | undefined)[] {
  return values.map((value, index) => {
    const { mask, value: own } = inputs[index] as KerasTensor
    if (mask === undefined || value !== own) return undefined
    const axes = Array.from({ length: emit.rankOf(value) - emit.rankOf(mask) }, (_, axis) => emit.rankOf(mask) + axis)
    return axes.length === 0 ? mask : emit.node(`${path}/steps${index}`, 'unsqueeze', [mask, emit.integers(...axes)])
  })
}

/** Keras 3.4: masked steps count as 1; where all inputs have masks, steps that are in none are 0. */
function productOfValid(call: LayerCall, values: readonly string[]): string {
  const { emit, path } = call
  const steps = stepsOf(call, values)
  const factors = values.map((value, index) => {
    const mask = steps[index]
    return mask === undefined ? value : emit.node(`${path}/factor${index}`, 'where', [mask, value, emit.number(1)])
  })
  const product = factors.reduce((a, b) => emit.node(path, 'mul', [a, b]))
  const masks = steps.filter((mask) => mask !== undefined)
  if (masks.length < steps.length) return product
  return emit.node(`${path}/valid`, 'where', [masks.reduce((a, b) => emit.node(`${path}/any`, 'or', [a, b])), product, emit.number(0)])
}

/** Keras 3.4: a masked step takes the value of the inputs before it, and these its value where they are masked. */
function extremeOfValid(call: LayerCall, op: 'max' | 'min', values: readonly string[]): string {
  const { emit, path } = call
  const steps = stepsOf(call, values)
  let [result, mask] = [values[0] as string, steps[0]]
  values.slice(1).forEach((value, index) => {
    const own = steps[index + 1]
    const taken = own === undefined ? value : emit.node(`${path}/taken${index + 1}`, 'where', [own, value, result])
    const kept = mask === undefined ? result : emit.node(`${path}/kept${index}`, 'where', [mask, result, taken])
    mask = own === undefined || mask === undefined ? undefined : emit.node(`${path}/any`, 'or', [mask, own])
    result = emit.node(path, op, [kept, taken])
  })
  return result
}

export const concatenate: LayerKind = {
  build(call) {
    const { emit, path, layer, inputs } = call
    const [first] = severalInputs(call)
    const rank = emit.rankOf(first.value)
    const [axis] = lastAxes(layer.settings, rank, 'axis') as [number]
    const value = inputs.length === 1 ? first.value : emit.node(path, 'concat', inputs.map((input) => input.value), { axis })
    return [{ value, mask: concatenatedMask(call, axis, rank) }]
  },
}

/**
 * Side by side, a step is valid in all inputs (Keras 2) or any (Keras 3), where inputs without a mask
 * are valid everywhere. One after the other in time, masks are too.
 */
function concatenatedMask(call: LayerCall, axis: number, rank: number): string | undefined {
  const { emit, path, inputs, dialect, layer } = call
  if (dialect.mergedMask === 'none' || inputs.every(({ mask }) => mask === undefined)) return undefined
  if (rank === 3 && axis === 1) {
    if (dialect.mergedMask === 'all' && inputs.some(({ mask }) => mask === undefined)) {
      throw notSupported(`${layer.settings.what}: inputs with and without masks, one after the other in time`)
    }
    const masks = inputs.map(({ mask, value }, index) => {
      if (mask !== undefined) return mask
      const sizes = emit.node(`${path}/sizes${index}`, 'shape', [value], { start: 0, end: 2 })
      return emit.node(`${path}/all${index}`, 'constantOfShape', [sizes], { value: 1, dtype: 'uint8' })
    })
    return emit.node(`${path}/mask`, 'concat', masks, { axis: 1 })
  }
  if (axis !== rank - 1) throw notSupported(`${layer.settings.what}: masks and axis ${axis}`)
  return mergedMask(call)
}

/** Sums of products along one axis of each of two inputs, for each row of the batch. */
export const dot: LayerKind = {
  build(call) {
    const { emit, path, layer, inputs } = call
    const [a, b] = inputs
    if (a === undefined || b === undefined || inputs.length !== 2) throw malformed(`${layer.settings.what}: expected two inputs, got ${inputs.length}`)
    const axes = layer.settings.integers('axes')
    const [first, second] = [axes[0], axes[1] ?? axes[0]] as [number, number]
    const one = contracted(call, a, first, 'first')
    const other = contracted(call, b, second, 'second')
    // [batch, m, k] x [batch, n, k] -> [batch, m, n]
    const product = emit.node(path, 'matMul', [one.value, emit.node(`${path}/transposed`, 'transpose', [other.value], { perm: [0, 2, 1] })])
    // Vectors have no axis of their own in the result, except that two of them give one of one element.
    const gone = [...(one.isVector ? [1] : []), ...(other.isVector && !one.isVector ? [2] : [])]
    const value = gone.length === 0 ? product : emit.node(`${path}/result`, 'squeeze', [product, emit.integers(...gone)])
    return [{ value, mask: undefined }]
  },
}

/** [batch, rows, k] where k is the axis to sum over; a vector is one row. */
function contracted({ emit, path, layer }: LayerCall, { value }: KerasTensor, given: number, which: string): { value: string, isVector: boolean } {
  const rank = emit.rankOf(value)
  const axis = given < 0 ? given + rank : given
  if (rank < 2 || rank > 3 || axis < 1 || axis >= rank) throw notSupported(`${layer.settings.what}: axis ${given} of ${rank} axes`)
  const unit = layer.settings.flag('normalize', false) ? emitUnit(emit, `${path}/${which}Unit`, value, [axis]) : value
  if (rank === 2) return { value: emit.node(`${path}/${which}`, 'unsqueeze', [unit, emit.integers(1)]), isVector: true }
  return { value: axis === 2 ? unit : emit.node(`${path}/${which}`, 'transpose', [unit], { perm: [0, 2, 1] }), isVector: false }
}
