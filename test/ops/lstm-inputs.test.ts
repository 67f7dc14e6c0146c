// What an LSTM says of states, masks and lengths that are not as it needs them, and how a summary describes it.
import { describe, expect, it } from 'vitest'
import type { Graph, GraphInput } from '../../src/graph/graph.ts'
import { typeGraph } from '../../src/graph/infer.ts'
import { summarise } from '../../src/graph/summary.ts'
import type { Attribute } from '../../src/ops/graph-data.ts'
import { expectError } from '../expect-error.ts'
import { lstmGraph, randomLstm } from '../lstm-graph.ts'

/** An LSTM (3 -> 5) with further inputs, `''` where there is none. */
function graphOf(inputs: readonly (GraphInput | '')[], attributes: Readonly<Record<string, Attribute>> = {}, bidirectional = false, numLayers = 1): Graph {
  const graph = lstmGraph(randomLstm({ inputSize: 3, hiddenSize: 5, numLayers, bidirectional, bias: true }, 7))
  const given = inputs.filter((input) => input !== '')
  const names = inputs.map((input) => (input === '' ? '' : input.name))
  return {
    ...graph, inputs: [{ name: 'input', dtype: 'float32', shape: [2, 4, 3] }, ...given], outputs: graph.outputs.slice(0, 1),
    nodes: graph.nodes.map((node) => ({
      ...node, name: 'rnn', inputs: ['input', ...names], outputs: node.outputs.slice(0, 1), attributes: { ...node.attributes, ...attributes },
      parameters: Object.fromEntries(Object.entries(node.parameters).map(([role, name]) => (
        [attributes.direction === 'reverse' ? role.replace('forward', 'reverse') : role, name]
      ))),
    })),
  }
}

const port = (name: string, dtype: GraphInput['dtype'], ...shape: GraphInput['shape']): GraphInput => ({ name, dtype, shape })
const STATES = '(layers x directions, batch, units)'

describe('inputs of an lstm', () => {
  it.each<[string, readonly (GraphInput | '')[], string]>([
    ['h for another batch', [port('h', 'float32', 1, 3, 5)], `lstm 'rnn': expected initial h with shape [1, 2, 5] ${STATES}, got [1, 3, 5]`],
    ['h for two layers', [port('h', 'float32', 2, 2, 5)], `lstm 'rnn': expected initial h with shape [1, 2, 5] ${STATES}, got [2, 2, 5]`],
    ['h without an axis for layers', [port('h', 'float32', 2, 5)], `lstm 'rnn': expected initial h with shape [1, 2, 5] ${STATES}, got [2, 5]`],
    ['c of another width', ['', port('c', 'float32', 1, 2, 6)], `lstm 'rnn': expected initial c with shape [1, 2, 5] ${STATES}, got [1, 2, 6]`],
    ['a mask of other steps', ['', '', port('m', 'uint8', 2, 5)], "lstm 'rnn': expected a mask with shape [2, 4], got [2, 5]"],
    ['lengths of another batch', ['', '', '', port('n', 'int32', 3)], "lstm 'rnn': expected lengths with shape [2], got [3]"],
  ])('%s', (_title, inputs, message) => {
    expectError(() => typeGraph(graphOf(inputs)), 'SHAPE', message)
  })

  it('fit, or have sizes that are told when it runs', () => {
    const sound = [port('h', 'float32', 1, 'batch', 5), port('c', 'float32', 1, 2, 5), port('m', 'uint8', 'batch', 'timesteps')]
    expect(typeGraph(graphOf(sound)).graph.nodes).toHaveLength(1)
    expectError(
      () => typeGraph(graphOf([...sound, port('n', 'int32', 2)])), 'VALUE', "lstm 'rnn': expected a mask or lengths, got both",
    )
  })
})

it.each<{ given: unknown }>([
  { given: [0.3, 'x', 0.1] }, { given: ['a', 'b', 'c'] }, { given: [0.3, 0.2] }, { given: [0.3, 0.2, 0.1, 0] }, { given: 0.3 },
])('constants of functions are three numbers, no $given', ({ given }) => {
  const attributes = { activations: ['hardSigmoid', 'tanh', 'tanh'], activationAlpha: given as Attribute }
  const message = `lstm 'rnn': expected 3 numbers for 'activationAlpha', one for each of 'activations', got ${JSON.stringify(given)}`
  expectError(() => typeGraph(graphOf([], attributes)), 'VALUE', message)
})

it('a projection that is asked for must have its weights', () => {
  const { nodes: [node], constants, ...graph } = graphOf([], { projSize: 5 })
  expectError(() => typeGraph({ ...graph, nodes: [node as Graph['nodes'][number]], constants }), 'SHAPE', "lstm 'rnn': expected the weight '0.forward.projection' [5, 5], got none")
})

describe('the summary of an lstm', () => {
  const described = (...given: Parameters<typeof graphOf>): string | undefined => summarise(graphOf(...given)).rows.find(({ name }) => name === 'rnn')?.detail

  it('says which way it walks, and how many layers it has', () => {
    const plain = described([])
    expect(plain).toMatch(/^5 units, every step/)
    expect(described([], { direction: 'reverse' })).toBe(plain?.replace('5 units', '5 units, backwards'))
    expect(described([], {}, true)).toBe(plain?.replace('5 units', '5 units, bidirectional'))
    expect(described([], {}, false, 2)).toBe(plain?.replace('5 units', '5 units, 2 layers'))
  })
})
