import { describe, expect, it } from 'vitest'
import { cancelMoves } from '../../src/graph/cancel-moves.ts'
import { GraphBuilder } from '../../src/graph/builder.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { compile } from '../../src/model/load.ts'
import { addAllOperators } from '../../src/ops/all.ts'
import type { Attribute } from '../../src/ops/graph-data.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import type { Shape, SymbolicShape } from '../../src/values/shape.ts'
import { pseudoRandom } from '../random.ts'
import { drawsOf } from '../streams/random-graphs.ts'

addAllOperators()

/** A graph of nodes with one output each, which is called like its node. */
class Net {
  readonly builder = new GraphBuilder()

  constructor(shape: SymbolicShape) {
    this.builder.input({ name: 'x', dtype: 'float32', shape })
  }

  add(name: string, op: string, inputs: readonly (string | readonly number[])[], attributes: Record<string, Attribute> = {}): string {
    const names = inputs.map((input, n) => {
      if (typeof input === 'string') return input
      this.builder.constant(`${name}/${n}`, new NdArray(Int32Array.from(input), [input.length]))
      return `${name}/${n}`
    })
    this.builder.add({ name, op, inputs: names, outputs: [name], parameters: {}, attributes })
    return name
  }

  turn(name: string, input: string, ...perm: number[]): string {
    return this.add(name, 'transpose', [input], { perm })
  }

  finish(...values: string[]): { before: Graph, after: Graph } {
    const before = this.builder.finish(values.map((value, n) => ({ name: `out${n}`, value })))
    return { before, after: cancelMoves(before, this.builder.types) }
  }
}

const drawn = ({ nodes, outputs }: Graph): string[] => [...nodes.map(({ name, inputs }) => `${name}(${inputs[0]})`), ...outputs.map(({ name, value }) => `${name}=${value}`)]

