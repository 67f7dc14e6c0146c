// Outputs that share a buffer with another output, an input or a constant, written to wherever a caller says.
import { expect, it } from 'vitest'
import { GraphBuilder } from '../src/graph/builder.ts'
import { compile } from '../src/model/load.ts'
import { addAllOperators } from '../src/ops/all.ts'
import { createRuntime } from '../src/runtime/create.ts'
import { NdArray } from '../src/values/ndarray.ts'
import { expectError } from './expect-error.ts'
import { pseudoRandom } from './random.ts'

const NAMES = ['sum', 'again', 'view', 'given', 'fixed'] as const

it('outputs that are one value, a view of it, an input and a constant are all right, into tensors, arrays or neither', async () => {
  addAllOperators()
  const runtime = await createRuntime({ variant: 'simd' })
  const graph = new GraphBuilder()
  const node = { parameters: {}, attributes: {} }
  const constant = new NdArray(pseudoRandom(1, 6, 1), [2, 3])
  graph.input({ name: 'x', dtype: 'float32', shape: [2, 3] })
  graph.constant('c', constant)
  graph.constant('shape', new NdArray(Int32Array.of(2, 3), [2]))
  graph.add({ ...node, name: 'add', op: 'add', inputs: ['x', 'c'], outputs: ['s'] })
  graph.add({ ...node, name: 'view', op: 'reshape', inputs: ['s', 'shape'], outputs: ['v'] })
  const values = ['s', 's', 'v', 'x', 'c']
  const model = await compile(graph.finish(NAMES.map((name, n) => ({ name, value: values[n] as string }))), { runtime })
  for (let subset = 1; subset < 1 << NAMES.length; subset++) {
    const names = NAMES.filter((_, n) => (subset >> n & 1) === 1)
    const x = new NdArray(pseudoRandom(subset + 9, 6, 1), [2, 3])
    const sum = Float32Array.from(x.data, (value, n) => value + (constant.data[n] as number))
    const expected = { sum, again: sum, view: sum, given: x.data, fixed: constant.data }
    for (const given of [x, runtime.tensor(x.data, [2, 3])]) {
      const tensors = Object.fromEntries(names.map((name) => [name, runtime.tensor(null, [2, 3])]))
      model.run({ x: given }, { into: tensors })
      for (const name of names) expect(tensors[name]?.data, `${name} of ${names.join()}`).toEqual(expected[name])
      // Whatever was written to before, the outputs are the model's own again.
      const outputs = model.run({ x: given })
      for (const name of NAMES) expect(outputs[name]?.data, `${name} after ${names.join()}`).toEqual(expected[name])
      for (const tensor of Object.values(tensors)) tensor.dispose()
    }
    const arrays = Object.fromEntries(names.map((name) => [name, new Float32Array(6)]))
    model.run({ x }, { into: arrays })
    for (const name of names) expect(arrays[name], `${name} of ${names.join()}`).toEqual(expected[name])
  }
  model.dispose()
})

it('outputs are written into two views of one buffer wherever they are apart, be it by nothing, and nowhere else', async () => {
  addAllOperators()
  const runtime = await createRuntime({ variant: 'simd' })
  const graph = new GraphBuilder()
  graph.input({ name: 'x', dtype: 'float32', shape: [3] })
  graph.add({ parameters: {}, attributes: {}, name: 'neg', op: 'neg', inputs: ['x'], outputs: ['n'] })
  graph.add({ parameters: {}, attributes: {}, name: 'abs', op: 'abs', inputs: ['x'], outputs: ['a'] })
  using model = await compile(graph.finish([{ name: 'negative', value: 'n' }, { name: 'positive', value: 'a' }]), { runtime })
  const x = pseudoRandom(3, 3, 1)
  const [negative, positive] = [x.map((value) => -value), x.map(Math.abs)]
  for (let a = 0; a < 9; a++) {
    for (let b = 0; b < 9; b++) {
      const all = new Float32Array(12)
      const into = { negative: all.subarray(a, a + 3), positive: all.subarray(b, b + 3) }
      const expected = new Float32Array(12)
      if (Math.abs(a - b) < 3) expectError(() => model.run({ x }, { into }), 'VALUE', "into: 'negative' and 'positive' are the same memory")
      else {
        model.run({ x }, { into })
        expected.set(negative, a)
        expected.set(positive, b)
      }
      expect(all, `${a} and ${b}`).toEqual(expected)
    }
  }
})
