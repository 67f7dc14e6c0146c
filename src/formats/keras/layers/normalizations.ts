// GroupNormalization and RMSNormalization.
import { lengthOf } from '../../../values/shape.ts'
import { NdArray } from '../../../values/ndarray.ts'
import { lastAxes } from './basic-layers.ts'
import { notSupported, onlyInput, type LayerKind } from '../layer-call.ts'
import { WINDOWS } from './window-settings.ts'

/** The channels of each group of channels, at all steps, have mean 0 and variance 1. */
export const groupNormalization: LayerKind = {
  families: WINDOWS,
  build(call) {
    const { layer: { settings }, emit, path, weights } = call
    const x = onlyInput(call)
    const shape = emit.shapeOf(x.value)
    const rank = shape.length
    const [axis] = lastAxes(settings, rank, 'axis')
    const channels = shape[rank - 1]
    const given = settings.number('groups', 32)
    if (axis !== rank - 1 || rank < 2 || typeof channels !== 'number') throw notSupported(`${settings.what}: channels that are not the last axis`)
    const groups = given === -1 ? channels : given
    if (!(groups >= 1) || channels % groups !== 0) throw settings.wrong('groups', `a number that divides ${channels}`, given)
    const images = shape.slice(1, -1)
    if (images.length > 1 && !images.every((size) => typeof size === 'number')) throw notSupported(`${settings.what}: several axes of unknown size`)
    const node = (what: string, op: string, value: string, ...sizes: readonly number[]): string => (
      op === 'reshape' ? emit.node(`${path}/${what}`, op, [value, emit.integers(...sizes)]) : emit.node(`${path}/${what}`, op, [value], { perm: sizes })
    )
    const size = channels / groups
    const filled = (what: string, value: number): string => emit.constant(`${path}/${what}`, new NdArray(new Float32Array(groups).fill(value), [groups]))
    // [batch, steps, groups, size] -> [batch, groups, steps size], and back.
    const apart = node('apart', 'transpose', node('groups', 'reshape', images.length > 1 ? node('steps', 'reshape', x.value, 0, -1, channels) : x.value,
      ...rank === 2 ? [0, 1, groups, size] : images.length > 1 ? [0, lengthOf(images as readonly number[]), groups, size] : [0, 0, groups, size]), 0, 2, 1, 3)
    const normal = emit.node(`${path}/normal`, 'instanceNormalization', [node('rows', 'reshape', apart, 0, groups, -1), filled('ones', 1), filled('zeros', 0)], {
      epsilon: settings.number('epsilon', 1e-3),
    })
    const turned = node('turned', 'transpose', node('parts', 'reshape', normal, 0, groups, -1, size), 0, 2, 1, 3)
    let value = node('joined', 'reshape', turned, ...rank === 2 ? [0, channels] : [0, ...images.length > 1 ? images as readonly number[] : [0], channels])
    const [scales, centers] = [settings.flag('scale', true), settings.flag('center', true)]
    const tensors = weights.take([...(scales ? ['gamma'] : []), ...(centers ? ['beta'] : [])], settings.what)
    if (scales) value = emit.node(`${path}/scaled`, 'mul', [value, emit.constant(`${path}/gamma`, tensors[0] as NdArray)])
    if (centers) value = emit.node(path, 'add', [value, emit.constant(`${path}/beta`, tensors.at(-1) as NdArray)])
    return [{ value, mask: x.mask }]
  },
}

/** scale x / sqrt(mean x^2 + epsilon), along the last axis or some of the last. */
export const rmsNormalization: LayerKind = {
  build(call) {
    const { layer: { settings }, emit, path, weights } = call
    const x = onlyInput(call)
    const rank = emit.rankOf(x.value)
    const axes = lastAxes(settings, rank, 'axis').sort((a, b) => a - b)
    if (axes.some((axis, n) => axis !== rank - axes.length + n)) throw notSupported(`${settings.what}: axes that are not the last ones`)
    const [scale] = weights.take(['scale'], settings.what) as [NdArray]
    const squares = emit.node(`${path}/squares`, 'reduceMean', [emit.node(`${path}/square`, 'square', [x.value]), emit.integers(...axes)], { keepdims: true })
    const length = emit.node(`${path}/length`, 'sqrt', [emit.node(`${path}/bounded`, 'add', [squares, emit.number(settings.number('epsilon', 1e-6))])])
    const scaled = emit.node(path, 'mul', [emit.node(`${path}/unit`, 'div', [x.value, length]), emit.constant(`${path}/scale`, scale)])
    return [{ value: scaled, mask: undefined }]
  },
}
