// When a call is shared: by time alone, here told by the test.
import { describe, expect, it } from 'vitest'
import { Choice } from '../../src/runtime/threads/choice.ts'

/** Calls that take these times; returns how many of them were shared, and how long all took. */
function calls(choice: Choice, count: number, alone: number, shared: (n: number) => number): { readonly shared: number, readonly time: number } {
  let [sharedCalls, total] = [0, 0]
  for (let n = 0; n < count; n++) {
    const { isShared } = choice
    const time = isShared ? shared(sharedCalls++) : alone
    choice.took(time)
    total += time
  }
  return { shared: sharedCalls, time: total }
}

describe('a choice between one thread and several', () => {
  it('shares nearly all calls where that takes half the time, and keeps an eye on the time of one', () => {
    const choice = new Choice()
    const { shared } = calls(choice, 2000, 1, () => 0.5)
    expect(shared).toBeGreaterThan(1970)
    expect(shared).toBeLessThan(2000 - 3 - 4)
  })

  it('begins alone, and does not take the first call, with its cold caches, for the time of one', () => {
    const choice = new Choice()
    expect(choice.isShared).toBe(false)
    choice.took(100)
    calls(choice, 2, 1, () => 1)
    expect(choice.isShared).toBe(true) // a trial
    expect(calls(choice, 4, 1, () => 2).shared).toBeLessThan(4)
    expect(choice.isShared).toBe(false)
  })

  it('tries less and less often where it takes longer: not even 1 % in the end', () => {
    const choice = new Choice()
    calls(choice, 2000, 1, () => 3)
    const { shared, time } = calls(choice, 10_000, 1, () => 3)
    expect(shared).toBeGreaterThan(0)
    expect(time / 10_000).toBeLessThan(1.01)
  })

  it('waits twice as long after each trial that was in vain, up to 1024 calls', () => {
    const choice = new Choice()
    const pauses: number[] = []
    for (let pause = 0; pauses.length < 9;) {
      if (!choice.isShared) pause++
      else if (pause > 0) {
        pauses.push(pause)
        pause = 0
      }
      choice.took(choice.isShared ? 3 : 1)
    }
    expect(pauses).toEqual([3, 16, 32, 64, 128, 256, 512, 1024, 1024])
  })

  it('does not share what is as fast alone: another thread would be busy for nothing', () => {
    expect(calls(new Choice(), 1000, 1, () => 0.99).shared).toBeLessThan(40)
  })

  it('goes back to one thread when the other core gets busy, and shares again when it is free', () => {
    const choice = new Choice()
    calls(choice, 100, 1, () => 0.5)
    expect(choice.isShared).toBe(true)
    const busy = calls(choice, 500, 1, () => 4)
    expect(busy.time / 500).toBeLessThan(1.2)
    expect(calls(choice, 3000, 1, () => 0.5).shared).toBeGreaterThan(1500)
  })

  it('is not misled by a mean that hides calls that take ten times as long', () => {
    const choice = new Choice()
    const { time } = calls(choice, 3000, 1, (n) => (n % 8 === 7 ? 10 : 0.55))
    expect(time / 3000).toBeLessThan(1.1)
  })
})

describe('the clock', () => {
  it('is looked at for the last calls of a pause alone', () => {
    const choice = new Choice()
    calls(choice, 3 + 2, 1, () => 3) // the second call of a trial ends it: hopeless
    expect(choice.isShared).toBe(false)
    let skipped = 0
    while (choice.skips()) skipped++
    expect(skipped).toBe(16 - 3)
    expect(choice.isShared).toBe(false)
    calls(choice, 3, 1, () => 3)
    expect([choice.isShared, choice.skips()]).toEqual([true, false])
  })
})
