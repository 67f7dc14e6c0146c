import { ConvolveCall } from '../../contract/windows/convolve.ts'
import { LstmError } from '../../errors.ts'
import type { TrainingKernels } from '../../runtime/gradient-kernels.ts'
import { formatShape, lengthOf } from '../../values/shape.ts'
import { integersOf } from '../node/lists.ts'
import { label, requireInput } from '../node/checks.ts'
import type { GraphNode } from '../graph-data.ts'
import type { Operator } from '../operator.ts'
import { convolveFields, groupAttribute } from '../windows/convolution.ts'
import { readWindows, splitShape, WINDOW_ATTRIBUTES, type Windows } from '../windows/windows.ts'

interface UnfoldSettings {
  readonly group: number
  readonly windows: Windows
  /** How many windows there are along each axis. */
  readonly counts: readonly number[]
}

function readUnfold(node: GraphNode): UnfoldSettings {
  const counts = node.attributes.counts as readonly number[]
  const each = integersOf(node, 'counts', Array.from(counts, () => 0), 1)
  return { group: groupAttribute(node), windows: readWindows(node, each.length, undefined), counts: each }
}

/**
 * The windows of a convolution, each a row: what its weights are multiplied by. Input: x [batch, length, channels] or [batch, height, width,
 * channels], float32. Attributes: those of `conv`, `kernelShape` among them, and `counts`, how many windows there are along each axis. Result:
 * [group, batch * windows, taps * channels / group], a row in the order (window row, window column, channel).
 */
export const unfold: Operator<UnfoldSettings> = {
  name: 'unfold',
  mostInputs: 1,
  attributes: [...WINDOW_ATTRIBUTES, 'group', 'counts'],
  time: 'unknown',
  parse: readUnfold,
  infer(node, context, { group, windows, counts }) {
    const { shape } = requireInput(node, context, 0, 'float32', counts.length + 2)
    const [batch, channels] = [shape[0], shape.at(-1)]
    if (typeof batch !== 'number' || typeof channels !== 'number' || channels % group !== 0) {
      throw new LstmError('SHAPE', `${label(node)}: expected sizes that are numbers, and channels that ${group} divides, got ${formatShape(shape)}`)
    }
    return [{ dtype: 'float32', shape: [group, batch * lengthOf(counts), lengthOf(windows.kernel) * channels / group] }]
  },
  cost: () => ({ detail: '', multiplyAdds: 0 }),
  plan(_node, planner, { group, windows, counts }) {
    const { unfoldF32 } = planner.kernels as TrainingKernels
    const { batch, channels, sizes } = splitShape(planner.shapeOf(0), true)
    const [, , columns] = planner.outputShape(0) as readonly [number, number, number]
    const call = planner.record(ConvolveCall, convolveFields({ windows, sizes, counts, channels, columns: 0, group }))
    const [x, out] = [planner.input(0), planner.output(0)]
    const [imageBytes, windowsBytes, groupBytes] = [lengthOf(sizes) * channels * 4, lengthOf(counts) * columns * 4, channels / group * 4]
    planner.step(() => {
      for (let g = 0; g < group; g++) {
        for (let n = 0; n < batch; n++) unfoldF32(call.ptr, x.ptr + n * imageBytes + g * groupBytes, out.ptr + (g * batch + n) * windowsBytes)
      }
    })
  },
}
