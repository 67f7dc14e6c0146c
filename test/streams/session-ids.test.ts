// Ids of sessions against a plain model of them: a set of those that are open.
import { describe, expect, it } from 'vitest'
import { SessionIds } from '../../src/streams/session-ids.ts'
import { expectError } from '../expect-error.ts'

describe.each([1, 2, 3, 7])('ids of %i sessions', (capacity) => {
  it('are of those that are open, whatever is opened and closed, full and empty', () => {
    const ids = new SessionIds(capacity)
    const open: number[] = []
    const closed: Set<number> = new Set()
    const places = new Int32Array(capacity)
    let seed = 1
    const draw = (below: number): number => {
      seed = Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d) + 0x9e3779b9 | 0
      return (seed >>> 8) % below
    }
    for (let round = 0; round < 400; round++) {
      // Long stretches that fill, and long stretches that empty.
      const fills = draw(4) < (round % 40 < 20 ? 3 : 1)
      if (fills && open.length === capacity) expectError(() => ids.open(), 'MEMORY', `streams: all ${capacity} sessions are open`)
      else if (fills) {
        const id = ids.open()
        expect(open).not.toContain(id)
        expect(closed.has(id), `id ${id} again`).toBe(false)
        open.push(id)
      } else if (open.length > 0) {
        const [id] = open.splice(draw(open.length), 1) as [number]
        ids.close(id)
        closed.add(id)
        expectError(() => ids.close(id), 'VALUE', `streams: no session ${id} is open`)
      }
      expect(ids.size).toBe(open.length)
      ids.places(open, open.length, places)
      const taken = [...places.subarray(0, open.length)]
      expect(new Set(taken).size).toBe(open.length)
      expect(taken).toEqual(open.map((id) => ids.place(id)))
      for (const place of taken) expect(place >= 0 && place < capacity, `place ${place}`).toBe(true)
    }
    expect(closed.size).toBeGreaterThan(20)
  })

  it('are taken again only after all others of their place, and stay positive int32 numbers', () => {
    const ids = new SessionIds(capacity)
    const first = ids.open()
    ids.close(first)
    for (let n = 0; n < 3 * capacity; n++) {
      const id = ids.open()
      expect(id).not.toBe(first)
      expect(Int32Array.of(id)[0]).toBe(id)
      expect(id).toBeGreaterThan(0)
      ids.close(id)
    }
  })
})

it('the session that was closed first is taken first', () => {
  const ids = new SessionIds(4)
  const open = [ids.open(), ids.open(), ids.open(), ids.open()] as const
  const places = open.map((id) => ids.place(id))
  for (const n of [2, 0, 3] as const) ids.close(open[n])
  expect([ids.open(), ids.open(), ids.open()].map((id) => ids.place(id))).toEqual([places[2], places[0], places[3]])
  expect(ids.place(open[1])).toBe(places[1])
})

it('an id twice in one call is refused, the same id in another call is not', () => {
  const ids = new SessionIds(3)
  const [a, b] = [ids.open(), ids.open()]
  const places = new Int32Array(3)
  ids.places([a, b], 2, places)
  ids.places([b, a], 2, places)
  expect([...places]).toEqual([ids.place(b), ids.place(a), 0])
  expectError(() => ids.places([a, b, a], 3, places), 'VALUE', `streams: the session ${a} is there twice`)
  // Only as many as are meant are looked at.
  ids.places([a, b, a], 2, places)
})
