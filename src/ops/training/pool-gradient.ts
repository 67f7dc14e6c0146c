import { PoolCall } from '../../contract/windows/pool.ts'
import type { TrainingKernels } from '../../runtime/gradient-kernels.ts'
import { checkShape, type Shape } from '../../values/shape.ts'
import { switchOf, wordOf } from '../node/attributes.ts'
import { hasInput, label, requireInput } from '../node/checks.ts'
import type { Operator } from '../operator.ts'
import { poolFields, type PoolKind } from '../windows/pooling.ts'
import { WINDOW_ATTRIBUTES } from '../windows/windows.ts'

interface PoolGradientSettings {
  /** Of the input of the pool. */
  readonly shape: Shape
  readonly kind: PoolKind
  readonly countPad: boolean
}

/**
 * The gradient of `maxPool`, `averagePool` or `sumPool` by its input. Inputs: gradient of its output; x, its input, absent but for `max`. Attributes: those of
 * the pool, `kind`, and `shape`, that of x. Of equal largest elements of a window, the first one gets it all.
 */
export const poolGradient: Operator<PoolGradientSettings> = {
  name: 'poolGradient',
  mostInputs: 2,
  attributes: [...WINDOW_ATTRIBUTES, 'ceilMode', 'countIncludePad', 'kind', 'shape'],
  time: 'unknown',
  parse: (node) => ({
    shape: checkShape(node.attributes.shape, label(node)), kind: wordOf(node, 'kind', ['max', 'mean', 'sum']), countPad: switchOf(node, 'countIncludePad'),
  }),
  infer(node, context, { shape, kind }) {
    requireInput(node, context, 0, 'float32', shape.length)
    if (kind === 'max') requireInput(node, context, 1, 'float32', shape.length)
    return [{ dtype: 'float32', shape }]
  },
  cost: () => ({ detail: '', multiplyAdds: 0 }),
  plan(node, planner, { shape, kind, countPad }) {
    const { poolGradientF32 } = planner.kernels as TrainingKernels
    const [gradient, out] = [planner.input(0), planner.output(0)]
    const x = hasInput(node, 1) ? planner.input(1) : { ptr: 0 }
    const call = planner.record(PoolCall, poolFields(node, shape, planner.shapeOf(0), kind, countPad))
    planner.step(() => poolGradientF32(call.ptr, x.ptr, gradient.ptr, out.ptr))
  },
}
