import { GraphBuilder } from '../../graph/builder.ts'
import type { Graph, GraphNode, GraphOutput } from '../../graph/graph.ts'
import { RECURRENT } from '../../ops/recurrent/kinds.ts'
import { lstmRole } from '../../ops/recurrent/settings.ts'
import { NdArray } from '../../values/ndarray.ts'
import type { Cell } from './cell.ts'
import type { Tensorflow1Options } from '../reader.ts'
import { cellOptions } from './options.ts'
import type { Stack } from './stack.ts'

/**
 * A stack of cells under `dynamic_rnn` or `bidirectional_dynamic_rnn` as a graph.
 * Input `input` [batch, timesteps, features]; optional `c_0`, `h_0`, `c_1`, `h_1`, ... [batch, units] (only LSTMs have a c), default
 * zeros; `sequence_length` [batch] int32 where the options say so. Outputs `output` [batch, timesteps, units] and the
 * last states under the names of the first; of two directions `output_fw`, `output_bw`, and `output`, both side by side.
 */
export function graphOfStack({ directions }: Stack, options: Tensorflow1Options): Graph {
  return new StackGraph(options).build(directions)
}

class StackGraph {
  readonly #options: Tensorflow1Options
  readonly #graph: GraphBuilder = new GraphBuilder()
  readonly #outputs: GraphOutput[] = []

  constructor(options: Tensorflow1Options) {
    this.#options = options
  }

  build(directions: Stack['directions']): Graph {
    const graph = this.#graph
    const { timeMajor = false, sequenceLength = false } = this.#options
    const features = directions[0]?.[0]?.inputSize as number
    graph.input({ name: 'input', dtype: 'float32', shape: timeMajor ? ['timesteps', 'batch', features] : ['batch', 'timesteps', features] })
    if (sequenceLength) graph.input({ name: 'sequence_length', dtype: 'int32', shape: ['batch'] })
    graph.constant('first axis', new NdArray(Int32Array.of(0), [1]))
    const count = directions.flat().length
    let index = 0
    const sides = directions.map((cells, direction) => {
      let value = 'input'
      for (const cell of cells) value = this.#layer(cell, index++, count, value, direction === 1)
      return this.#masked(value, direction)
    })
    if (sides.length === 1) return graph.finish([{ name: 'output', value: sides[0] as string }, ...this.#outputs])
    this.#add('output', 'concat', sides, ['output'], { axis: 2 })
    const named = ['output', 'output_fw', 'output_bw'].map((name, n) => ({ name, value: ['output', ...sides][n] as string }))
    return graph.finish([...named, ...this.#outputs])
  }

  /** @returns the name of its output */
  #layer(cell: Cell, index: number, count: number, input: string, backward: boolean): string {
    const { op, hiddenSize, projSize, kind, scope, defaultForgetBias, resetAfter } = cell
    const { timeMajor = false, sequenceLength = false, residual = false } = this.#options
    const { forgetBias = defaultForgetBias, activation = 'tanh', cellClip = 0, projClip = 0 } = cellOptions(this.#options, cell, index, count)
    const state = (name: string, size: number): string => {
      this.#graph.input({ name: `${name}_${index}`, dtype: 'float32', shape: ['batch', size], optional: true })
      const value = `${name}_${index}/initial`
      this.#add(value, 'unsqueeze', [`${name}_${index}`, 'first axis'], [value])
      return value
    }
    // TensorFlow has c first.
    const letters = [...RECURRENT[op].states].reverse()
    const initial = letters.map((letter) => state(letter, letter === 'h' ? projSize ?? hiddenSize : hiddenSize)).reverse()
    const parameters: Record<string, string> = {}
    for (const [weight, array] of cell.weights) {
      const name = `${scope}.${weight}`
      this.#graph.constant(name, array)
      parameters[lstmRole(0, backward ? 'reverse' : 'forward', weight)] = name
    }
    const output = `${scope}/output`
    this.#graph.add({
      name: scope,
      op,
      inputs: [input, ...initial, ...(sequenceLength ? ['', 'sequence_length'] : [])],
      outputs: [output, ...RECURRENT[op].states.map((letter) => `${scope}/${letter}`)],
      parameters,
      attributes: {
        hiddenSize, numLayers: 1, direction: backward ? 'reverse' : 'forward', returnSequences: true, timeMajor,
        ...(op === 'lstm' && { forgetBias }),
        ...(op === 'gru' && { resetAfter }),
        ...(projSize !== undefined && { projSize }),
        ...(cellClip !== 0 && op === 'lstm' && { cellClip }),
        ...(projClip !== 0 && projSize !== undefined && { projClip }),
        ...(activation !== 'tanh' && { activations: { lstm: ['sigmoid', activation, activation], gru: ['sigmoid', activation], rnn: [activation] }[op] }),
        ...(kind === 'coupled' && { coupling: 'inputIsOneMinusForget' }),
        ...(kind === 'layerNorm' && { layerNorm: true }),
      },
    })
    for (const letter of letters) {
      const last = `${letter}_${index}/last`
      this.#add(last, 'squeeze', [`${scope}/${letter}`, 'first axis'], [last])
      this.#outputs.push({ name: `${letter}_${index}`, value: last })
    }
    if (!residual) return output
    const sum = `${scope}/residual`
    this.#add(sum, 'add', [input, output], [sum])
    return sum
  }

  /** `dynamic_rnn` zeros outputs beyond the length of each row: our lstm does, but a residual sum there has its input left. */
  #masked(value: string, direction: number): string {
    const { residual = false, sequenceLength = false, timeMajor = false } = this.#options
    if (!residual || !sequenceLength) return value
    const graph = this.#graph
    const name = (part: string): string => `valid ${direction}/${part}`
    const integer = (part: string, values: readonly number[], shape: readonly number[]): string => {
      graph.constant(name(part), new NdArray(Int32Array.from(values), shape))
      return name(part)
    }
    const add = (part: string, op: string, inputs: readonly string[], attributes: GraphNode['attributes'] = {}): string => {
      this.#add(name(part), op, inputs, [name(part)], attributes)
      return name(part)
    }
    const sizes = add('shape', 'shape', [value])
    const timesteps = add('timesteps', 'gather', [sizes, integer('time axis', [timeMajor ? 0 : 1], [])])
    const steps = add('steps', 'range', [integer('zero', [0], []), timesteps, integer('one', [1], [])])
    // [timesteps, 1] and [1, batch] or the other way round; then an axis for the features.
    const columns = add('step of each', 'unsqueeze', [steps, integer('step axis', [timeMajor ? 1 : 0], [1])])
    const lengths = add('length of each', 'unsqueeze', ['sequence_length', integer('length axis', [timeMajor ? 0 : 1], [1])])
    const inside = add('inside', 'less', [columns, lengths])
    const mask = add('mask', 'unsqueeze', [inside, integer('feature axis', [2], [1])])
    graph.constant(name('nothing'), new NdArray(new Float32Array(1), []))
    return add('output', 'where', [mask, value, name('nothing')])
  }

  #add(name: string, op: string, inputs: readonly string[], outputs: readonly string[], attributes: GraphNode['attributes'] = {}): void {
    this.#graph.add({ name, op, inputs, outputs, parameters: {}, attributes })
  }
}
