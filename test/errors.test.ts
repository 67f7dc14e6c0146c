import { describe, expect, it } from 'vitest'
import { LstmError } from '../src/errors.ts'

const bytesOf = (text: string): number => new TextEncoder().encode(text).length

describe('a message', () => {
  it('of up to 4 kB stays whole', () => {
    for (const message of ['', 'x', 'x'.repeat(4000), '€'.repeat(1000)]) expect(new LstmError('FORMAT', message).message).toBe(message)
  })

  it.each(['x', 'é', '€', '😀'])('of a million %s keeps its beginning and its end, in at most 4 kB', (letter) => {
    const { message } = new LstmError('FORMAT', `the beginning ${letter.repeat(1e6)} the end`)
    expect(bytesOf(message)).toBeLessThanOrEqual(4096)
    expect(bytesOf(message)).toBeGreaterThan(2500)
    expect(message).toMatch(/^the beginning .* \[\.\.\. \d+ characters left out \.\.\.\] .* the end$/u)
  })

  it('says how many characters are left out', () => {
    const { message } = new LstmError('FORMAT', 'x'.repeat(5000))
    expect(message).toBe(`${'x'.repeat(2900)} [... 1000 characters left out ...] ${'x'.repeat(1100)}`)
  })
})
