// The code of TorchScript, as far as it is rows of assignments: what each becomes, and what is not read.
import { describe, expect, it } from 'vitest'
import { parseBody, parseConstant } from '../../src/formats/torch/program/script-parser.ts'

const name = (text: string): object => ({ kind: 'name', name: text })
const literal = (value: unknown): object => ({ kind: 'literal', value })
const list = (...items: readonly object[]): object => ({ kind: 'list', items })
const call = (callee: object, args: readonly object[] = [], named: readonly (readonly [string, object])[] = []): object => ({ kind: 'call', callee, args, named })
const attribute = (of: object, text: string): object => ({ kind: 'attribute', of, name: text })

describe('statements', () => {
  it.each<[string, object]>([
    ['a = b', { targets: ['a'], unpacks: false, value: name('b') }],
    ['a, b, = c', { targets: ['a', 'b'], unpacks: true, value: name('c') }],
    ['a, = c', { targets: ['a'], unpacks: true, value: name('c') }],
    ['return a', { targets: [], unpacks: false, value: name('a') }],
    ['return a, b,', { targets: [], unpacks: false, value: list(name('a'), name('b')) }],
    ['a = torch.add(b, 1, alpha=-2.5e1)', { targets: ['a'], unpacks: false, value: call(attribute(name('torch'), 'add'), [name('b'), literal(1)], [['alpha', literal(-25)]]) }],
    ['a = self.m.weight[0]', { targets: ['a'], unpacks: false, value: { kind: 'item', of: attribute(attribute(name('self'), 'm'), 'weight'), index: literal(0) } }],
    ['a = f([1,\n   (2,)], (b), "x", \'y\', None)', {
      targets: ['a'], unpacks: false, value: call(name('f'), [list(literal(1), list(literal(2))), name('b'), literal('x'), literal('y'), literal(null)]),
    }],
  ])('%s', (text, statement) => {
    expect(parseBody(`\n  ${text}\n`)).toEqual([statement])
    expect(parseBody(text)).toEqual([statement])
  })

  it('stand one after the other', () => {
    expect(parseBody('a = 1\n\n  b = True\n')).toEqual([
      { targets: ['a'], unpacks: false, value: literal(1) }, { targets: ['b'], unpacks: false, value: literal(true) },
    ])
    expect(parseBody('')).toEqual([])
  })
})

describe('what is not read', () => {
  it.each<[string, string]>([
    ['if a:', "decides by 'if'"], ['for a in b:', "loops by 'for'"], ['a = $', 'has code that is not read'], ['a = "b', 'has code that is not read'],
    ['a = -b', 'has arithmetic that is not read'], ['a = b + c', 'has code that is not read: +'], ['a = *b', 'has code that is not read: *'],
    ['a = f(b', 'has code that ends in the middle'], ['a =', 'has code that is not read: \n'], ['a', 'has code that is not read: \n'],
    ['a b', 'has code that is not read: b'], ['1 = a', 'has code that is not read: 1'], ['a = b.3', 'has code that is not read: .3'],
    ['a = b.[3]', 'has code that is not read: ['], ['a = (b c)', 'has code that is not read: c'], ['a = b[0', 'has code that ends in the middle'],
    ['a = b[0)', 'has code that is not read: )'], ['a = f(b c)', 'has code that is not read: c'],
    [`a = ${'('.repeat(300)}b${')'.repeat(300)}`, 'has expressions that are too deep'],
  ])('%s', (text, message) => {
    expect(() => parseBody(`${text}\n`)).toThrow(message)
  })
})

it.each<[string, unknown]>([
  ['3', 3], ['-0.5', -0.5], ['.5', 0.5], ['"a"', 'a'], ['True', true], ['None', null], ['(1, (2, "b"))', [1, [2, 'b']]], ['[]', []], ['f(1)', undefined], ['a', undefined], ['(1, a)', [1, undefined]],
  ['$', undefined], ['', undefined],
])('the constant %s', (text, value) => {
  expect(parseConstant(text)).toEqual(value)
})
