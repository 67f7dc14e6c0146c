// The cell that a body computes, told by its equations: LSTM, GRU, plain RNN.
import { findFunction } from '../../../ops/elementwise/functions.ts'
import type { RecurrentOp } from '../../../ops/recurrent/kinds.ts'
import type { Surroundings } from '../surroundings.ts'
import { hardSigmoid, type Affine, type AffineValues, type Applied } from './affine.ts'
import { onlyElement } from './condition.ts'
import type { State } from './steps.ts'

/** A cell, its weights gate by gate in our order. */
export interface Cell {
  readonly op: RecurrentOp
  /** The value that is its input at each step. */
  readonly x: string
  readonly h: State
  readonly c: State | undefined
  readonly functions: readonly Applied[]
  /** What multiplies x, and h, with the biases that go with them. */
  readonly input: readonly { readonly weights: Float32Array, readonly bias: Float32Array }[]
  readonly recurrent: readonly { readonly weights: Float32Array, readonly bias: Float32Array }[]
  readonly resetAfter: boolean
}

/** What values of a body are. */
export class BodyValues {
  readonly importer: Surroundings
  readonly affine: AffineValues

  constructor(importer: Surroundings, affine: AffineValues) {
    this.importer = importer
    this.affine = affine
  }

  /** Both operands, in either order, that a binary node has. */
  pairs(name: string, op: string): (readonly [string, string])[] {
    const node = this.importer.producer(name)
    if (node?.op !== op) return []
    const [a, b] = node.inputs as [string, string]
    return [[a, b], [b, a]]
  }

  /** A function of one variable. */
  applied(name: string): Applied | undefined {
    const node = this.importer.producer(name)
    if (node === undefined) return undefined
    const hard = hardSigmoid(this.importer, node)
    if (hard !== undefined || node.inputs.length !== 1 || findFunction(node.op) === undefined) return hard
    const { alpha, beta } = node.attributes
    return { name: node.op, alpha: alpha as number | undefined, beta: beta as number | undefined, of: node.inputs[0] as string }
  }

  /** A function of an affine sum: a gate, or a candidate. */
  gate(name: string): Gate | undefined {
    const applied = this.applied(name)
    const sum = applied && this.affine.of(applied.of)
    return sum && { applied, sum }
  }

  /** Whether a value is 1 - `of`, or -`of` + 1, as PyTorch writes it. */
  isRest(name: string, of: string): boolean {
    const node = this.importer.producer(name)
    for (const [negative, one] of this.pairs(name, 'add')) {
      const negated = this.importer.producer(negative)
      if (onlyElement(this.importer, one) === 1 && negated?.op === 'neg' && negated.inputs[0] === of) return true
    }
    return node?.op === 'sub' && node.inputs[1] === of && onlyElement(this.importer, node.inputs[0]) === 1
  }
}

interface Gate {
  readonly applied: Applied
  readonly sum: Affine
}

/** The cell whose state `h` becomes `next`; `c` and what it becomes are another state. */
export function cellOf(values: BodyValues, h: State, next: string, others: readonly (readonly [State, string])[]): Cell | undefined {
  for (const [c, nextC] of others) {
    const found = lstm(values, h, next, c, nextC)
    if (found !== undefined) return found
  }
  return gru(values, h, next) ?? rnn(values, h, next)
}

/** c' = f c + i g, h' = o tanh(c') */
function lstm(values: BodyValues, h: State, next: string, c: State, nextC: string): Cell | undefined {
  for (const [o, out] of values.pairs(next, 'mul')) {
    const [output, last] = [values.gate(o), values.applied(out)]
    if (output === undefined || last?.of !== nextC) continue
    for (const [kept, more] of values.pairs(nextC, 'add')) {
      for (const [f, before] of values.pairs(kept, 'mul')) {
        if (before !== c.name) continue
        const forget = values.gate(f)
        for (const [i, g] of values.pairs(more, 'mul')) {
          const [input, candidate] = [values.gate(i), values.gate(g)]
          if (forget === undefined || input === undefined || candidate === undefined) continue
          // i and g are told apart by their functions: the gates have the same. If g has that too, their product is one either way.
          if (!sameFunction(input.applied, forget.applied) || !sameFunction(output.applied, forget.applied)) continue
          const sums = [input, forget, candidate, output].map(({ sum }) => sum)
          const cell = split(h, sums)
          if (cell !== undefined) return { op: 'lstm', h, c, functions: [input.applied, candidate.applied, last], resetAfter: false, ...cell }
        }
      }
    }
  }
  return undefined
}

