// Lists of tensors in ONNX files: none is left in the graph. What they compute: onnx-golden.test.ts; what is refused, and how, stands here.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { LstmErrorCode } from '../../src/errors.ts'
import { readOnnx } from '../../src/formats/onnx/index.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { expectError } from '../expect-error.ts'
import { writeOnnx, type GraphSpec, type NodeSpec, type TensorSpec } from './onnx-writer.ts'

type Names = readonly string[]
const node = (op: string, inputs: Names, outputs: Names, attributes: NodeSpec['attributes'] = {}): NodeSpec => ({ op, inputs, outputs, attributes })
const integer = (name: string, ...values: number[]): TensorSpec => ({ name, dims: values.length === 1 ? [] : [values.length], type: 7, int64s: values })
const flag = (name: string, value: number): TensorSpec => ({ name, dims: [], type: 9, raw: Uint8Array.of(value) })
const way = '(join its tensors in the model, by torch.stack or torch.cat; torch.onnx.export(..., dynamo=True) writes no lists)'

const spec = (nodes: readonly NodeSpec[]): GraphSpec => ({
  inputs: [{ name: 'x', shape: ['time', 'batch', 2] }, { name: 'fixed', shape: [3, 2] }, { name: 'chosen', shape: [], type: 7 }], outputs: [{ name: 'y' }],
  initializers: [integer('zero', 0), integer('two', 2), integer('nine', 9), integer('sizes', 1, 2), integer('three', 3), flag('yes', 1)], nodes,
})
const read = (...nodes: NodeSpec[]): Graph => readOnnx(writeOnnx(spec(nodes)))
const ops = (graph: Graph): string[] => graph.nodes.map(({ op }) => op)

describe('a list', () => {
  it('of slices is the tensor that it was cut from', () => {
    expect(ops(read(node('SplitToSequence', ['x'], ['l'], { keepdims: 0 }), node('ConcatFromSequence', ['l'], ['y'], { axis: 0, new_axis: 1 })))).toEqual([])
    expect(ops(read(node('SplitToSequence', ['x'], ['l']), node('ConcatFromSequence', ['l'], ['y'], { axis: 0 })))).toEqual([])
    expect(ops(read(node('SplitToSequence', ['x'], ['l'], { keepdims: 0 }), node('ConcatFromSequence', ['l'], ['y'], { axis: -1, new_axis: 1 })))).toEqual(['transpose'])
  })

  it('goes through Identity, and through an If whose condition is known', () => {
    const graph = read(
      node('SequenceConstruct', ['x', 'x'], ['l']),
      node('If', ['yes'], ['m'], { then_branch: { nodes: [node('Identity', ['l'], ['t'])], outputs: [{ name: 't' }] }, else_branch: { nodes: [node('SequenceEmpty', [], ['e'])], outputs: [{ name: 'e' }] } }),
      node('SequenceAt', ['m', 'zero'], ['a']), node('Neg', ['a'], ['y']),
    )
    expect(ops(graph)).toEqual(['neg'])
  })

  it('that steps append to is what they collect; the loop is the layer that it was', () => {
    const graph = readOnnx(readFileSync(new URL('../golden/onnx/torch-list-unbind.onnx', import.meta.url)))
    expect(ops(graph).filter((op) => op === 'loop' || op === 'rnn')).toEqual(['rnn'])
  })
})

/** A loop over the steps of x that changes a list. */
const loop = (body: readonly NodeSpec[], first: NodeSpec = node('SequenceEmpty', [], ['empty']), result = 'l1'): NodeSpec[] => [
  node('Shape', ['x'], ['shape']), node('Gather', ['shape', 'zero'], ['steps']), first,
  node('Loop', ['steps', 'yes', 'empty'], ['l'], { body: {
    inputs: [{ name: 'i', type: 7 }, { name: 'going', type: 9 }, { name: 'l0' }], outputs: [{ name: 'going', type: 9 }, { name: result }],
    nodes: [node('Gather', ['x', 'i'], ['x_t']), ...body],
  } }),
  node('ConcatFromSequence', ['l'], ['y'], { axis: 1, new_axis: 1 }),
]

