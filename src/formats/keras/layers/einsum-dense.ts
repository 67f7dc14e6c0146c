// EinsumDense: x and a kernel, by an equation: 'abc,cde->abde'. It is a dense layer of the axes that the kernel takes away, as one, to those that it brings.
import type { NdArray } from '../../../values/ndarray.ts'
import { lengthOf } from '../../../values/shape.ts'
import { permuted } from '../emitter.ts'
import { notSupported, onlyInput, wordsOf, type LayerCall, type LayerKind } from '../layer-call.ts'
import { quantizationOf } from '../policies.ts'
import { int8Matrix } from '../quantized.ts'
import { malformed, type Settings } from '../settings.ts'
import { emitActivation, readActivation } from './activation.ts'

/** Labels of the axes of x, of the kernel, and of the result; those of an ellipsis are numbers, counted from its end. */
interface Labels {
  readonly x: readonly string[]
  readonly kernel: readonly string[]
  readonly result: readonly string[]
}

function labelsOf(term: string, ellipsis: number): string[] {
  return term.split(/(\.\.\.)/).flatMap((part) => (part === '...' ? Array.from({ length: ellipsis }, (_, n) => `${ellipsis - 1 - n}`) : Array.from(part)))
}

/** @throws LstmError `FORMAT` for what is no equation of these axes, `UNSUPPORTED` for one that is more than a dense layer */
function readEquation(settings: Settings, rank: number): Labels {
  const equation = settings.text('equation').replace(/\s/g, '')
  const [, first, second, third] = /^((?:\.\.\.)?[A-Za-z]*(?:\.\.\.)?),([A-Za-z]+)->((?:\.\.\.)?[A-Za-z]*(?:\.\.\.)?)$/.exec(equation) ?? []
  const ellipsis = first === undefined ? 0 : rank - first.replaceAll('.', '').length
  if (first === undefined || second === undefined || third === undefined || ellipsis < 0) throw settings.wrong('equation', `an equation for an input with ${rank} axes`, equation)
  const labels = { x: labelsOf(first, ellipsis), kernel: labelsOf(second, 0), result: labelsOf(third, ellipsis) }
  const { x, kernel, result } = labels
  if (x.length !== rank || result.some((label) => !x.includes(label) && !kernel.includes(label))) throw settings.wrong('equation', `an equation for an input with ${rank} axes`, equation)
  const isTwice = [x, kernel, result].some((list) => new Set(list).size < list.length)
  const isShared = kernel.some((label) => x.includes(label) && result.includes(label))
  const isLost = x.some((label) => !kernel.includes(label) && !result.includes(label)) || kernel.some((label) => !x.includes(label) && !result.includes(label))
  if (isTwice || isShared || isLost || !kernel.some((label) => x.includes(label))) throw notSupported(`${settings.what}: the equation '${equation}', which is no dense layer`)
  return labels
}

/** Axes in another order, where it is another one. */
function inOrder({ emit, path }: LayerCall, name: string, value: string, from: readonly string[], to: readonly string[]): string {
  const perm = to.map((label) => from.indexOf(label))
  return perm.every((axis, n) => axis === n) ? value : emit.node(`${path}/${name}`, 'transpose', [value], { perm })
}

/** Axes from `first` on as these. */
function reshaped({ emit, path }: LayerCall, name: string, value: string, first: number, sizes: readonly number[]): string {
  return emit.node(`${path}/${name}`, 'reshape', [value, emit.integers(...Array.from({ length: first }, () => 0), ...sizes)])
}

export const einsumDense: LayerKind = {
  unsupported: ({ settings }, dialect) => [
    ...wordsOf(() => readActivation(settings.json('activation'), dialect, 'activation')),
    ...(settings.json('lora_rank') === undefined ? [] : ['low-rank additions (lora_rank)']),
  ],
  build(call) {
    const { layer, emit, path, weights, dialect } = call
    const { settings } = layer
    const x = onlyInput(call)
    const labels = readEquation(settings, emit.rankOf(x.value))
    const isQuantized = quantizationOf(layer) !== undefined
    const hasBias = settings.json('bias_axes') !== undefined
    const [kernel, ...more] = weights.take(['kernel', ...(hasBias ? ['bias'] : []), ...(isQuantized ? ['kernel_scale'] : [])], settings.what) as [NdArray, ...NdArray[]]
    if (kernel.shape.length !== labels.kernel.length) throw malformed(`${settings.what}: expected a kernel with ${labels.kernel.length} axes, got ${kernel.shape.length}`)
    const inner = labels.kernel.filter((label) => labels.x.includes(label))
    const outer = labels.result.filter((label) => labels.kernel.includes(label))
    const rows = labels.x.filter((label) => !inner.includes(label))
    const sizesOf = (some: readonly string[]): number[] => some.map((label) => kernel.shape[labels.kernel.indexOf(label)] as number)
    const [inputs, outputs] = [lengthOf(sizesOf(inner)), lengthOf(sizesOf(outer))]
    const moved = inOrder(call, 'rows', x.value, labels.x, [...rows, ...inner])
    const flat = inner.length === 1 ? moved : reshaped(call, 'joined', moved, rows.length, [inputs])
    const weight = emit.constant(`${path}/weight`, kernel, (array) => {
      const turned = permuted(array, [...outer, ...inner].map((label) => labels.kernel.indexOf(label))).reshape([outputs, inputs])
      return isQuantized ? int8Matrix(settings.what, turned, more.at(-1)) : turned
    })
    const product = emit.node(path, 'linear', [flat], {}, { weight })
    const apart = outer.length === 1 ? product : reshaped(call, 'apart', product, rows.length, sizesOf(outer))
    const value = inOrder(call, 'order', apart, [...rows, ...outer], labels.result)
    const shifted = hasBias ? emit.node(`${path}/shifted`, 'add', [value, emit.constant(`${path}/bias`, more[0] as NdArray)]) : value
    return [{ value: emitActivation(call, readActivation(settings.json('activation'), dialect, settings.what), shifted), mask: x.mask }]
  },
}
