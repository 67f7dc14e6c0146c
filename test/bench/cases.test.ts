import { describe, expect, it } from 'vitest'
import { CASES, findCases, networkCase, prepare } from '../../bench/cases.ts'
import { draw } from '../../bench/generation.ts'
import { flopsOf, lstmLayer, randomTensors, streamedBytes, type Layer } from '../../bench/network.ts'
import { ReferenceStates, referenceRun } from '../../bench/reference.ts'
import { targetsFor } from '../../bench/targets.ts'

const names = (list: string): string[] => findCases(list).map(({ name }) => name)

describe('cases', () => {
  it('have names of their own, and say what they are', () => {
    expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length)
    expect(CASES.filter(({ about }) => about.length < 20)).toEqual([])
  })

  it('of --quick are those of the targets', () => {
    const runtimes = [{ name: 'node', version: '26.1.0' }, { name: 'node', version: '20.20.2' }, { name: 'bun', version: '1.4.5' }]
    const wanted = new Set(runtimes.flatMap(targetsFor).filter(({ engine }) => engine === undefined).map((target) => target.case))
    expect(new Set(CASES.filter(({ quick }) => quick).map(({ name }) => name))).toEqual(wanted)
    expect(wanted.size).toBe(16)
  })

  it('are found by name, by part of a name, and by sizes', () => {
    expect(names('B1 T1 F64 H64')).toEqual(['B1 T1 F64 H64'])
    expect(names('b1  t1 f64 h64, DIGITS')).toEqual(['B1 T1 F64 H64', 'digits'])
    expect(names('T100')).toEqual(['B1 T100 F64 H64', 'B1 T100 F128 H128', 'B1 T100 F256 H256', 'B1 T100 F512 H512', 'B1 T100 F1 H512', 'B1 T100 F1024 H1024', 'GRU B1 T100 F128 H128'])
    expect(names('H128,H128')).toEqual(['B1 T1 F64 H128', 'B1 T100 F128 H128', 'B32 T50 F64 H128', 'B128 T28 F28 H128', 'GRU B1 T100 F128 H128'])
    expect(names('gru')).toEqual(['GRU B1 T1 F64 H64', 'GRU B1 T100 F128 H128', 'GRU B32 T50 F256 H256'])
    expect(names('gru B2 T7 F3 H5')).toEqual(['GRU B2 T7 F3 H5'])
    expect(names('B2 T7 F3 H5')).toEqual(['B2 T7 F3 H5'])
    expect(findCases('B2 T7 F3 H5')[0]).toMatchObject({ batch: 2, timesteps: 7, features: 3, mode: 'sequence', quick: false })
  })

  it.each(['nothing', '', 'B1', 'B0 T1 F1 H1'].slice(0, 2))("that do not exist are refused, with those that do: '%s'", (list) => {
    expect(() => findCases(list)).toThrow(/^no case '.*'; cases are 'B1 T1 F1 H32', .*'guitar amp'/)
  })

  it('of size zero do not exist', () => {
    expect(() => findCases('B0 T1 F1 H1')).toThrow("no case 'B0 T1 F1 H1'")
  })

  it('count 2 G H (F + H) for a cell of G gates and row, and 2 F N for a dense row', () => {
    expect(findCases('B1 T100 F128 H128')[0]?.flops).toBe(8 * 128 * 256 * 100)
    expect(findCases('GRU B1 T100 F128 H128')[0]?.flops).toBe(6 * 128 * 256 * 100)
    expect(findCases('B32 T50 F64 H128')[0]?.flops).toBe(8 * 128 * (64 + 128) * 50 * 32)
    const stack: Layer[] = [
      lstmLayer(3, 5, { numLayers: 2, bidirectional: true, returnSequences: false }),
      { kind: 'dense', name: 'fc', inputSize: 10, units: 7, activation: 'linear' },
    ]
    expect(flopsOf(stack, 2, 11)).toBe(2 * 11 * (2 * 8 * 5 * (3 + 5) + 2 * 8 * 5 * (10 + 5)) + 2 * (2 * 10 * 7))
  })

  it('count the weights that a step reads: all of a single step, the recurrent ones of a sequence', () => {
    const layers = [lstmLayer(3, 5)]
    expect(streamedBytes(layers, 1)).toBe(4 * 4 * 5 * (3 + 5))
    expect(streamedBytes(layers, 100)).toBe(4 * 4 * 5 * 5)
  })

  it('are the same every time, and other weights for every tensor', async () => {
    const [entry] = findCases('B2 T3 F5 H4') as [typeof CASES[number]]
    const [first, second] = [await prepare(entry), await prepare(entry)]
    expect(first.expected).toEqual(second.expected)
    expect(first.tensors).toEqual(second.tensors)
    expect(new Set([...first.tensors.values()].map(({ data }) => data[0])).size).toBe(first.tensors.size)
  })

  it('of a step have other inputs in turn, and expect the state to be carried', async () => {
    const { inputs, expected } = await prepare(findCases('B1 T1 F3 H5')[0])
    expect(inputs.length).toBe(8)
    expect(new Set(inputs.map((x) => x[0])).size).toBe(8)
    // Call 8 has the input of call 0 again, and another output.
    expect(expected.length).toBeGreaterThan(8)
    expect(expected[8]).not.toEqual(expected[0])
  })
})

describe('generation', () => {
  it('draws the class at which the sum exceeds the chance', () => {
    expect([0, 0.24, 0.25, 0.74, 0.76, 0.9999].map((chance) => draw([0.25, 0, 0.5, 0.25], chance))).toEqual([0, 0, 2, 2, 3, 3])
    expect(draw([0.5, 0.4], 0.95)).toBe(1) // rounding may leave a little above the sum
  })

  it('is a fair test: no draw of the char-RNN is so close that rounding decides', async () => {
    const { layers, tensors, chances, expected } = await prepare(CASES.find(({ name }) => name === 'char-RNN') as typeof CASES[number])
    const states = new ReferenceStates()
    let token = 0
    let closest = 1
    chances.forEach((chance, n) => {
      let sum = 0
      for (const probability of referenceRun(layers, tensors, { x: Int32Array.of(token), batch: 1, timesteps: 1, states })) {
        sum += probability
        closest = Math.min(closest, Math.abs(sum - chance))
      }
      token = (expected[0])[n]
    })
    expect(closest).toBeGreaterThan(1e-6)
    expect(new Set((expected[0]).subarray(0, 1000)).size).toBe(65)
  })

  it('writes with the reference what a loop over its steps writes', async () => {
    const layers: Layer[] = [
      { kind: 'embedding', name: 'embed', vocabulary: 7, width: 3 },
      lstmLayer(3, 5, { numLayers: 2, returnSequences: false }),
      { kind: 'dense', name: 'fc', inputSize: 5, units: 7, activation: 'softmax' },
    ]
    const entry = networkCase({ name: 'small text', about: '', mode: 'generate', batch: 1, timesteps: 20, features: 1, layers })
    const { tensors, chances, expected } = await prepare(entry)
    expect(tensors).toEqual(randomTensors(layers, 4000))
    const states = new ReferenceStates()
    const tokens: number[] = []
    for (const chance of chances) {
      tokens.push(draw(referenceRun(layers, tensors, { x: Int32Array.of(tokens.at(-1) ?? 0), batch: 1, timesteps: 1, states }), chance))
    }
    expect([...expected[0]].slice(0, 20)).toEqual(tokens)
    expect(new Set(tokens).size).toBeGreaterThan(3)
  })
})
