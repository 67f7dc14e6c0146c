import { GraphBuilder } from '../../graph/builder.ts'
import type { Graph, GraphNode, GraphOutput } from '../../graph/graph.ts'
import { RECURRENT, type RecurrentOp } from '../../ops/recurrent/kinds.ts'
import { lstmRole } from '../../ops/recurrent/settings.ts'
import { NdArray } from '../../values/ndarray.ts'

/** Weights of one recurrent layer, gates stacked in the order of the operator: LSTM i, f, g, o; GRU r, z, n. */
export interface RecurrentLayer {
  readonly inputWeights: NdArray // (gates units, features)
  readonly recurrentWeights: NdArray // (gates units, units)
  readonly biases: readonly NdArray[] // (gates units) each: that of the input, that of the recurrence
}

/** A network whose layers run one after the other, each over sequences [batch, timesteps, features]. */
export class Network {
  readonly #graph: GraphBuilder = new GraphBuilder()
  readonly #outputs: GraphOutput[] = []
  #value = 'input'
  #count = 0
  readonly #labels: Map<RecurrentOp, number> = new Map()
  readonly #delaySamples: number

  /** @param delaySamples see the LSTM operator: above 1, the states are neither inputs nor outputs, since their history is not */
  constructor(features: number, delaySamples: number) {
    this.#delaySamples = delaySamples
    this.#graph.input({ name: 'input', dtype: 'float32', shape: ['batch', 'timesteps', features] })
  }

  /** The name of what comes out of the layers so far. */
  get value(): string {
    return this.#value
  }

  constant(name: string, array: NdArray): string {
    this.#graph.constant(name, array)
    return name
  }

  integers(name: string, values: readonly number[]): string {
    this.#graph.constant(name, new NdArray(Int32Array.from(values), [values.length]))
    return name
  }

  /** A node over the value so far and others; its output is the value from then on. */
  add(op: string, others: readonly string[] = [], attributes: GraphNode['attributes'] = {}, parameters: GraphNode['parameters'] = {}, first: string = this.#value): void {
    const name = `${this.#count++}.${op}`
    this.#graph.add({ name, op, inputs: [first, ...others], outputs: [name], parameters, attributes })
    this.#value = name
  }

  dense(name: string, weight: NdArray, bias: NdArray | undefined): void {
    const parameters: Record<string, string> = { weight: this.constant(`${name}.weight`, weight) }
    if (bias !== undefined) parameters.bias = this.constant(`${name}.bias`, bias)
    this.add('linear', [], {}, parameters)
  }

  /** Its states are inputs `lstm_h0`, `lstm_c0` (optional) and outputs `lstm_h`, `lstm_c`; the next one's `lstm_1_h0` and so on. */
  recurrent(op: Exclude<RecurrentOp, 'rnn'>, layers: readonly RecurrentLayer[]): void {
    const count = this.#labels.get(op) ?? 0
    this.#labels.set(op, count + 1)
    const label = count === 0 ? op : `${op}_${count}`
    const hiddenSize = layers[0]?.recurrentWeights.shape[1] as number
    const isDelayed = this.#delaySamples > 1
    const states = isDelayed ? [] : RECURRENT[op].states
    const initial = states.map((letter) => `${label}_${letter}0`)
    for (const name of initial) this.#graph.input({ name, dtype: 'float32', shape: [layers.length, 'batch', hiddenSize], optional: true })
    const parameters: Record<string, string> = {}
    layers.forEach(({ inputWeights, recurrentWeights, biases }, n) => {
      const weights = { inputWeights, recurrentWeights, ...(biases[0] && { inputBias: biases[0] }), ...(biases[1] && { recurrentBias: biases[1] }) }
      for (const [weight, array] of Object.entries(weights)) {
        parameters[lstmRole(n, 'forward', weight as keyof typeof weights)] = this.constant(`${label}.${n}.${weight}`, array)
      }
    })
    const final = states.map((letter) => `${label}_${letter}`)
    const output = `${label}_output`
    this.#graph.add({
      name: label, op, inputs: [this.#value, ...initial], outputs: [output, ...final], parameters,
      attributes: {
        hiddenSize, numLayers: layers.length, direction: 'forward', returnSequences: true, ...(isDelayed && { delaySamples: this.#delaySamples }),
      },
    })
    this.#outputs.push(...final.map((name) => ({ name, value: name })))
    this.#value = output
  }

  finish(): Graph {
    return this.#graph.finish([{ name: 'output', value: this.#value }, ...this.#outputs])
  }
}
