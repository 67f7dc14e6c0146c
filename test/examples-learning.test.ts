// What the examples that learn from a file make of it: columns, windows, batches.
import { describe, expect, it } from 'vitest'
import { pseudoRandom } from './random.ts'

const at = (path: string): string => new URL(`../examples/${path}`, import.meta.url).href
interface Column { readonly name: string, readonly values: Float64Array }
interface Cut { readonly shape: readonly number[], readonly data: Float32Array }
interface Windows {
  readonly train: { readonly x: Cut, readonly y: Cut }
  readonly test: { readonly x: Cut, readonly begins: number[] }
  readonly mean: number
  readonly deviation: number
  readonly begin: number
}

describe('examples/forecast', () => {
  it('reads columns of numbers: names, quotes, decimal commas', async () => {
    const { readCsv } = await import(at('forecast/csv.mjs')) as { readCsv: (text: string) => Column[] }
    expect(readCsv('\uFEFF"when, here";a;b\r\n"x ""y"";";1,5;-2\r\nz;2,25;3e2\r\n')).toEqual([
      { name: 'a', values: Float64Array.of(1.5, 2.25) }, { name: 'b', values: Float64Array.of(-2, 300) },
    ])
    expect(readCsv('1\n2\n')).toEqual([{ name: 'column 1', values: Float64Array.of(1, 2) }])
    expect(() => readCsv('a,b\n1,2\n3,\n5,x')).not.toThrow()
    expect(() => readCsv('a\n1\n-\n')).toThrow(/no column has a number on every line: a has '-' on line 3/)
    expect(() => readCsv('a,b\n1,2\n3\n')).toThrow(/line 3: expected 2 fields, got 1/)
  })

  it('normalises by what is trained with alone, and trains with nothing that it is judged on', async () => {
    const { cutWindows } = await import(at('forecast/windows.mjs')) as { cutWindows: (values: Float64Array, sizes: { past: number, ahead: number }) => Windows }
    const values = Float64Array.from({ length: 101 }, (_, n) => (n < 80 ? n * n % 17 : 1000 + n))
    const { train, test, mean, deviation, begin } = cutWindows(values, { past: 5, ahead: 3 })
    expect(begin).toBe(80)
    const known = [...values.subarray(0, 80)]
    expect(mean).toBeCloseTo(known.reduce((a, b) => a + b) / 80, 10)
    expect(deviation).toBeCloseTo(Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 80), 10)
    const normal = (from: number, to: number): Float32Array => Float32Array.from(values.subarray(from, to), (value) => (value - mean) / deviation)
    expect(train.x.shape).toEqual([73, 5, 1])
    expect(train.x.data.subarray(-5)).toEqual(normal(72, 77))
    expect(train.y.data.subarray(-3)).toEqual(normal(77, 80))
    expect(test.begins).toEqual([80, 83, 86, 89, 92, 95, 98])
    expect(test.x.data.subarray(5, 10)).toEqual(normal(78, 83))
  })
})

