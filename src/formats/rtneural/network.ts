import { GraphBuilder } from '../../graph/builder.ts'
import type { Graph, GraphNode, GraphOutput } from '../../graph/graph.ts'
import { lstmRole } from '../../ops/recurrent/settings.ts'
import { NdArray } from '../../values/ndarray.ts'

/** Weights of one LSTM layer, gates stacked in the order i, f, g, o. */
export interface LstmLayer {
  readonly inputWeights: NdArray // (4 units, features)
  readonly recurrentWeights: NdArray // (4 units, units)
  readonly biases: readonly NdArray[] // (4 units) each, added to each other
}

/** A network whose layers run one after the other, each over sequences [batch, timesteps, features]. */
export class Network {
  readonly #graph: GraphBuilder = new GraphBuilder()
  readonly #outputs: GraphOutput[] = []
  #value = 'input'
  #count = 0
  #lstms = 0
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
  lstm(layers: readonly LstmLayer[]): void {
    const label = this.#lstms === 0 ? 'lstm' : `lstm_${this.#lstms}`
    this.#lstms++
    const hiddenSize = layers[0]?.recurrentWeights.shape[1] as number
    const isDelayed = this.#delaySamples > 1
    const initial = isDelayed ? [] : [`${label}_h0`, `${label}_c0`]
    for (const name of initial) this.#graph.input({ name, dtype: 'float32', shape: [layers.length, 'batch', hiddenSize], optional: true })
    const parameters: Record<string, string> = {}
    layers.forEach(({ inputWeights, recurrentWeights, biases }, n) => {
      const weights = { inputWeights, recurrentWeights, ...(biases[0] && { inputBias: biases[0] }), ...(biases[1] && { recurrentBias: biases[1] }) }
      for (const [weight, array] of Object.entries(weights)) {
        parameters[lstmRole(n, 'forward', weight as keyof typeof weights)] = this.constant(`${label}.${n}.${weight}`, array)
      }
    })
    const final = isDelayed ? [] : [`${label}_h`, `${label}_c`]
    const output = `${label}_output`
    this.#graph.add({
      name: label, op: 'lstm', inputs: [this.#value, ...initial], outputs: [output, ...final], parameters,
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
