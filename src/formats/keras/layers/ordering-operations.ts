// Functions that put elements in order, or in other places, and what stands for those that are no numbers.
import { END, notSupported, type LayerCall } from '../layer-call.ts'
import { axisArgument, FIRST, integerArgument, plain, tensorOf, type Given, type Operation } from './operation.ts'

/** The largest float32. */
const MOST = 3.4028234663852886e38

/** An axis whose size the file says. */
function knownSize(call: LayerCall, x: string, axis: number): number {
  const size = call.emit.shapeOf(x)[axis]
  if (typeof size !== 'number') throw notSupported(`${call.layer.settings.what}: an axis of unknown size`)
  return size
}

/** From the smallest to the largest. */
const sort: Operation = {
  names: [FIRST, 'axis'],
  emit(call, given) {
    const { emit, path } = call
    const x = tensorOf(call, given)
    const axis = axisArgument(call, given[1], emit.rankOf(x), -1)
    return emit.nodeWith(2, path, 'topK', [x, emit.integers(knownSize(call, x, axis))], { axis, largest: 0 })[0] as string
  },
}

/** The largest of each row, and where they are. */
const largest: Operation = {
  names: [FIRST, 'k', 'sorted'],
  emit: (call, given) => call.emit.nodeWith(2, call.path, 'topK', [tensorOf(call, given), call.emit.integers(integerArgument(call, given[1], 'k'))], { axis: -1 }),
}

/** The element in the middle of a row that is in order, or the mean of both. */
const median: Operation = {
  names: [FIRST, 'axis', 'keepdims'],
  emit(call, given) {
    const { emit, path } = call
    const x = tensorOf(call, given)
    const one = plain(given[1])
    const axis = axisArgument(call, Array.isArray(one) && one.length === 1 ? { json: one[0] as number } : given[1], emit.rankOf(x))
    const size = knownSize(call, x, axis)
    const inOrder = emit.nodeWith(2, `${path}/order`, 'topK', [x, emit.integers(size)], { axis, largest: 0 })[0] as string
    const [begin, end] = [Math.floor((size - 1) / 2), Math.floor(size / 2) + 1]
    const middle = emit.node(`${path}/middle`, 'slice', [inOrder, ...[begin, end, axis].map((value) => emit.integers(value))])
    return emit.node(path, 'reduceMean', [middle, emit.integers(axis)], { keepdims: plain(given[2]) === true })
  },
}

/** Numbers for NaN and both infinities. */
const numbersOnly: Operation = {
  names: [FIRST, 'nan', 'posinf', 'neginf'],
  emit(call, given) {
    const { emit, path } = call
    const x = tensorOf(call, given)
    const [nan, above, below] = [0, MOST, -MOST].map((otherwise, n) => emit.number(Number(plain(given[n + 1]) ?? otherwise))) as [string, string, string]
    const low = emit.node(`${path}/low`, 'where', [emit.node(`${path}/isLow`, 'less', [x, emit.number(-MOST)]), below, x])
    const high = emit.node(`${path}/high`, 'where', [emit.node(`${path}/isHigh`, 'greater', [x, emit.number(MOST)]), above, low])
    return emit.node(path, 'where', [emit.node(`${path}/isNaN`, 'isNaN', [x]), nan, high])
  },
}

/** Elements further on along an axis; those at its end come to its beginning. */
const roll: Operation = {
  names: [FIRST, 'shift', 'axis'],
  emit(call, given: Given) {
    const { emit, path } = call
    const x = tensorOf(call, given)
    const shift = integerArgument(call, given[1], 'shift')
    if ((plain(given[2]) ?? null) === null) throw notSupported(`${call.layer.settings.what}: no axis`)
    const axis = axisArgument(call, given[2], emit.rankOf(x))
    const size = emit.shapeOf(x)[axis]
    // An axis of any size has one element at least.
    const by = typeof size === 'number' ? ((shift % size) + size) % size : Math.abs(shift) <= 1 ? shift : knownSize(call, x, axis)
    if (by === 0) return x
    const part = (name: string, begin: number, end: number): string => emit.node(`${path}/${name}`, 'slice', [x, ...[begin, end, axis].map((value) => emit.integers(value))])
    return emit.node(path, 'concat', [part('end', -by, END), part('begin', 0, -by)], { axis })
  },
}

/** By Keras 3's class names, in lower case, and TensorFlow's function names. */
export const ORDERING_FUNCTIONS: Readonly<Record<string, Operation>> = {
  sort, 'topk': largest, 'math.top_k': largest, 'nn.top_k': largest, median, 'nantonum': numbersOnly, roll,
}
