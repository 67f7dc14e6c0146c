import { LstmError } from '../../../errors.ts'
import type { Conversion } from '../conversion.ts'
import { WITHOUT_LISTS } from '../lists.ts'
import { UNSUPPORTED_VALUE, type Resolved } from '../scope.ts'
import { Inside } from './inside.ts'

/**
 * The branch of an If whose condition is known takes its place. Where it follows from sizes, both are kept until they are numbers.
 * @throws LstmError `UNSUPPORTED` where it follows from elements, naming the inputs that would have to be fixed
 */
export function convertIf(c: Conversion): void {
  const condition = c.value(0)
  if (condition !== undefined && condition.data.length !== 1) throw c.unsupported(`a condition of ${condition.data.length} elements`)
  const values = condition === undefined ? squeezed(c) : c.inline(condition.data[0] === 0 ? 'else_branch' : 'then_branch')
  if (values === undefined) return keepBoth(c)
  values.forEach((value, position) => c.alias(position, value))
}

/** As one operator with both graphs inside. */
function keepBoth(c: Conversion): void {
  if (!c.importer.followsFromSizes(c.input(0))) throw unknownCondition(c)
  const branches = (['then', 'else'] as const).map((name) => {
    const inside = new Inside(c)
    const outputs = inside.add(c.graph(`${name}_branch`))
    if (outputs?.some((value) => inside.importer.lists.has(value))) throw c.unsupported(`a result of a choice by sizes that is a list of tensors ${WITHOUT_LISTS}`)
    return outputs && inside.bodyOf(inside.finish([], outputs), name)
  })
  const [first, second] = branches
  if (first === undefined || second === undefined) {
    for (let position = 0; position < c.outputCount; position++) c.alias(position, UNSUPPORTED_VALUE)
    return
  }
  c.emit(
    'choice', [c.input(0), ...first.inputs, ...second.inputs], { thenInputs: first.inputs.length },
    Array.from({ length: c.outputCount }, (_, position) => c.output(position)), { ...first.parameters, ...second.parameters },
    { then: first.body, else: second.body },
  )
}

function unknownCondition(c: Conversion): LstmError {
  const inputs = c.importer.dependencies(c.input(0)).map((name) => JSON.stringify(name))
  const hint = inputs.length === 0
    ? 'it does not follow from constants'
    : `it depends on the inputs ${inputs.join(', ')}: fix what decides it with the option 'constants', as in { constants: { ${inputs.at(-1)}: value } }`
  return new LstmError('UNSUPPORTED', `onnx: ${c.label}: which branch to take must be known beforehand; ${hint}`)
}

/**
 * PyTorch exports `x.squeeze(axis)` as: if the axis has one element, Squeeze it, else leave x alone. Where the size
 * is not known, the branch that squeezes is taken: when it turns out to be another one, squeeze itself is an error.
 */
function squeezed(c: Conversion): readonly Resolved[] | undefined {
  const axis = axisOfOne(c)
  if (axis === undefined) return undefined
  const [then, ...more] = c.inline('then_branch')
  const otherwise = c.inline('else_branch')
  if (typeof then !== 'string' || more.length > 0 || otherwise.length !== 1 || otherwise[0] !== axis.of) return undefined
  const node = c.importer.producer(then)
  if (node?.op !== 'squeeze' || node.inputs[0] !== axis.of) return undefined
  const axes = single(c, node.inputs[1])
  const rank = c.type(axis.of).shape.length
  return axes !== undefined && (axes + rank) % rank === (axis.index + rank) % rank ? [then] : undefined
}

/** The value and axis that a condition compares with 1: equal(gather(shape(of), index), 1). */
function axisOfOne(c: Conversion): { readonly of: string, readonly index: number } | undefined {
  let equal = c.importer.producer(c.input(0))
  if (equal?.op === 'cast') equal = c.importer.producer(equal.inputs[0] as string)
  if (equal?.op !== 'equal') return undefined
  const [left, right] = equal.inputs as [string, string]
  const size = single(c, right) === 1 ? left : single(c, left) === 1 ? right : ''
  const gather = c.importer.producer(size)
  const shape = gather?.op === 'gather' ? c.importer.producer(gather.inputs[0] as string) : undefined
  const index = single(c, gather?.inputs[1])
  if (shape?.op !== 'shape' || Object.keys(shape.attributes).length > 0 || index === undefined) return undefined
  return { of: shape.inputs[0] as string, index }
}

/** The only element of a constant. */
function single(c: Conversion, name: string = ''): number | undefined {
  const data = c.importer.builder.value(name)?.data
  return data?.length === 1 ? data[0] : undefined
}
