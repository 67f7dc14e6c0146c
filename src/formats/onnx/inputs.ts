import { LstmError } from '../../errors.ts'
import { createData, isDType, storeChecked, type DType } from '../../values/dtype.ts'
import { hasShape, NdArray } from '../../values/ndarray.ts'
import { formatShape, type Dimension, type SymbolicShape } from '../../values/shape.ts'
import type { FormatOptions } from '../reader.ts'
import type { Importer } from './importer.ts'
import type { OnnxGraph, OnnxPort } from './messages.ts'
import { UNSUPPORTED_VALUE, type Scope } from './scope.ts'
import { typeFacts } from './tensors.ts'

/** Adds the inputs of a model: those of `options.constants` as constants, the others as they are. */
export function addInputs(importer: Importer, graph: OnnxGraph, options: FormatOptions, scope: Scope): void {
  const initialized = new Set(graph.initializers.map(({ name }) => name))
  const inputs = graph.inputs.filter(({ name }) => !initialized.has(name))
  const constants = new Map(Object.entries(options.constants ?? {}))
  const unknown = [...constants.keys()].filter((name) => !inputs.some((input) => input.name === name))
  if (unknown.length > 0) {
    const list = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ')
    throw new LstmError('VALUE', `onnx: 'constants' fixes ${list(unknown)}, expected inputs of the model: ${list(inputs.map(({ name }) => name))}`)
  }
  const names = new Set(inputs.flatMap(({ shape }) => shape ?? []).filter((size) => typeof size === 'string'))
  for (const input of inputs) {
    const isDone = importer.attempt(() => {
      const { dtype } = typeFacts(input.type, `the input '${input.name}'`)
      const shape = shapeOf(input, names)
      const value = constants.get(input.name)
      if (value === undefined) importer.builder.input({ name: input.name, dtype, shape })
      else importer.builder.constant(input.name, fixed(value, input.name, dtype, shape))
    })
    scope.set(input.name, isDone ? input.name : UNSUPPORTED_VALUE)
  }
}

/** Sizes without a name get one that no other size has: `x.0` for the first axis of `x`. */
function shapeOf({ name, shape }: OnnxPort, taken: Set<string>): SymbolicShape {
  if (shape === undefined) throw new LstmError('UNSUPPORTED', `the number of axes of the input '${name}' is not known`)
  return shape.map((size, axis): Dimension => {
    if (size !== undefined) return size
    let fresh = `${name}.${axis}`
    while (taken.has(fresh)) fresh += '\''
    taken.add(fresh)
    return fresh
  })
}

/** What a caller fixes an input to; a plain number fills all of it. */
function fixed(value: unknown, name: string, dtype: DType, shape: SymbolicShape): NdArray {
  const what = `onnx: 'constants' for the input '${name}'`
  if (typeof value === 'number') {
    const sizes = shape.map((size) => (typeof size === 'number' ? size : 1))
    const element = createData(dtype, 1)
    storeChecked(element, 0, dtype, value, what)
    const length = sizes.reduce((product, size) => product * size, 1)
    if (length > MOST_FILLED) throw new LstmError('VALUE', `${what}: expected an array for ${formatShape(shape)}, got a number`)
    return new NdArray(createData(dtype, length).fill(element[0] as number), sizes)
  }
  if (!hasShape(value) || !isDType(value.dtype)) throw new LstmError('VALUE', `${what}: expected a number or an array with dtype, shape and data`)
  const fits = value.shape.length === shape.length && shape.every((size, axis) => typeof size === 'string' || size === value.shape[axis])
  if (value.dtype !== dtype || !fits) {
    throw new LstmError('VALUE', `${what}: expected ${dtype} ${formatShape(shape)}, got ${value.dtype} ${formatShape(value.shape)}`)
  }
  return new NdArray(value.data, value.shape)
}

/** A plain number fills so many elements at most: the size is the file's word. */
const MOST_FILLED = 2 ** 16
