// One step of a recurrent layer, in operators of ONNX: the equations of assembly/recurrent/.
import { LstmError } from '../../errors.ts'
import type { BoundFunction } from '../../ops/elementwise/functions.ts'
import { roleOf, type Direction } from '../../ops/recurrent/layer-settings.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import { functionsOf, type AnySettings } from '../recurrent-settings.ts'
import { transposed } from '../turned.ts'
import { applyFunction } from './functions.ts'
import type { NodeExport } from './node-export.ts'

/** What a step takes. */
interface Step {
  /** [batch, gates x units]: the input's part of the gates. */
  readonly gates: string
  /** h, and c of an LSTM: [batch, size]. */
  readonly states: readonly string[]
  readonly layer: number
  readonly direction: Direction
  readonly index: number
}

/** A step on its way. */
class Cell {
  readonly body: NodeExport<AnySettings>
  readonly step: Step
  readonly functions: readonly BoundFunction[]

  constructor(body: NodeExport<AnySettings>, step: Step) {
    this.body = body
    this.step = step
    this.functions = functionsOf(body.settings, step.index)
  }

  weight(what: string): ArrayLike | undefined {
    return this.body.weight(roleOf(this.step.layer, this.step.direction, what))
  }

  constant(what: string, array: ArrayLike): string {
    return this.body.constant(`${this.step.layer}.${this.step.direction}.${what}`, array)
  }

  /** Rows from one of a weight on. */
  rows(what: string, begin: number, count: number): string {
    const { data, shape } = this.weight(what) as ArrayLike
    const width = data.length / (shape[0] as number)
    const part = data.slice(begin * width, (begin + count) * width) as Float32Array
    const rest = shape.slice(1)
    return this.constant(`${what}.${begin}`, rest.length === 0 ? new NdArray(part, [count]) : transposed({ data: part, shape: [count, ...rest] }))
  }

  /** A row of a weight [rows, units], with something added. */
  row(what: string, row: number, length: number, added = 0): string {
    const data = (this.weight(what) as ArrayLike).data.slice(row * length, (row + 1) * length)
    return this.constant(`${what}.${row}`, new NdArray(Float32Array.from(data, (value) => value + added), [length]))
  }

  product(x: string, what: string): string {
    return this.body.emit('MatMul', [x, this.constant(`${what}.turned`, this.body.emission.file.turned(this.weight(what) as ArrayLike, transposed))])
  }

  split(value: string, parts: number): string[] {
    if (parts === 1) return [value]
    const names = Array.from({ length: parts }, (_, n) => this.body.emission.file.names.unused(`${this.body.node.name}.gate${n}`))
    this.body.emission.emitNode('Split', [value], { axis: -1, num_outputs: parts }, names)
    return names
  }

  clip(value: string, most: number | undefined): string {
    return most === undefined || most === 0 ? value : this.body.emit('Clip', [value, this.body.number('least', -most), this.body.number('most', most)])
  }

  activate(value: string, which: number): string {
    return applyFunction(this.body, this.functions[which] as BoundFunction, value)
  }

  add(a: string, b: string): string {
    return this.body.emit('Add', [a, b])
  }

  mul(a: string, b: string): string {
    return this.body.emit('Mul', [a, b])
  }

  /** 1 - x */
  complement(x: string): string {
    return this.body.emit('Sub', [this.body.number('one', 1), x])
  }
}

/** Adds a step; returns the next states, [batch, size] each. */
export function writeCell(body: NodeExport<AnySettings>, step: Step): string[] {
  const cell = new Cell(body, step)
  if (body.node.op === 'lstm') return lstm(cell)
  if (body.node.op === 'gru') return gru(cell)
  if (body.node.op !== 'rnn') throw new LstmError('UNSUPPORTED', `${body.node.op} is no recurrent layer`)
  const [h] = step.states as [string]
  return [cell.activate(cell.clip(cell.add(step.gates, cell.product(h, 'recurrentWeights')), body.settings.clip), 0)]
}

function lstm(cell: Cell): string[] {
  const { body: { settings }, step } = cell
  const { hiddenSize, clip, coupling, layerNorm = false, normEpsilon = 0, forgetBias = 0, cellClip, projClip, hasProjection = false } = settings
  const [h, c] = step.states as [string, string]
  const norm = (value: string, which: number): string => (!layerNorm
    ? value
    : cell.body.emit('LayerNormalization', [
        value, cell.row('normGain', which, hiddenSize), cell.row('normShift', which, hiddenSize, which === 1 ? forgetBias : 0),
      ], { axis: -1, epsilon: { float: normEpsilon } }))
  const peep = (value: string, which: number, state: string): string => (
    cell.weight('peepholes') === undefined ? value : cell.add(value, cell.mul(state, cell.row('peepholes', which, hiddenSize)))
  )
  const split = cell.split(cell.add(step.gates, cell.product(h, 'recurrentWeights')), 4).map(norm) as [string, string, string, string]
  const unclipped = [peep(split[0], 0, c), peep(split[1], 1, c), split[2]]
  const [inputGate, forgetGate, candidate] = unclipped.map((value) => cell.clip(value, clip)) as [string, string, string]
  const own = (value: string): string => cell.activate(value, 0)
  const i = coupling === 'inputIsOneMinusForget' ? cell.complement(own(forgetGate)) : own(inputGate)
  const f = coupling === 'forgetIsOneMinusInput' ? cell.complement(own(inputGate)) : own(forgetGate)
  const nextC = cell.clip(norm(cell.add(cell.mul(f, c), cell.mul(i, cell.activate(candidate, 1))), 4), cellClip)
  const o = own(cell.clip(peep(split[3], 2, nextC), clip))
  const m = cell.mul(o, cell.activate(nextC, 2))
  return [hasProjection ? cell.clip(cell.product(m, 'projection'), projClip) : m, nextC]
}

function gru(cell: Cell): string[] {
  const { body, step } = cell
  const { hiddenSize, clip, resetAfter = true } = body.settings
  const [h] = step.states as [string]
  const bias = cell.weight('recurrentBias')
  const withBias = (product: string, begin: number, count: number): string => (
    bias === undefined ? product : cell.add(product, cell.constant(`recurrentBias.${begin}.${count}`, new NdArray((bias.data as Float32Array).slice(begin, begin + count), [count])))
  )
  const [xr, xz, xn] = cell.split(step.gates, 3) as [string, string, string]
  const gate = (x: string, product: string): string => cell.activate(cell.clip(cell.add(x, product), clip), 0)
  let n: string
  let z: string
  if (resetAfter) {
    const [hr, hz, hn] = cell.split(withBias(cell.product(h, 'recurrentWeights'), 0, 3 * hiddenSize), 3) as [string, string, string]
    z = gate(xz, hz)
    n = cell.add(xn, cell.mul(gate(xr, hr), hn))
  } else {
    const [hr, hz] = cell.split(withBias(body.emit('MatMul', [h, cell.rows('recurrentWeights', 0, 2 * hiddenSize)]), 0, 2 * hiddenSize), 2) as [string, string]
    z = gate(xz, hz)
    const reset = cell.mul(gate(xr, hr), h)
    n = cell.add(xn, withBias(body.emit('MatMul', [reset, cell.rows('recurrentWeights', 2 * hiddenSize, hiddenSize)]), 2 * hiddenSize, hiddenSize))
  }
  const fresh = cell.activate(cell.clip(n, clip), 1)
  return [cell.add(cell.mul(cell.complement(z), fresh), cell.mul(z, h))]
}
