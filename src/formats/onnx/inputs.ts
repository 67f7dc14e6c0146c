import { LstmError } from '../../errors.ts'
import { checkNames, fixedValue } from '../../graph/fix-inputs.ts'
import type { Dimension, SymbolicShape } from '../../values/shape.ts'
import type { FormatOptions } from '../reader.ts'
import type { OnnxGraph, OnnxPort } from './messages.ts'
import { UNSUPPORTED_VALUE, type Scope } from './scope.ts'
import type { Surroundings } from './surroundings.ts'
import { typeFacts } from './tensors.ts'
import { malformed } from '../protobuf/wire.ts'

/** NumPy's own limit. */
const MOST_AXES = 64

/** Adds the inputs of a model: those of `options.constants` as constants, the others as they are. */
export function addInputs(importer: Surroundings, graph: OnnxGraph, options: FormatOptions, scope: Scope): void {
  const initialized = new Set(graph.initializers.map(({ name }) => name))
  const inputs = graph.inputs.filter(({ name }) => !initialized.has(name))
  const { constants = {} } = options
  checkNames(constants, inputs, 'onnx')
  const names = new Set(inputs.flatMap(({ shape }) => shape ?? []).filter((size) => typeof size === 'string'))
  for (const input of inputs) {
    const isDone = importer.attempt(() => {
      const { dtype } = typeFacts(input.type, `the input '${input.name}'`)
      importer.spend(MOST_AXES * input.name.length, 0)
      const shape = shapeOf(input, names)
      const described = { name: input.name, dtype, shape }
      if (!Object.hasOwn(constants, input.name)) importer.builder.input(described)
      else importer.builder.constant(input.name, fixedValue(constants[input.name], described, 'onnx'))
    })
    scope.set(input.name, isDone ? input.name : UNSUPPORTED_VALUE)
  }
}

/** Sizes without a name get one that no other size has: `x.0` for the first axis of `x`. */
function shapeOf({ name, shape }: OnnxPort, taken: Set<string>): SymbolicShape {
  if (shape === undefined) throw new LstmError('UNSUPPORTED', `the number of axes of the input '${name}' is not known`)
  if (shape.length > MOST_AXES) throw malformed(`expected at most ${MOST_AXES} axes for the input '${name}', got ${shape.length}`)
  return shape.map((size, axis): Dimension => {
    if (size !== undefined) return size
    let fresh = `${name}.${axis}`
    while (taken.has(fresh)) fresh += '\''
    taken.add(fresh)
    return fresh
  })
}
