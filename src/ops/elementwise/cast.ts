import { ElementKind } from '../../contract/arrays/cast.ts'
import { LstmError } from '../../errors.ts'
import { createData, describeValue, type DataOf, type DType } from '../../values/dtype.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import { lengthOf } from '../../values/shape.ts'
import { anyInput, label } from '../node/checks.ts'
import { isFoldable, movementCost, requireSizes } from '../layout/movement.ts'
import type { GraphNode } from '../graph-data.ts'
import type { Operator } from '../operator.ts'

type Kind = keyof typeof ElementKind

const KINDS = Object.keys(ElementKind) as Kind[]

interface Target {
  readonly kind: Kind
  readonly dtype: DType
}

function target(node: GraphNode): Target {
  const kind = KINDS.find((name) => name === node.attributes.to)
  if (kind === undefined) {
    throw new LstmError('VALUE', `${label(node)}: expected ${KINDS.map((name) => `'${name}'`).join(' or ')} for 'to', got ${describeValue(node.attributes.to)}`)
  }
  return { kind, dtype: kind === 'bool' ? 'uint8' : kind }
}

/** One element as another kind; the typed array it is stored in does the rest. */
function castElement(value: number, from: DType, kind: Kind): number {
  if (kind === 'bool') return value === 0 ? 0 : 1
  if (from !== 'float32' || kind === 'float32') return value
  const [least, most] = kind === 'int32' ? [-(2 ** 31), 2 ** 31 - 1] : [0, 255]
  return Number.isNaN(value) ? 0 : Math.max(least, Math.min(most, Math.trunc(value)))
}

/**
 * Elements as another dtype. Inputs: input. Attribute `to` (required): `float32`, `int32`, `uint8`, or
 * `bool`, which is uint8 with 1 for everything but 0. float32 becomes a whole number by truncation
 * towards zero, as large as the dtype allows (NaN: 0); int32 becomes uint8 modulo 256.
 */
export const cast: Operator<Target> = {
  name: 'cast',
  onnx: 'Cast',
  mostInputs: 1,
  attributes: ['to'],
  time: 'pointwise',
  padding: 'kept',
  carriesZeros: true,
  parse: target,
  sizes: (_node, context, { kind }) => (kind === 'int32' ? [context.sizes(0)] : undefined),
  infer: (node, context, { dtype }) => [{ dtype, shape: anyInput(node, context, 0).shape }],
  cost: movementCost,
  evaluate(node, context, { kind, dtype }, types) {
    if (!isFoldable(node, context, types)) return undefined
    const { data, shape, dtype: from } = context.value(0) as ArrayLike
    const out: DataOf = createData(dtype, data.length)
    for (let n = 0; n < data.length; n++) out[n] = castElement(data[n] as number, from, kind)
    return [new NdArray(out, shape)]
  },
  plan(node, planner, { kind }) {
    requireSizes(node, planner)
    const from = planner.dtypeOf(0)
    if (kind === from) {
      planner.alias(0, 0)
      return
    }
    const { castElements } = planner.kernels
    const [fromKind, toKind] = [ElementKind[from], ElementKind[kind]]
    const [x, y] = [planner.input(0), planner.output(0)]
    const length = lengthOf(planner.shapeOf(0))
    planner.step(() => castElements(x.ptr, fromKind, y.ptr, toKind, 0, length))
  },
}
