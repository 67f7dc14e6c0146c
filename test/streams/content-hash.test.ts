// The hash in saved states: it is in files, so it may never change; and everything that is hashed counts.
import { describe, expect, it } from 'vitest'
import type { Graph } from '../../src/graph/graph.ts'
import { ContentHash, hashGraph } from '../../src/streams/content-hash.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { torchLstm } from './models.ts'

function hashOf(give: (hash: ContentHash) => void): string {
  const hash = new ContentHash()
  give(hash)
  return [...hash.digest()].map((word) => word.toString(16).padStart(8, '0')).join(' ')
}

const BYTES = Uint8Array.from({ length: 23 }, (_, n) => (n * 37 + 11) & 255)

describe('a content hash', () => {
  it('is the same on every machine and in every version: saves hold it', () => {
    expect(hashOf(() => undefined)).toBe('7c1c7f73 bd12cfa7 4ffbc793 da0ede2c')
    expect(hashOf((hash) => hash.text('lstm.h 2 20'))).toBe('08b8493f 9568f23f cdeaaaa0 d8d93b75')
    expect(hashOf((hash) => hash.bytes(BYTES))).toBe('ac1cacf0 6759e20e 4164285b 00d4dde1')
  })

  it('is of the bytes of a view, wherever it lies', () => {
    const within = new Uint8Array(40)
    within.set(BYTES, 3)
    expect(hashOf((hash) => hash.bytes(within.subarray(3, 26)))).toBe(hashOf((hash) => hash.bytes(BYTES)))
  })

  it('is another one for every bit, for every length, and for what is given in another order', () => {
    const seen = [hashOf((hash) => hash.bytes(BYTES))]
    for (let bit = 0; bit < BYTES.length * 8; bit++) {
      const changed = BYTES.slice()
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ 1 << (bit & 7)
      seen.push(hashOf((hash) => hash.bytes(changed)))
    }
    for (let length = 0; length < 40; length++) seen.push(hashOf((hash) => hash.bytes(new Uint8Array(length))))
    for (const [a, b] of [['ab', 'c'], ['a', 'bc'], ['abc', ''], ['c', 'ab']] as const) {
      seen.push(hashOf((hash) => {
        hash.text(a)
        hash.text(b)
      }))
    }
    expect(new Set(seen).size).toBe(seen.length)
    // Each of the four words depends on all that is hashed.
    for (let word = 0; word < 4; word++) expect(new Set(seen.map((one) => one.split(' ')[word])).size).toBe(seen.length)
  })
})

it('the hash of a graph is of its inputs, outputs and nodes, with their attributes', () => {
  const graph = torchLstm(3, 5, 2)
  const changed = (more: object): Graph => ({ ...graph, nodes: graph.nodes.map((node) => ({ ...node, ...more })) })
  const seen = [
    graph, changed({ name: 'other' }), changed({ op: 'other' }), changed({ attributes: { ...graph.nodes[0]?.attributes, stateful: true } }), { ...graph, nodes: [] },
    { ...graph, outputs: graph.outputs.slice(1) }, { ...graph, inputs: graph.inputs.slice(0, 1) },
  ].map((one) => String(hashGraph(one)))
  expect(new Set(seen).size).toBe(seen.length)
})

it('the hash of a graph is of all its constants: names, shapes, types and elements, the first and the last', () => {
  const graph = torchLstm(3, 5, 2)
  const names = [...graph.constants.keys()]
  expect(names.length).toBe(8)
  const seen = [hashGraph(graph), hashGraph({ ...graph, constants: new Map([...graph.constants].slice(1)) })]
  for (const name of names) {
    const { data, shape } = graph.constants.get(name) as NdArray<'float32'>
    for (const at of [0, data.length - 1]) {
      const changed = data.slice()
      changed[at] = (changed[at] as number) + 1e-6
      seen.push(hashGraph({ ...graph, constants: new Map([...graph.constants, [name, new NdArray(changed, shape)]]) }))
    }
    const bits = new Int32Array(data.buffer, data.byteOffset, data.length)
    for (const other of [new NdArray(data, [...shape, 1]), new NdArray(bits, shape)]) {
      seen.push(hashGraph({ ...graph, constants: new Map([...graph.constants, [name, other]]) }))
    }
    seen.push(hashGraph({ ...graph, constants: new Map([...graph.constants].map(([one, array]) => [one === name ? 'other' : one, array])) }))
  }
  expect(new Set(seen.map(String)).size).toBe(seen.length)
})
