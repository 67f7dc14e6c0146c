import { LstmError } from '../../errors.ts'
import { NdArray } from '../../values/ndarray.ts'
import { formatShape, lengthOf, type Dimension, type SymbolicShape } from '../../values/shape.ts'
import { numberOf, switchOf } from '../node/attributes.ts'
import { label, requireInput } from '../node/checks.ts'
import { broadcastShapes, knownLength } from '../node/sizes.ts'
import { planBinary, positionsOf } from '../layout/broadcast.ts'
import type { GraphNode } from '../graph-data.ts'
import type { InferenceContext, Operator, Slot } from '../operator.ts'
import { WORKS_ALONG } from '../time/rules.ts'
import { along, timeAxis } from '../time/timing.ts'
import { productCall } from './dense.ts'
import type { MatrixInputs, PackedConstant } from './matrices.ts'
import { isSmallProduct, matrixLayout, multiplyConstants, planPacked, preparePacked, workspaceOf } from './packed.ts'

interface GemmSettings {
  readonly alpha: number
  readonly beta: number
  readonly transA: boolean
  readonly transB: boolean
}

function readSettings(node: GraphNode): GemmSettings {
  return {
    alpha: Math.fround(numberOf(node, 'alpha', 1)), beta: Math.fround(numberOf(node, 'beta', 1)),
    transA: switchOf(node, 'transA'), transB: switchOf(node, 'transB'),
  }
}

/** The shape of the result, and how many terms a sum has. */
function sizes(node: GraphNode, context: InferenceContext, { transA, transB }: GemmSettings): { shape: SymbolicShape, k: Dimension } {
  const a = requireInput(node, context, 0, 'float32', 2).shape
  const b = requireInput(node, context, 1, 'float32', 2).shape
  const [m, k] = (transA ? [a[1], a[0]] : a) as [Dimension, Dimension]
  const [rows, n] = (transB ? [b[1], b[0]] : b) as [Dimension, Dimension]
  if (typeof k === 'number' && typeof rows === 'number' && k !== rows) {
    const transposed = transA || transB ? ` (transA ${transA}, transB ${transB})` : ''
    throw new LstmError('SHAPE', `${label(node)}: expected as many columns as rows, got ${formatShape(a)} and ${formatShape(b)}${transposed}`)
  }
  const shape = [m, n]
  if (context.input(2) !== undefined) {
    const c = requireInput(node, context, 2, 'float32').shape
    const result = broadcastShapes(node, [shape, c])
    if (result.length > 2 || result.some((size, axis) => typeof size === 'number' && typeof shape[axis] === 'number' && size !== shape[axis])) {
      throw new LstmError('SHAPE', `${label(node)}: expected a third input that broadcasts to ${formatShape(shape)}, got ${formatShape(c)}`)
    }
  }
  return { shape, k }
}

/** The second input is the weight. */
const weightOf = (transB: boolean): MatrixInputs => ({ weight: 1, columnAxis: transB ? 0 : 1 })

/**
 * alpha A B + beta C. Inputs: A [m, k] ([k, m] with `transA`), B [k, n] ([n, k] with `transB`), C that broadcasts to
 * [m, n] (optional); all float32. Attributes: `alpha` 1, `beta` 1, `transA` 0, `transB` 0. A constant B is packed once.
 */
export const gemm: Operator<GemmSettings, PackedConstant | undefined> = {
  name: 'gemm',
  onnx: 'Gemm',
  mostInputs: 3,
  attributes: ['alpha', 'beta', 'transA', 'transB'],
  time(node, context, { transA }) {
    if (timeAxis(context) !== (transA ? 1 : 0) || context.timing(1) !== undefined || context.timing(2) !== undefined) return WORKS_ALONG
    const c = context.shape(2)
    return c !== undefined && c.length > 1 && c[0] !== 1 ? 'takes other numbers at each timestep' : along(node, 0)
  },
  parse: readSettings,
  infer: (node, context, settings) => [{ dtype: 'float32', shape: sizes(node, context, settings).shape }],
  cost(node, context, settings) {
    const { shape, k } = sizes(node, context, settings)
    return { detail: `${k} -> ${shape[1] as Dimension}`, multiplyAdds: knownLength([k, shape[1] as Dimension]) }
  },
  evaluate(_node, context, settings, [{ shape }]) {
    const values = [0, 1, 2].map((position) => context.value(position))
    const [a, b, c] = values
    if (a === undefined || b === undefined || (c === undefined && context.input(2) !== undefined)) return undefined
    const { alpha, beta, transA, transB } = settings
    const [m, n] = shape as readonly [number, number]
    const k = a.shape[transA ? 0 : 1] as number
    if (!isSmallProduct(m * k * n)) return undefined
    const out = new Float32Array(m * n)
    const matrix = (data: typeof a.data, rows: number, columns: number, transposed: boolean) => (
      { data, rowStride: transposed ? 1 : columns, columnStride: transposed ? rows : 1 }
    )
    multiplyConstants(matrix(a.data, m, k, transA), 0, matrix(b.data, k, n, transB), 0, m, k, n, out, 0)
    const positions = c === undefined ? [] : positionsOf(c.shape, [m, n])
    out.forEach((value, index) => {
      const product = Math.fround(value * alpha)
      const added = c === undefined ? 0 : Math.fround((c.data[positions[index] as number] as number) * beta)
      out[index] = c === undefined ? product : product + added
    })
    return [new NdArray(out, [m, n])]
  },
  narrowWeights: ({ inputs: [, constant = ''] }, _context, { transB }) => [{ constant, axis: weightOf(transB).columnAxis, products: 'int8' }],
  prepare(_node, packer, { transB }) {
    const shape = packer.value(1)?.shape
    if (shape === undefined) return undefined
    const [k, n] = (transB ? [shape[1], shape[0]] : shape) as [number, number]
    return preparePacked(packer, weightOf(transB), matrixLayout(k, n, transB))
  },
  plan(_node, planner, { alpha, beta, transA, transB }, constant) {
    const { gemmF32, scaleF32, transposeF32, copyRows } = planner.kernels
    const [m, n] = planner.outputShape(0) as [number, number]
    const k = planner.shapeOf(0)[transA ? 0 : 1] as number
    let a: Slot = planner.input(0)
    const out = planner.output(0)
    const packed = planPacked(planner, weightOf(transB), matrixLayout(k, n, transB), constant)
    if (transA) {
      const stored = a
      const rows = planner.workspace(m * k * 4)
      planner.step(() => transposeF32(stored.ptr, 0, rows.ptr, 0, 1, k, m))
      a = rows
    }
    const workspace = workspaceOf(planner, packed, m)
    const call = productCall(planner, m, k, n)
    planner.step(() => gemmF32(call.ptr, packed.ptr, a.ptr, out.ptr, workspace.ptr))
    if (alpha !== 1) planner.step(() => scaleF32(out.ptr, alpha, m * n))
    if (!planner.hasInput(2)) return
    const cShape = planner.shapeOf(2)
    let c: Slot = planner.input(2)
    if (beta !== 1) {
      const given = c
      const length = lengthOf(cShape)
      const scaled = planner.workspace(length * 4)
      planner.step(() => {
        copyRows(given.ptr, 0, scaled.ptr, 0, 1, length * 4)
        scaleF32(scaled.ptr, beta, length)
      })
      c = scaled
    }
    planBinary(planner, 'add', 'float32', { slot: out, shape: [m, n] }, { slot: c, shape: cShape }, { slot: out, shape: [m, n] })
  },
}
