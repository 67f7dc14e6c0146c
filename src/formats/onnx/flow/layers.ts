// Loops that are recurrent layers: what tf2onnx writes for GRUs, and for LSTMs with masks or other functions, of Keras; and loops over cells that
// PyTorch scripts. As layers they stream, and their weights are packed for whole sequences.
import { bindFunction } from '../../../ops/elementwise/functions.ts'
import type { GraphNode } from '../../../ops/graph-data.ts'
import { RECURRENT, type RecurrentOp } from '../../../ops/recurrent/kinds.ts'
import { roleOf } from '../../../ops/recurrent/layer-settings.ts'
import { NdArray } from '../../../values/ndarray.ts'
import type { Conversion } from '../conversion.ts'
import { isZero } from '../recurrent.ts'
import { AffineValues } from './affine.ts'
import { BodyValues, cellOf, type Cell } from './cells.ts'
import { onlyElement, uncast } from './condition.ts'
import { Lifting, type Sequenced } from './lifting.ts'
import type { State, Steps } from './steps.ts'

/** A value of the body as a sequence around it: [steps, ...], or with the steps as its second axis. */
interface Sequence {
  readonly value: string
  readonly axis: number
  readonly backwards: boolean
}

/** What a state becomes where a mask does not hold it. */
interface Selected {
  readonly next: string
  /** The mask in the body, [batch, 1]; undefined where every step counts. */
  readonly mask: string | undefined
}

/** A cell, and where its sequences come from. */
interface Layer {
  /** Told by its equations; or a layer of one step that the body calls. */
  readonly cell: Cell | GraphNode
  /** h first. */
  readonly states: readonly State[]
  readonly x: string
  readonly mask: string | undefined
  /** The state that keeps the last output at masked steps, where there is a mask. */
  readonly held: State | undefined
  /** The value of the body that it puts out. */
  readonly output: string
}

/** The largest int32: beyond every end. */
const MOST_STEPS = 2 ** 31 - 1
/** More states than that are no stack of layers that somebody wrote. */
const MOST_STATES = 16

/** Adds layers in the place of a loop. @returns false where it is none, and nothing of the node is defined yet */
export function emitLayers(c: Conversion, steps: Steps): boolean {
  const found = new Recognition(c, steps)
  return steps.states.length <= MOST_STATES && found.isWhole() && found.emit()
}

class Recognition {
  readonly #c: Conversion
  readonly #steps: Steps
  readonly #values: BodyValues
  readonly #layers: Layer[] = []
  /** By the value of the body that they put out. */
  readonly #outputs: Map<string, Layer> = new Map()
  /** Sequences around the loop, by the same. */
  readonly #emitted: Map<string, string> = new Map()
  readonly #lifting: Lifting

  constructor(c: Conversion, steps: Steps) {
    this.#c = c
    this.#steps = steps
    const { importer } = steps.inside
    this.#values = new BodyValues(importer, new AffineValues(importer))
    this.#lifting = new Lifting(c, steps.inside, (name) => this.#forward(name))
  }