describe('what cannot be done with a list is refused, with a way on:', () => {
  it.each<[string, readonly NodeSpec[], LstmErrorCode, string]>([
    ['to have it as an output', [node('SequenceConstruct', ['x'], ['y'])], 'UNSUPPORTED', `the output 'y' is a list of tensors ${way}`],
    ['to compute with it', [node('SequenceConstruct', ['x'], ['l']), node('Neg', ['l'], ['y'])], 'UNSUPPORTED', `node 'y' (Neg): an input that is a list of tensors ${way} is not supported`],
    ['to decide by it', [node('SequenceConstruct', ['x'], ['l']), node('Loop', ['l', 'yes', 'x'], ['y'], { body: {
      inputs: [{ name: 'i' }, { name: 'g' }, { name: 's' }], outputs: [{ name: 'g' }, { name: 't' }], nodes: [node('Neg', ['s'], ['t'])],
    } })], 'UNSUPPORTED', `node 'y' (Loop): a condition that is a list of tensors ${way} is not supported`],
    ['to take a tensor for one', [node('SequenceAt', ['x', 'zero'], ['y'])], 'FORMAT', "node 'y' (SequenceAt): expected a list of tensors, got a tensor"],
    ['a position that is not there', [node('SequenceConstruct', ['x'], ['l']), node('SequenceAt', ['l', 'nine'], ['y'])], 'FORMAT', "node 'y' (SequenceAt): expected a position from -1 to 0, got 9"],
    ['a place that is computed', [node('SequenceConstruct', ['x'], ['l']), node('SequenceErase', ['l', 'chosen'], ['m']), node('SequenceAt', ['m', 'zero'], ['y'])], 'UNSUPPORTED', "node 'm' (SequenceErase): a position that is known only when the model runs is not supported"],
    ['a length that is not known', [node('SplitToSequence', ['x'], ['l']), node('SequenceErase', ['l'], ['m']), node('SequenceAt', ['m', 'zero'], ['y'])], 'UNSUPPORTED', `node 'm' (SequenceErase): a list whose length is known only when the model runs, here, ${way} is not supported`],
    ['an empty one joined', [node('SequenceEmpty', [], ['l']), node('ConcatFromSequence', ['l'], ['y'], { axis: 0 })], 'FORMAT', "node 'y' (ConcatFromSequence): expected tensors to join, got an empty list"],
    ['no axis', [node('SequenceConstruct', ['x'], ['l']), node('ConcatFromSequence', ['l'], ['y'])], 'FORMAT', "node 'y' (ConcatFromSequence): expected an axis, got none"],
    ['parts of an axis that is not known', [node('SplitToSequence', ['x', 'two'], ['l']), node('SequenceAt', ['l', 'zero'], ['y'])], 'UNSUPPORTED', "node 'l' (SplitToSequence): parts of 2 elements of an axis of time is not supported"],
    ['parts of sizes that are computed', [node('SplitToSequence', ['x', 'chosen'], ['l']), node('SequenceAt', ['l', 'zero'], ['y'])], 'UNSUPPORTED', "node 'l' (SplitToSequence): a list of parts whose sizes are known only when the model runs is not supported"],
    ['parts that lose an axis of several', [node('SplitToSequence', ['fixed', 'two'], ['l'], { keepdims: 0 }), node('SequenceAt', ['l', 'zero'], ['y'])], 'UNSUPPORTED', "node 'l' (SplitToSequence): keepdims 0 of parts that have several elements is not supported"],
    ['sizes that do not add up', [node('SplitToSequence', ['fixed', 'sizes'], ['l'], { axis: 1 }), node('SequenceAt', ['l', 'zero'], ['y'])], 'FORMAT', 'expected sizes of 0 or more that add up to 2, got [1, 2]'],
    ['a choice by sizes', [node('Shape', ['x'], ['shape']), node('Gather', ['shape', 'zero'], ['steps']), node('Equal', ['steps', 'two'], ['is']), node('If', ['is'], ['l'], {
      then_branch: { nodes: [node('SequenceConstruct', ['x'], ['t'])], outputs: [{ name: 't' }] }, else_branch: { nodes: [node('SequenceConstruct', ['x'], ['e'])], outputs: [{ name: 'e' }] },
    }), node('SequenceAt', ['l', 'zero'], ['y'])], 'UNSUPPORTED', `node 'l' (If): a result of a choice by sizes that is a list of tensors ${way} is not supported`],
    ['a loop that appends twice', loop([node('SequenceInsert', ['l0', 'x_t'], ['m']), node('SequenceInsert', ['m', 'x_t'], ['l1'])]), 'UNSUPPORTED', `node 'l' (Loop): a loop that does not append one tensor to a list at each step ${way} is not supported`],
    ['a loop that puts in front', loop([node('SequenceInsert', ['l0', 'x_t', 'zero'], ['l1'])]), 'UNSUPPORTED', "node 'l1' (SequenceInsert): inserting into a list in a loop elsewhere than at its end is not supported"],
    ['a loop that reads what it appends to', loop([node('SequenceAt', ['l0', 'zero'], ['a']), node('SequenceInsert', ['l0', 'a'], ['l1'])]), 'UNSUPPORTED', `node 'a' (SequenceAt): reading a list while a loop appends to it ${way} is not supported`],
    ['a loop that makes another one', loop([node('SequenceConstruct', ['x_t'], ['l1'])]), 'UNSUPPORTED', `node 'l' (Loop): a loop that does not append one tensor to a list at each step ${way} is not supported`],
    ['a loop over one that is not empty', loop([node('SequenceInsert', ['l0', 'x_t'], ['l1'])], node('SequenceConstruct', ['fixed'], ['empty'])), 'UNSUPPORTED', `node 'l' (Loop): a list of tensors that a loop changes, and that is not empty before, ${way} is not supported`],
  ])('%s', (_name, nodes, code, message) => {
    const error = expectError(() => read(...nodes), code, /./)
    expect(error.message).toContain(message)
  })

  it('a list that grows from list to list costs what it holds', () => {
    const many = Array.from({ length: 4000 }, (_, n) => node('SequenceInsert', [`l${n}`, 'x'], [`l${n + 1}`]))
    expectError(() => read(node('SequenceEmpty', [], ['l0']), ...many, node('SequenceAt', ['l4000', 'zero'], ['y'])), 'FORMAT', /goes through its own parts so often is not read/)
  })
})
