// The tool itself: what is mutated, what is not, and that a mutant stands at one place.
import { describe, expect, it } from 'vitest'
import { staleOf, type Mutant } from './list.mjs'
import { applyTo, mutationsOf } from './mutators.mjs'
import { formatReport, shareKilled } from './report.mjs'

/** The lines that mutations of a text make, with their kinds. */
function lines(text: string): string[] {
  return mutationsOf('x.ts', text).map(({ kind, replace }) => `${kind}: ${replace.trim()}`)
}

describe('mutations', () => {
  it.each([
    ['if (a < b && c) call(a, b)', [
      'condition: if (false) call(a, b)', 'condition: if (true) call(a, b)', 'logic: if (a < b || c) call(a, b)', 'boundary: if (a <= b && c) call(a, b)',
      'statement: if (a < b && c) ;', 'arguments: if (a < b && c) call(b, a)',
    ]],
    ['const x = -y % 3 - 0.5', ['arithmetic: const x = -y % 3 + 0.5', 'arithmetic: const x = -y * 3 - 0.5', 'arithmetic: const x = y % 3 - 0.5',
      'constant: const x = -y % 4 - 0.5', 'constant: const x = -y % 3 - 0.5005']],
    ['const all = list.some((one) => !one.done)', ['method: const all = list.every((one) => !one.done)', 'negation: const all = list.some((one) => one.done)']],
    ['const v = f32x4.add(a, b)', ['method: const v = f32x4.sub(a, b)', 'arguments: const v = f32x4.add(b, a)']],
    ['const on = true', ['boolean: const on = false']],
    // Words, types, imports, messages and assertions are left alone.
    ["const text = 'a' + b", []],
    ["import { a } from './a.ts'", []],
    ['type Pair = [1, 2]', []],
    ["const error = new LstmError('VALUE', `${a + 1}`)", []],
    ['const set = names.add(a)', []],
  ] as const)('of %s', (text, expected) => {
    expect(lines(`${text}\n`)).toEqual(expected)
  })

  it('are at one place each: lines around it are taken until they stand there once', () => {
    const text = 'function a() {\n  return x + 1\n}\nfunction b() {\n  return x + 1\n}\n'
    const mutations = mutationsOf('x.ts', text)
    expect(mutations).toHaveLength(4)
    for (const one of mutations) expect(text.split(one.find)).toHaveLength(2)
    expect(new Set(mutations.map((one) => applyTo(text, one)))).toEqual(new Set([
      text.replace('x + 1', 'x - 1'), text.replace('x + 1', 'x + 2'), text.replace(/x \+ 1(?![^]*x \+ 1)/, 'x - 1'), text.replace(/x \+ 1(?![^]*x \+ 1)/, 'x + 2'),
    ]))
  })
})

const mutant: Mutant = { file: 'x.ts', find: 'a + b', replace: 'a - b', kind: 'arithmetic' }

it.each([
  ['is gone', 'a * b'], ['stands there twice', 'a + b + a + b'], ['was in a file that is gone', undefined],
])('a mutant whose text %s is stale', (_title, text) => {
  expect(staleOf([mutant], () => text)).toEqual([mutant])
})

it('a mutant whose text stands there once is not stale', () => {
  expect(staleOf([mutant], () => 'x = a + b')).toEqual([])
  expect(applyTo('x = a + b', { ...mutant, replace: '$& $1' })).toBe('x = $& $1')
})

it('a report counts rooms, shows survivors, and gives reasons', () => {
  const mutants = ['one', 'two', 'three'].map((key) => ({ ...mutant, room: 'kernels', key, ...(key === 'three' ? { equivalent: 'b is 0' } : {}) }))
  const verdicts = [['one', 'killed'], ['two', 'survived'], ['three', 'equivalent']].map(([key, verdict]) => ({ key: key as string, room: 'kernels', verdict: verdict as string }))
  expect(formatReport(mutants, verdicts)).toBe([
    'Equivalent, with the reason:', '', '  x.ts', '  - a + b', '  + a - b', '  b is 0', '',
    'Survived:', '', 'two kernels, arithmetic', '  x.ts', '  - a + b', '  + a - b', '',
    'room           killed   survived equivalent', 'kernels             1          1          1', 'all                 1          1          1', '',
    '50.0 % of those that are not equivalent were killed',
  ].join('\n'))
  expect(shareKilled([])).toBe(1)
})