  /** What a value of the body is of all steps, in their order. */
  #forward(name: string): Sequenced | undefined {
    const layer = this.#outputs.get(name)
    if (layer !== undefined) return this.#isBackwards(layer) ? undefined : () => this.#emitted.get(name) as string
    const sequence = this.#sequenceOf(name)
    return sequence === undefined || sequence.backwards ? undefined : () => this.#stepsFirst(sequence)
  }

  #isBackwards({ x }: Layer): boolean {
    return this.#sequenceOf(x)?.backwards === true
  }

  /** Whether all states and all that is collected are those of layers. */
  isWhole(): boolean {
    const { states, collected } = this.#steps
    const open = new Set(states)
    for (let isMore = true; isMore && open.size > 0;) {
      const layer = this.#next([...open])
      isMore = layer !== undefined
      if (layer === undefined) break
      this.#layers.push(layer)
      this.#outputs.set(layer.output, layer)
      for (const state of [...layer.states, layer.held]) if (state !== undefined) open.delete(state)
    }
    const isCounter = ({ name, position }: State): boolean => this.#steps.counters.has(name) && !this.#c.isNeeded(position)
    return this.#layers.length > 0 && [...open].every(isCounter)
      && collected.every(({ value, backwards }) => {
        const layer = this.#outputs.get(value)
        return layer === undefined ? !backwards && this.#lifting.can(value) : this.#isBackwards(layer) === backwards
      })
  }

  #next(open: readonly State[]): Layer | undefined {
    for (const h of open) {
      const called = this.#called(h, open)
      if (called !== undefined) return called
    }
    const selected = open.map((state): readonly [State, Selected] => [state, this.#selected(state)])
    for (const [h, { next, mask }] of selected) {
      const others = selected.filter(([state, other]) => state !== h && other.mask === mask).map(([state, other]) => [state, other.next] as const)
      const cell = cellOf(this.#values, h, next, others)
      const sequence = cell && this.#sequenceOf(cell.x)
      if (cell === undefined || sequence === undefined) continue
      const states = cell.c === undefined ? [cell.h] : [cell.h, cell.c]
      if (mask === undefined) return { cell, states, x: cell.x, mask, held: undefined, output: h.next }
      // Keras holds the last output, zeros at first, in a state of its own.
      const held = selected.find(([state, other]) => state !== h && other.mask === mask && other.next === next && isZero(this.#c, state.first))?.[0]
      if (held !== undefined && this.#isMask(this.#sequenceOf(mask)) && !sequence.backwards) return { cell, states, x: cell.x, mask, held, output: held.next }
    }
    return undefined
  }

  /** A layer of one step whose states are those of the loop, `h` first. */
  #called(h: State, open: readonly State[]): Layer | undefined {
    const { importer } = this.#values
    /** What a node took an axis of one element from, or added it to, in front. */
    const without = (name: string, op: 'squeeze' | 'unsqueeze'): string | undefined => {
      const node = importer.producer(name)
      return node?.op === op && onlyElement(importer, node.inputs[1]) === 0 ? node.inputs[0] : undefined
    }
    const node = importer.producer(without(h.next, 'squeeze') ?? '')
    if (node === undefined || !Object.hasOwn(RECURRENT, node.op)) return undefined
    const { inputs, outputs, attributes } = node
    const names = RECURRENT[node.op as RecurrentOp].states
    const states = names.map((_, n) => open.find((state) => state.name === without(inputs[1 + n] ?? '', 'unsqueeze') && without(state.next, 'squeeze') === outputs[1 + n]))
    const x = without(inputs[0] as string, 'unsqueeze')
    const isStep = attributes.timeMajor === true && attributes.direction === 'forward' && attributes.numLayers === 1 && inputs.slice(1 + names.length).every((name) => name === '')
    if (states[0] !== h || states.includes(undefined) || x === undefined || !isStep || !this.#lifting.can(x)) return undefined
    return { cell: node, states: states as State[], x, mask: undefined, held: undefined, output: h.next }
  }

  /** Whether a sequence says for each row of the batch whether a step counts. */
  #isMask(sequence: Sequence | undefined): boolean {
    const type = sequence && this.#c.type(sequence.value)
    return type?.dtype === 'uint8' && type.shape.length === 3 && type.shape[2] === 1 && sequence?.backwards === false
  }

  /** m new + (1 - m) old, as tf2onnx writes a choice by a mask. */
  #selected(state: State): Selected {
    const { importer } = this.#values
    for (const [fresh, old] of this.#values.pairs(state.next, 'add')) {
      for (const [kept, before] of this.#values.pairs(old, 'mul')) {
        const not = importer.producer(uncast(importer, kept))
        if (before !== state.name || not?.op !== 'not') continue
        const mask = not.inputs[0] as string
        const next = this.#values.pairs(fresh, 'mul').find(([m]) => uncast(importer, m) === mask)?.[1]
        if (next !== undefined) return { next, mask }
      }
    }
    return { next: state.next, mask: undefined }
  }

  /** A value of which a step sees its own slice. */
  #sequenceOf(name: string): Sequence | undefined {
    const { slices, inside, counters, number } = this.#steps
    const slice = slices.find((one) => one.name === name)
    if (slice !== undefined) return { value: slice.source, axis: 0, backwards: slice.backwards }
    const layer = this.#outputs.get(name)
    if (layer !== undefined) return this.#sequenceOf(layer.x)
    const node = inside.importer.producer(name)
    if (node?.op !== 'gather') return undefined
    const [table, index] = node.inputs.map((input) => uncast(inside.importer, input)) as [string, string]
    const source = inside.captured.get(this.#uncut(table))
    const axis = Number(node.attributes.axis ?? 0)
    const isStep = (index === number || counters.has(index)) && inside.importer.builder.types.get(index)?.shape.length === 0
    if (source === undefined || table !== node.inputs[0] || !isStep || !this.#hasAllSteps(source, axis)) return undefined
    return { value: source, axis, backwards: false }
  }

  /** Follows slices of whole axes, `x[:, t]`, back to what they are slices of. */
  #uncut(name: string): string {
    const { importer } = this.#values
    let value = name
    for (let node = importer.producer(value); node?.op === 'slice'; node = importer.producer(value)) {
      const [, start, end, , step = ''] = node.inputs
      if (onlyElement(importer, start) !== 0 || (onlyElement(importer, end) ?? 0) < MOST_STEPS || (step !== '' && onlyElement(importer, step) !== 1)) return value
      value = node.inputs[0] as string
    }
    return value
  }

  /** Whether an axis of a value around the loop has as many elements as there are steps. */
  #hasAllSteps(source: string, axis: number): boolean {
    const { importer } = this.#c
    const size = axis === 0 || axis === 1 ? this.#c.type(source).shape[axis] : undefined
    const { count } = this.#steps
    return size !== undefined && size === (onlyElement(importer, count) ?? importer.builder.sizes.get(count)?.[0])
  }

  emit(): boolean {
    for (const layer of this.#layers) this.#emitted.set(layer.output, this.#emitLayer(layer))
    for (const { value, give } of this.#steps.collected) give(this.#emitted.get(value) ?? this.#lifting.emit(value))
    return true
  }

  /** With the steps in front. */
  #stepsFirst({ value, axis }: Sequence): string {
    const { shape } = this.#c.type(value)
    return axis === 0 ? value : this.#c.emit('transpose', [value], { perm: [1, 0, ...shape.map((_, n) => n).slice(2)] })
  }

  #emitLayer({ cell, states, x, mask, held }: Layer): string {
    const c = this.#c
    const [front, last] = [c.integers('front', [0]), c.unused('sequence')]
    const first = states.map((state) => (isZero(c, state.first) ? '' : c.emit('unsqueeze', [state.first, front])))
    const finals = states.map((state, n) => (c.isNeeded(state.position) ? c.unused(`final.${n}`) : ''))
    if ('attributes' in cell) c.emit(cell.op, [this.#lifting.emit(x), ...first], { ...cell.attributes, returnSequences: true }, [last, ...finals], this.#lifting.parameters(cell))
    else this.#emitCell(cell, x, mask, first, [last, ...finals])
    states.forEach((state, n) => {
      if (finals[n] !== '') c.emit('squeeze', [finals[n] as string, front], {}, [c.output(state.position)])
    })
    if (held !== undefined && c.isNeeded(held.position)) c.emit('gather', [last, c.constant('last', new NdArray(Int32Array.of(-1), []))], {}, [c.output(held.position)])
    return last
  }

  #emitCell(cell: Cell, x: string, mask: string | undefined, first: readonly string[], outputs: readonly string[]): void {
    const c = this.#c
    const source = this.#sequenceOf(x) as Sequence
    const masks = mask === undefined ? [] : [this.#mask(this.#sequenceOf(mask) as Sequence)]
    const functions = cell.functions.map(({ name, alpha, beta }) => bindFunction(name, alpha, beta, c.label))
    const direction = source.backwards ? 'reverse' : 'forward'
    c.emit(cell.op, [this.#emitted.get(x) ?? this.#stepsFirst(source), ...first, ...masks], {
      hiddenSize: cell.input[0]?.bias.length, numLayers: 1, direction, timeMajor: true, returnSequences: true, maskRule: mask === undefined ? undefined : 'hold',
      resetAfter: cell.op === 'gru' ? cell.resetAfter : undefined,
      activations: functions.map(({ name }) => name), activationAlpha: functions.map(({ alpha }) => alpha), activationBeta: functions.map(({ beta }) => beta),
    }, outputs, this.#weights(cell, direction))
  }

  /** [steps, batch, 1] as [batch, steps]. */
  #mask(sequence: Sequence): string {
    const rows = this.#c.emit('squeeze', [this.#stepsFirst(sequence), this.#c.integers('last axis', [2])])
    return this.#c.emit('transpose', [rows], { perm: [1, 0] })
  }

  #weights({ input, recurrent }: Cell, direction: 'forward' | 'reverse'): Record<string, string> {
    const units = input[0]?.bias.length as number
    const place = (weight: string, parts: readonly Float32Array[], shape: readonly number[]): [string, string] => {
      const data = new Float32Array(parts.length * (parts[0] as Float32Array).length)
      this.#c.importer.spend(data.byteLength, data.length)
      const columns = shape[1] ?? 1
      // Of each gate, [columns, units] becomes [units, columns].
      parts.forEach((part, gate) => part.forEach((value, n) => {
        data[gate * part.length + n % units * columns + Math.floor(n / units)] = value
      }))
      return [roleOf(0, direction, weight), this.#c.constant(weight, new NdArray(data, [data.length / columns, ...shape.slice(1)]))]
    }
    const matrices = (of: Cell['input']): [parts: readonly Float32Array[], shape: readonly number[]] => {
      const parts = of.map(({ weights }) => weights)
      return [parts, [parts.length * units, (parts[0] as Float32Array).length / units]]
    }
    const biases = (of: Cell['input']): [parts: readonly Float32Array[], shape: readonly number[]] => [of.map(({ bias }) => bias), [of.length * units]]
    return Object.fromEntries([
      place('inputWeights', ...matrices(input)), place('inputBias', ...biases(input)),
      place('recurrentWeights', ...matrices(recurrent)), place('recurrentBias', ...biases(recurrent)),
    ])
  }
}
