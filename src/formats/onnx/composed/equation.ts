// The equations of Einsum: `bij,bjk->bik`.
import type { Conversion } from '../conversion.ts'
import { malformed } from '../../protobuf/wire.ts'

/** Labels of the axes of every operand, and of the result. */
export interface Equation {
  readonly operands: readonly (readonly string[])[]
  readonly result: readonly string[]
}

const ELLIPSIS = '...'

/** `b...d` of an operand with four axes -> b, 1..., 0..., d: axes of an ellipsis are counted from its end. */
function labelsOf(c: Conversion, term: string, ellipsis: number): string[] {
  const parts = term.split(ELLIPSIS)
  if (parts.length > 2 || !/^[A-Za-z]*$/.test(parts.join(''))) throw malformed(`${c.label}: expected letters and at most one '...' for each operand, got ${JSON.stringify(term.slice(0, 100))}`)
  const [front = '', back] = parts
  if (back === undefined) return Array.from(front)
  return [...Array.from(front), ...Array.from({ length: ellipsis }, (_, n) => `${ellipsis - 1 - n}${ELLIPSIS}`), ...Array.from(back)]
}

/** How many axes the ellipsis of a term stands for. */
function ellipsisOf(term: string, rank: number): number {
  return term.includes(ELLIPSIS) ? rank - (term.length - ELLIPSIS.length) : 0
}

/**
 * The attribute `equation`. Without `->`, the result has the axes of the ellipses, then in alphabetical order those whose letter is there once.
 * @throws LstmError `FORMAT` for what is no equation of these operands, `UNSUPPORTED` for a letter that an operand has twice
 */
export function readEquation(c: Conversion): Equation {
  const equation = c.string('equation', '').replace(/\s/g, '')
  const [left = '', right, ...more] = equation.split('->')
  const terms = left.split(',')
  if (more.length > 0 || terms.length !== c.inputs.length) {
    throw malformed(`${c.label}: expected an equation of ${c.inputs.length} operands, got ${JSON.stringify(equation.slice(0, 100))}`)
  }
  const ranks = terms.map((_, position) => c.type(c.input(position)).shape.length)
  const ellipses = terms.map((term, position) => ellipsisOf(term, ranks[position] as number))
  const operands = terms.map((term, position) => labelsOf(c, term, ellipses[position] as number))
  operands.forEach((labels, position) => {
    if (labels.length !== ranks[position]) throw malformed(`${c.label}: the equation ${JSON.stringify(equation)} gives ${labels.length} axes to operand ${position}, which has ${ranks[position]}`)
    if (new Set(labels).size < labels.length) throw c.unsupported(`the equation ${JSON.stringify(equation)}: a letter that operand ${position} has twice (a diagonal)`)
  })
  const all = operands.flat()
  const once = [...new Set(all)].filter((label) => label.length === 1 && all.indexOf(label) === all.lastIndexOf(label)).sort()
  const result = labelsOf(c, right ?? `${ELLIPSIS}${once.join('')}`, Math.max(...ellipses))
  const lost = all.find((label) => label.length > 1 && !result.includes(label))
  if (new Set(result).size < result.length || lost !== undefined || result.some((label) => !all.includes(label))) {
    throw malformed(`${c.label}: expected a result with axes of the operands, each once, and all of '...', got the equation ${JSON.stringify(equation)}`)
  }
  return { operands, result }
}