describe('cancelMoves', () => {
  it('leaves a graph without such pairs as it is', () => {
    const net = new Net(['batch', 3, 4])
    net.turn('t', 'x', 0, 2, 1)
    net.add('r', 'reshape', ['t', [0, -1]])
    net.add('a', 'relu', ['r'])
    const { before, after } = net.finish('a')
    expect(after).toEqual(before)
  })

  it('transposes that cancel go, several become one, and the same again is read from the first', () => {
    const net = new Net([2, 'batch', 4])
    net.turn('a', 'x', 1, 2, 0)
    net.turn('b', 'a', 1, 2, 0)
    net.turn('c', 'b', 1, 2, 0)
    net.add('d', 'relu', ['c'])
    net.add('reversed', 'transpose', ['x'])
    net.turn('again', 'x', 1, 2, 0)
    const { after } = net.finish('d', 'b', 'reversed', 'again')
    expect(drawn(after)).toEqual(['a(x)', 'b(x)', 'd(x)', 'reversed(x)', 'out0=d', 'out1=b', 'out2=reversed', 'out3=a'])
    expect(after.nodes[1]?.attributes).toEqual({ perm: [2, 0, 1] })
  })

  it('a transposed value that others read stays, and the next reads past it', () => {
    const net = new Net(['batch', 3, 4])
    net.turn('a', 'x', 1, 0, 2)
    net.add('other', 'tanh', ['a'])
    net.turn('b', 'a', 1, 0, 2)
    net.add('c', 'relu', ['b'])
    expect(drawn(net.finish('c', 'other').after)).toEqual(['a(x)', 'other(a)', 'c(x)', 'out0=c', 'out1=other'])
  })

  it('reshapes back to a shape that was there are that value: squeeze and unsqueeze, flatten, identities, with constants only they need', () => {
    const net = new Net(['batch', 3, 4])
    net.add('wide', 'unsqueeze', ['x', [1]])
    net.add('narrow', 'squeeze', ['wide', [1]])
    net.add('same', 'identity', ['narrow'])
    net.add('flat', 'flatten', ['same'])
    net.add('back', 'reshape', ['flat', [-1, 3, 4]])
    net.add('wide again', 'unsqueeze', ['back', [1]])
    net.add('a', 'relu', ['wide again'])
    const { after } = net.finish('a', 'flat')
    expect(drawn(after)).toEqual(['wide(x)', 'flat(x)', 'a(wide)', 'out0=a', 'out1=flat'])
    expect([...after.constants.keys()]).toEqual(['wide/1'])
  })

  it('an output may be an input, its name stays', async () => {
    const net = new Net(['batch', 3])
    net.turn('a', 'x', 1, 0)
    net.turn('b', 'a', 1, 0)
    const { after } = net.finish('b')
    expect(drawn(after)).toEqual(['out0=x'])
    const model = await compile(after)
    const { out0 } = model.run({ x: new NdArray(Float32Array.of(1, 2, 3), [1, 3]) }) as Record<string, NdArray>
    expect([...out0?.data ?? []]).toEqual([1, 2, 3])
    model.dispose()
  })

  it('a reshape reads past another one, but not if its target speaks of what is between, or if that is read besides', () => {
    const reshaped = (target: readonly number[], { isRead = false, first = [-1, 12] } = {}): string[] => {
      const net = new Net(['batch', 3, 4])
      net.add('a', 'reshape', ['x', first])
      net.add('b', 'reshape', ['a', target])
      return drawn(net.finish('b', ...(isRead ? ['a'] : [])).after)
    }
    expect(reshaped([-1, 6, 2])).toEqual(['b(x)', 'out0=b'])
    expect(reshaped([0, 6, 2])).toEqual(['a(x)', 'b(a)', 'out0=b'])
    expect(reshaped([-1, 6, 2], { isRead: true })).toEqual(['a(x)', 'b(a)', 'out0=b', 'out1=a'])
    // What is left over stands where another size was.
    expect(reshaped([12, -1], { first: [12, -1] })).toEqual(['a(x)', 'out0=a'])
    expect(reshaped([6, 2, -1], { first: [12, -1] })).toEqual(['a(x)', 'b(a)', 'out0=b'])
  })

  it('100 random chains give the same bits, with fewer nodes', async () => {
    let [many, few] = [0, 0]
    for (let seed = 1; seed <= 100; seed++) {
      const draw = drawsOf(seed)
      const net = new Net([2, 3, 1, 4])
      const values = ['x']
      for (let n = 0; n < 8; n++) {
        const input = values[draw(2) === 0 ? values.length - 1 : draw(values.length)] as string
        const shape = net.builder.types.get(input)?.shape as Shape
        const perm = shape.map((_, axis) => axis).sort(() => draw(3) - 1)
        const name = `n${n}`
        const ways = [
          () => net.turn(name, input, ...perm), () => net.turn(name, input, ...perm), () => net.add(name, 'identity', [input]),
          () => net.add(name, 'reshape', [input, [[2, 3, 1, 4], [-1, 6], [4, 1, 6], [2, -1, 2], [24]][draw(5)] as number[]]),
          () => net.add(name, 'flatten', [input], { axis: draw(shape.length) }), () => net.add(name, 'unsqueeze', [input, [draw(shape.length)]]),
          () => net.add(name, 'squeeze', [input]), () => net.add(name, 'tanh', [input]),
        ]
        values.push((ways[shape.length > 5 ? 3 : draw(ways.length)] as () => string)())
      }
      const { before, after } = net.finish(...values.slice(-4))
      many += before.nodes.length
      few += after.nodes.length
      const [wanted, got] = await Promise.all([before, after].map(async (graph) => {
        const model = await compile(graph)
        const outputs = model.run({ x: new NdArray(pseudoRandom(seed, 24, 1), [2, 3, 1, 4]) }) as Record<string, NdArray>
        model.dispose()
        return Object.entries(outputs).map(([name, { shape, data }]) => [name, [...shape], [...data]])
      }))
      expect(got, `seed ${seed}`).toEqual(wanted)
    }
    expect(few).toBeLessThan(0.75 * many)
  })
})