describe('examples/capture', () => {
  interface Sounds { readonly clean: Float32Array, readonly amplified: Float32Array, readonly sampleRate: number }
  interface SoundsModule {
    align: (of: Sounds) => Sounds & { latency: number }
    findLatency: (clean: Float32Array, amplified: Float32Array, most: number) => number
    makeSounds: () => Sounds
    readSounds: (...files: { name: string, bytes: Uint8Array }[]) => Sounds
  }
  const sounds = (): Promise<SoundsModule> => import(at('capture/sounds.mjs')) as never

  it('finds the latency, whichever sign the sound and the latency have, and takes it out', async () => {
    const { align, findLatency } = await sounds()
    const noise = pseudoRandom(9, 30_000, 1)
    for (const late of [0, 1, 250, 1999, -77]) {
      const amplified = noise.map((_, n) => -0.3 * Math.tanh(2 * (noise[n - late] ?? 0)))
      expect(findLatency(noise, amplified, 2000)).toBe(late - 1)
      const aligned = align({ clean: noise, amplified, sampleRate: 8000 })
      expect(aligned.latency).toBe(late - 1)
      expect(aligned.clean.length).toBe(aligned.amplified.length)
      // One sample late still: a model cannot know what comes.
      for (const n of [100, 5000, 20_000]) expect(aligned.amplified[n + 1]).toBeCloseTo(-0.3 * Math.tanh(2 * (aligned.clean[n] as number)), 6)
    }
    expect(() => findLatency(new Float32Array(5000), noise, 100)).toThrow('the clean recording is silent')
    expect(() => findLatency(noise, new Float32Array(5000), 100)).toThrow('the amplified recording is silent')
  })

  it('makes the same sounds every time, and refuses files that are none', async () => {
    const { makeSounds, readSounds } = await sounds()
    const [one, two] = [makeSounds(), makeSounds()]
    expect(one).toEqual(two)
    expect(one.amplified.every((sample) => Math.abs(sample) < 1) && one.amplified.some((sample) => Math.abs(sample) > 0.3)).toBe(true)
    expect(() => readSounds({ name: 'a.wav', bytes: new Uint8Array(50) }, { name: 'b.wav', bytes: new Uint8Array(50) })).toThrow('a.wav: this is no WAV file')
  })

  it('cuts pieces that go on where they ended, keeps the end from training, and learns the same in a worker', async () => {
    const { cutSounds, learn } = await import(at('capture/learn.mjs')) as {
      cutSounds: (clean: Float32Array, amplified: Float32Array, sizes: { rows: number, timesteps: number }) => {
        batches: () => Iterable<{ x: Cut, y: Cut }>
        count: number
        heldOut: { clean: Float32Array }
      }
      learn: (of: Pick<Sounds, 'clean' | 'amplified'>, options: object) => Promise<void>
    }
    const numbers = Float32Array.from({ length: 100 }, (_, n) => n)
    const { batches, count, heldOut } = cutSounds(numbers, numbers.map((n) => -n), { rows: 3, timesteps: 7 })
    const all = [...batches()]
    expect([count, all.length, heldOut.clean[0], heldOut.clean.length]).toEqual([4, 4, 90, 10])
    for (let row = 0; row < 3; row++) {
      const played = all.flatMap(({ x }) => [...x.data.subarray(7 * row, 7 * row + 7)])
      expect(played).toEqual(Array.from({ length: 28 }, (_, n) => 30 * row + n))
      expect(all.flatMap(({ y }) => [...y.data.subarray(7 * row, 7 * row + 7)])).toEqual(played.map((n) => -n))
    }
    expect(() => cutSounds(numbers, numbers, { rows: 30, timesteps: 70 })).toThrow(/the recording has 100 samples: expected 2364 or more/)
    const clean = pseudoRandom(4, 40_000, 0.8)
    const ratios = await Promise.all([false, true].map(async (worker) => {
      const told: number[] = []
      const onEpoch = ({ ratio, model }: { ratio: number, model: { dispose: () => void } }): void => {
        told.push(ratio)
        model.dispose()
      }
      await learn({ clean, amplified: clean.map((sample) => Math.tanh(3 * sample)) }, { units: 4, epochs: 3, worker, onEpoch })
      return told
    }))
    expect(ratios[0]?.length).toBe(3)
    expect(ratios[0]?.[2]).toBeLessThan(ratios[0]?.[0] as number)
    expect(ratios[1]).toEqual(ratios[0])
  })
})

describe('examples/writer', () => {
  it('cuts batches that go on where the batch before ended, row by row', async () => {
    const { cutText } = await import(at('writer/text.mjs')) as { cutText: (indices: Int32Array, sizes: { rows: number, timesteps: number }) => { batches: () => Iterable<{ x: Cut, y: Cut }>, count: number, heldOut: Int32Array } }
    const { batches, count, heldOut } = cutText(Int32Array.from({ length: 100 }, (_, n) => n), { rows: 3, timesteps: 7 })
    const all = [...batches()]
    expect([count, all.length]).toEqual([4, 4])
    expect([...heldOut]).toEqual([95, 96, 97, 98, 99])
    for (let row = 0; row < 3; row++) {
      const read = all.flatMap(({ x }) => [...x.data.subarray(7 * row, 7 * row + 7)])
      expect(read).toEqual(Array.from({ length: 28 }, (_, n) => 31 * row + n))
      expect(all.flatMap(({ y }) => [...y.data.subarray(7 * row, 7 * row + 7)])).toEqual(read.map((index) => index + 1))
    }
  })

  it('makes lines of paragraphs, and says which characters hardly occur', async () => {
    const { readText } = await import(at('writer/text.mjs')) as { readText: (text: string) => { characters: string[], indices: Int32Array, left: string[] } }
    const { characters, indices, left } = readText(`${'ab\r\nba\r\n\r\n'.repeat(6)}x`)
    expect([characters, left]).toEqual([['\n', ' ', 'a', 'b'], ['x']])
    expect([...indices].map((n) => characters[n]).join('')).toBe('ab ba\n'.repeat(6))
  })
})
