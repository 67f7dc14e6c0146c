// States that outlive plans: what they hold, and that none of their memory is lost.
import { beforeEach, describe, expect, it } from 'vitest'
import { StateMemory, type StateShape } from '../src/plan/states.ts'
import { createRuntime } from '../src/runtime/create.ts'
import type { Runtime } from '../src/runtime/runtime.ts'
import { expectError } from './expect-error.ts'
import { pseudoRandom } from './random.ts'

const shape = (floats: number): StateShape => ({ outer: 1, rows: 1, rowBytes: 4 * floats })

let runtime: Runtime
let states: StateMemory

beforeEach(async () => {
  runtime = await createRuntime({ variant: 'simd' })
  states = new StateMemory(runtime)
})

/** The elements of a state. */
const view = (name: string, floats: number): Float32Array => runtime.linearMemory.view('float32', states.find(name)?.slot.ptr as number, floats)
const used = (): number => runtime.memory().usedBytes

describe('states', () => {
  it('begin with zeros, whatever was in their place, and are there until they are forgotten', () => {
    const ptr = runtime.linearMemory.allocate(4 * 33, 'a test')
    runtime.linearMemory.view('float32', ptr, 33).fill(7)
    runtime.linearMemory.free(ptr)
    const slot = states.slot('a', shape(33), 'a')
    expect(view('a', 33)).toEqual(new Float32Array(33))
    view('a', 33).fill(3)
    expect(states.slot('a', shape(33), 'a')).toBe(slot)
    expect(view('a', 33)).toEqual(new Float32Array(33).fill(3))
    expectError(() => states.slot('a', shape(34), "lstm 'a'"), 'VALUE', "lstm 'a': it is stateful and remembers another batch size (its state has 132 bytes, this batch needs 136); call resetStates() before changing the batch")
    states.clear()
    expect(states.find('a')).toBeUndefined()
  })

  it('go back to what they were at the last copy, all of them', () => {
    const [a, b] = [pseudoRandom(1, 21, 1), pseudoRandom(2, 5, 1)]
    states.slot('a', shape(21), 'a')
    states.slot('b', shape(5), 'b')
    states.makeRoomForCopies()
    view('a', 21).set(a)
    view('b', 5).set(b)
    states.backUp()
    view('a', 21).fill(1)
    view('b', 5).fill(2)
    for (let n = 0; n < 2; n++) {
      states.goBack()
      expect([view('a', 21), view('b', 5)]).toEqual([a, b])
    }
  })

  it('give all memory back, also that of copies, also of copies that became too small', () => {
    const before = used()
    states.slot('a', shape(1000), 'a')
    states.makeRoomForCopies()
    const once = used()
    states.makeRoomForCopies()
    expect(used()).toBe(once)
    states.slot('b', shape(3000), 'b')
    states.makeRoomForCopies()
    // The states, and one copy of each, in blocks of 64 bytes.
    expect(used() - before).toBe(Math.ceil(4000 / 64) * 64 + Math.ceil(12_000 / 64) * 64 + Math.ceil(16_000 / 64) * 64)
    states.clear()
    expect(used()).toBe(before)
    states.clear()
    expect(used()).toBe(before)
  })

  it('that an attempt made are given back when it fails, others stay', () => {
    states.slot('a', shape(8), 'a')
    view('a', 8).fill(5)
    const before = used()
    const failure = new Error('not this time')
    expect(() => states.attempt(() => {
      states.slot('a', shape(8), 'a')
      states.slot('b', shape(100), 'b')
      throw failure
    })).toThrow(failure)
    expect(used()).toBe(before)
    expect(states.blocks.map(({ name }) => name)).toEqual(['a'])
    expect(states.find('b')).toBeUndefined()
    expect(view('a', 8)).toEqual(new Float32Array(8).fill(5))
    expect(states.attempt(() => states.slot('b', shape(100), 'b'))).toBe(states.find('b')?.slot)
  })
})
