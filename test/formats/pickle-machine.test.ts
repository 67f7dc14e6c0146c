// Opcodes of pickles, each as Python's pickletools has it, and what is no pickle.
import { describe, expect, it } from 'vitest'
import { Budget } from '../../src/formats/budget.ts'
import { PickleBytes } from '../../src/formats/torch/pickle-bytes.ts'
import { ForeignObject, PickleMachine, type PickleWorld } from '../../src/formats/torch/pickle.ts'
import { expectError } from '../expect-error.ts'

/** Knows the module `own`, and says what it was asked. */
const world: PickleWorld = {
  call: (name, args) => ({ name, args }),
  persistent: (id) => ({ id }),
  knows: (name) => name.startsWith('own.'),
}

/** Runs opcodes: text is their letters and lines, numbers are bytes. */
function machine(...program: readonly (string | number)[]): PickleMachine {
  const bytes = program.flatMap((part) => (typeof part === 'number' ? [part] : [...new TextEncoder().encode(part)]))
  return new PickleMachine(new PickleBytes(Uint8Array.from(bytes)), world, new Budget(bytes.length))
}

const run = (...program: readonly (string | number)[]): unknown => machine(...program).run()
const CALLEE = 'cown\nf\n'

describe('the stack', () => {
  it.each<[string, readonly (string | number)[], unknown]>([
    ['POP', ['K', 1, 'K', 2, '0.'], 1],
    ['POP_MARK', ['K', 1, '(K', 2, 'K', 3, '1.'], 1],
    ['DUP', ['K', 7, '2', 0x86, '.'], [7, 7]],
    ['PROTO and FRAME', [0x80, 4, 0x95, 1, 0, 0, 0, 0, 0, 0, 0, 'K', 5, '.'], 5],
    ['PUT and GET', ['K', 5, 'p1\n0K', 6, 'q', 2, '0K', 7, 'r', 3, 0, 0, 0, '0g1\nh', 2, 'j', 3, 0, 0, 0, 0x87, '.'], [5, 6, 7]],
    ['MEMOIZE', ['K', 5, 0x94, 'K', 6, 0x94, '00h', 1, 'h', 0, 0x86, '.'], [6, 5]],
  ])('%s', (_name, program, value) => {
    expect(run(...program)).toEqual(value)
  })

  it.each<[string, readonly (string | number)[], string]>([
    ['nothing to pop', ['0.'], 'expected an object on the stack before byte 1'],
    ['nothing to hand back', ['.'], 'expected an object on the stack before byte 1'],
    ['a mark to pop', ['(0.'], 'expected an object on the stack before byte 2'],
    ['no mark', ['K', 1, '1.'], 'expected a mark on the stack before byte 3'],
    ['a memo that is not there', ['h', 3, '.'], 'memo 3 is read before it is written'],
    ['an opcode that is none', ['K', 1, 0xff, '.'], 'unknown opcode 0xff at byte 2'],
    ['an opcode of one digit', [5, '.'], 'unknown opcode 0x05 at byte 0'],
  ])('has %s: refused', (_title, program, message) => {
    expectError(() => run(...program), 'FORMAT', `pickle: ${message}`)
  })

  it('is of protocol 5 at most', () => {
    expect(run(0x80, 5, 'N.')).toBe(null)
    expectError(() => run(0x80, 6, 'N.'), 'UNSUPPORTED', 'pickle: expected protocol 0 to 5, got 6')
  })
})

describe('calls', () => {
  it.each<[string, readonly (string | number)[]]>([
    ['REDUCE', [CALLEE, 'K', 1, 'K', 2, 0x86, 'R.']], ['NEWOBJ', [CALLEE, 'K', 1, 'K', 2, 0x86, 0x81, '.']],
    ['NEWOBJ_EX, whose named arguments are left out', [CALLEE, 'K', 1, 'K', 2, 0x86, '}', 0x92, '.']],
    ['INST', ['(K', 1, 'K', 2, 'iown\nf\n.']], ['OBJ', ['(', CALLEE, 'K', 1, 'K', 2, 'o.']],
    ['STACK_GLOBAL', [0x8c, 3, 'own', 0x8c, 1, 'f', 0x93, 'K', 1, 'K', 2, 0x86, 'R.']],
  ])('%s', (_name, program) => {
    expect(run(...program)).toEqual({ name: 'own.f', args: [1, 2] })
  })

  it('of what is not known make objects of which nothing is kept but the class', () => {
    const one = machine('cother\nThing\nK', 1, 0x85, 'R.')
    expect(one.run()).toEqual(new ForeignObject('other.Thing'))
    expect([...one.foreign]).toEqual(['other.Thing'])
    expect(run('ccopyreg\n_reconstructor\ncother\nThing\ncother\nBase\nN', 0x87, 'R.')).toEqual(new ForeignObject('other.Thing'))
    // An instance that is called, and one that takes items.
    expect(run('cother\nThing\n)R)R.')).toEqual(new ForeignObject('other.Thing'))
    expect(run('cother\nThing\n)R(K', 1, 'eK', 2, 'a(K', 1, 'K', 2, 'u.')).toEqual(new ForeignObject('other.Thing'))
  })

  it('a state with modules tells a module', () => {
    const state = (name: string): unknown => run('cother\nThing\n)R}(U', name.length, name, '}ub.')
    expect(state('_modules')).toMatchObject({ name: 'other.Thing', isModule: true })
    expect(state('_weights')).toMatchObject({ name: 'other.Thing', isModule: false })
    expect(run('cother\nThing\n)RK', 1, 'b.')).toMatchObject({ isModule: false })
  })

  it.each<[string, readonly (string | number)[], string]>([
    ['a number is called', ['K', 1, ')R.'], 'expected a class or function to call'],
    ['arguments are no tuple', [CALLEE, 'K', 1, 'R.'], 'expected a tuple of arguments for own.f'],
    ['a global has no text for its name', ['K', 1, 'K', 2, 0x93, '.'], 'expected the name of a global as text'],
    ['something is appended to a number', ['K', 1, 'K', 2, 'a.'], 'expected a list to append to'],
    ['something is appended to a tuple', [')K', 2, 'a.'], 'expected a list to append to'],
    ['items are set of a list', [']K', 1, 'K', 2, 's.'], 'expected a dictionary to set items of'],
    ['a key has no value', ['}(K', 1, 'K', 2, 'K', 3, 'u.'], 'expected a value for every key of a dictionary'],
  ])('%s: refused', (_title, program, message) => {
    expectError(() => run(...program), 'FORMAT', `pickle: ${message}`)
  })

  it('persistent ids are lines or objects', () => {
    expect(run('Psome id\n.')).toEqual({ id: 'some id' })
    expect(run('K', 1, 'K', 2, 0x86, 'Q.')).toEqual({ id: [1, 2] })
  })
})
