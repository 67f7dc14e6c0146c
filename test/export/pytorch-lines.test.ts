// The lines of PyTorch that nodes become, one by one, and what PyTorch has nothing for. What whole models compute: test/python/check_exports.py.
import { expect, it } from 'vitest'
import { describePytorch } from '../../src/export/index.ts'
import { addAllOperators } from '../../src/ops/all.ts'
import { expectError } from '../expect-error.ts'
import { random } from '../weights.ts'
import { graphOf, index, ints, scalar, type Node } from './single-nodes.ts'

addAllOperators()

const SEQUENCE = ['batch', 5, 4] as const
const ROWS = ['batch', 4] as const
/** Beyond every end. */
const END = 2 ** 31 - 1

it.each<[string, Node]>([
  ['y, y1, = torch.split(x0, [1, 3], dim=1)', { op: 'split', attributes: { axis: 1 }, from: [ROWS, ints(1, 3)], outputs: 2 }],
  ['y = torch.cat((x0, x1,), dim=1)', { op: 'concat', attributes: { axis: 1 }, from: [ROWS, ROWS] }],
  ['y = x0[:, 2]', { op: 'gather', attributes: { axis: 1 }, from: [SEQUENCE, index(2)] }],
  ['y = x0[:, 1:3, ::2]', { op: 'slice', from: [SEQUENCE, ints(1, 0), ints(3, END), ints(1, 2), ints(1, 2)] }],
  ['y = x0[:, :, :].flip(1)', { op: 'slice', from: [SEQUENCE, ints(-1), ints(-END - 1), ints(1), ints(-1)] }],
  ['y = x0[:3, 1:, :]', { op: 'slice', from: [[6, 5, 4], ints(0, 1), ints(3, END)] }],
  ['y = x0.permute(2, 1, 0)', { op: 'transpose', from: [SEQUENCE] }],
  ['y = F.pad(x0, (1, 2, 0, 0))', { op: 'pad', from: [ROWS, ints(0, 1, 0, 2)] }],
  ['y = F.pad(x0, (1, 2, 0, 0), value=0.5)', { op: 'pad', from: [ROWS, ints(0, 1, 0, 2), scalar(0.5)] }],
  ['y = torch.remainder(x0, x1)', { op: 'mod', from: [ROWS, ROWS] }], ['y = torch.fmod(x0, x1)', { op: 'mod', attributes: { fmod: 1 }, from: [ROWS, ROWS] }],
  ['y = torch.clamp(x0, -1, None)', { op: 'clip', from: [ROWS, scalar(-1)] }],
  ['y = torch.maximum(torch.maximum(x0, x1), x2)', { op: 'max', from: [ROWS, ROWS, ROWS] }],
  ['y = (x0 <= x1).to(torch.uint8)', { op: 'lessOrEqual', from: [ROWS, ROWS] }],
  ['y = (x0 != 0).to(torch.uint8)', { op: 'cast', attributes: { to: 'bool' }, from: [ROWS] }], ['y = x0.to(torch.int32)', { op: 'cast', attributes: { to: 'int32' }, from: [ROWS] }],
  ['y = torch.amax(x0, dim=(0, 1, 2), keepdim=True)', { op: 'reduceMax', from: [SEQUENCE] }],
  ['y = x0.mean(dim=(1,), keepdim=False)', { op: 'reduceMean', attributes: { keepdims: 0 }, from: [SEQUENCE, ints(1)] }],
  ['y = torch.argmax(x0, dim=1, keepdim=False).to(torch.int32)', { op: 'argMax', attributes: { axis: 1, keepdims: 0 }, from: [ROWS] }],
  ['y = 2 * x0 + -1', { op: 'affine', attributes: { alpha: 2, beta: -1 }, from: [ROWS] }],
  ['y = torch.softmax(x0, dim=1)', { op: 'softmax', attributes: { axis: 1 }, from: [SEQUENCE] }],
])('%s', (line, node) => {
  expect(describePytorch(graphOf(node))).toContain(`        ${line}\n`)
})

it.each<[string, Node]>([
  ["split 'n': parts whose sizes are not known, or that nobody wants", { op: 'split', attributes: { axis: 0 }, from: [['batch', 4]], outputs: 2 }],
  ["slice 'n': a part of an axis backwards", { op: 'slice', from: [SEQUENCE, ints(3), ints(0), ints(1), ints(-1)] }],
  ["slice 'n': a part of an axis backwards", { op: 'slice', from: [SEQUENCE, ints(-1), ints(-END - 1), ints(1), ints(-2)] }],
  ["pad 'n': mode 'reflect'", { op: 'pad', attributes: { mode: 'reflect' }, from: [SEQUENCE, ints(0, 0, 1, 0, 0, 1)] }],
  ["reduceSum 'n': a reduction over no axes", { op: 'reduceSum', attributes: { noopWithEmptyAxes: 1 }, from: [SEQUENCE] }],
  ["argMin 'n': the last of equal elements", { op: 'argMin', attributes: { axis: 1, selectLastIndex: 1 }, from: [ROWS] }],
])('%s: refused', (words, node) => {
  const { message } = expectError(() => describePytorch(graphOf(node)), 'UNSUPPORTED', /^describePytorch: what PyTorch has no module or function for: /)
  expect(message).toContain(words)
})

it('a matrix that is a constant is a buffer', () => {
  const code = describePytorch(graphOf({ op: 'matMul', from: [ROWS, random(1, 4, 3)] }))
  expect(code).toContain("self.register_buffer('x1'")
  expect(code).toMatch(/ {8}y = x0 @ self\.x1\n/)
})