/** h' = z h + (1 - z) n, or n + z (h - n); n = tanh(x + r (h R + b)), or tanh(x + (r h) R). */
function gru(values: BodyValues, h: State, next: string): Cell | undefined {
  for (const [a, b] of values.pairs(next, 'add')) {
    for (const [z, kept] of values.pairs(a, 'mul')) {
      const update = values.gate(z)
      if (update === undefined) continue
      const difference = values.importer.producer(kept)
      const isDifference = difference?.op === 'sub' && difference.inputs[0] === h.name && difference.inputs[1] === b
      const others = isDifference ? [b] : kept === h.name ? values.pairs(b, 'mul').filter(([rest]) => values.isRest(rest, z)).map(([, n]) => n) : []
      for (const n of others) {
        const candidate = values.applied(n)
        const found = candidate && candidateOf(values, h, candidate.of, update)
        if (found !== undefined) return { op: 'gru', h, c: undefined, functions: [update.applied, candidate as Applied], ...found }
      }
    }
  }
  return undefined
}

type Weights = Pick<Cell, 'x' | 'input' | 'recurrent'>

function candidateOf(values: BodyValues, h: State, sum: string, update: Gate): (Weights & Pick<Cell, 'resetAfter'>) | undefined {
  const ofReset = (r: string): Gate | undefined => {
    const reset = values.gate(r)
    return reset !== undefined && sameFunction(reset.applied, update.applied) ? reset : undefined
  }
  for (const [left, product] of values.pairs(sum, 'add')) {
    const fromInput = values.affine.of(left)
    for (const [r, recurrent] of values.pairs(product, 'mul')) {
      const [reset, fromState] = [ofReset(r), values.affine.of(recurrent)]
      if (fromInput === undefined || reset === undefined || fromState === undefined || !onlyTakes(fromState, h.name)) continue
      const gates = split(h, [reset.sum, update.sum])
      if (gates === undefined || !onlyTakes(fromInput, gates.x)) continue
      const own = { weights: fromInput.terms.get(gates.x) as Float32Array, bias: fromInput.bias }
      const last = { weights: fromState.terms.get(h.name) as Float32Array, bias: fromState.bias }
      return { x: gates.x, input: [...gates.input, own], recurrent: [...gates.recurrent, last], resetAfter: true }
    }
  }
  const whole = values.affine.of(sum)
  const products = [...whole?.terms.keys() ?? []].flatMap((name) => values.pairs(name, 'mul').map(([r, state]) => ({ name, r, state })))
  for (const { name, r, state } of products) {
    const reset = state === h.name ? ofReset(r) : undefined
    const gates = reset && split(h, [reset.sum, update.sum])
    if (whole === undefined || gates === undefined || whole.terms.size !== 2 || !whole.terms.has(gates.x)) continue
    const own = { weights: whole.terms.get(gates.x) as Float32Array, bias: whole.bias }
    const last = { weights: whole.terms.get(name) as Float32Array, bias: new Float32Array(whole.width) }
    return { x: gates.x, input: [...gates.input, own], recurrent: [...gates.recurrent, last], resetAfter: false }
  }
  return undefined
}

/** h' = tanh(x W + h R + b) */
function rnn(values: BodyValues, h: State, next: string): Cell | undefined {
  const gate = values.gate(next)
  const found = gate && split(h, [gate.sum])
  return found && { op: 'rnn', h, c: undefined, functions: [gate.applied], resetAfter: false, ...found }
}

function onlyTakes({ terms }: Affine, name: string): boolean {
  return terms.size === 1 && terms.has(name)
}

function sameFunction(a: Applied, b: Applied): boolean {
  return a.name === b.name && a.alpha === b.alpha && a.beta === b.beta
}

/** Sums that all take h and the same other value. */
function split(h: State, sums: readonly Affine[]): Weights | undefined {
  const x = [...sums[0]?.terms.keys() ?? []].find((name) => name !== h.name)
  const width = sums[0]?.width
  if (x === undefined || sums.some((sum) => sum.width !== width || sum.terms.size !== 2 || !sum.terms.has(x) || !sum.terms.has(h.name))) return undefined
  return {
    x,
    input: sums.map(({ terms, bias }) => ({ weights: terms.get(x) as Float32Array, bias })),
    recurrent: sums.map(({ terms, bias }) => ({ weights: terms.get(h.name) as Float32Array, bias: new Float32Array(bias.length) })),
  }
}
