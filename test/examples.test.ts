// The examples: their models against PyTorch, their programs on a terminal, and what they are made of.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { load, type NdArray } from '../src/index.ts'
import { readSafetensors } from '../src/formats/safetensors/safetensors.ts'
import { AMPLIFIER_ESR, CHARRNN_NATS, PYTORCH_DISTANCE } from './tolerance.ts'

const run = promisify(execFile)
const at = (path: string): URL => new URL(`../${path}`, import.meta.url)
const golden = async (path: string): Promise<ReadonlyMap<string, NdArray>> => readSafetensors(await readFile(at(`test/golden/${path}`))).tensors

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lstm-wasm-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function terminal(program: string, ...args: readonly string[]): Promise<{ readonly stdout: string, readonly stderr: string, readonly code: number }> {
  return run(process.execPath, [fileURLToPath(at(`examples/${program}`)), ...args]).then(
    ({ stdout, stderr }) => ({ stdout, stderr, code: 0 }),
    (error: unknown) => error as { stdout: string, stderr: string, code: number },
  )
}

describe('examples/amp', () => {
  it.each(['test/golden/amp/amp.json', 'examples/amp/valve.safetensors'])(`%s gives PyTorch's samples within ${PYTORCH_DISTANCE}`, async (path) => {
    const audio = await golden('amp/audio.safetensors')
    const [dry, wet, target] = ['dry', 'wet', 'target'].map((name) => audio.get(name)?.data) as [Float32Array, Float32Array, Float32Array]
    const model = await load(at(path))
    const stream = model.stream()
    const output = new Float32Array(dry.length)
    stream.process(dry, output)
    model.dispose()
    expect(Math.max(...output.map((sample, n) => Math.abs(sample - (wet[n] as number))))).toBeLessThanOrEqual(PYTORCH_DISTANCE)
    const energy = (samples: Float32Array): number => samples.reduce((sum, sample) => sum + sample * sample, 0)
    expect(energy(output.map((sample, n) => sample - (target[n] as number))) / energy(target)).toBeLessThanOrEqual(AMPLIFIER_ESR)
    // The amplifier does something: what comes out is far from what goes in.
    expect(energy(dry.map((sample, n) => sample - (target[n] as number))) / energy(target)).toBeGreaterThan(0.3)
  })

  it('has a riff that is as loud as it may be, ends where it began, and is the same every time', async () => {
    const { makeRiff } = await import(at('examples/amp/riff.mjs').href) as { makeRiff: (sampleRate: number) => Float32Array }
    const riff = makeRiff(16_000)
    expect(riff.length).toBe(6.4 * 16_000)
    expect(Math.max(...riff.map(Math.abs))).toBeCloseTo(0.9, 6)
    expect(Math.abs(riff.at(-1))).toBeLessThan(0.01)
    expect(makeRiff(16_000)).toEqual(riff)
  })
})

describe('examples/charrnn', () => {
  it(`gives PyTorch's logits within ${PYTORCH_DISTANCE} of their size, and at most ${CHARRNN_NATS} nats a character`, async () => {
    const { makeModel } = await import(at('examples/charrnn/model.mjs').href) as { makeModel: (bytes: Uint8Array) => Promise<{ model: Awaited<ReturnType<typeof load>>, characters: string[] }> }
    const { model, characters } = await makeModel(await readFile(at('examples/charrnn/moby-dick.safetensors')))
    const expected = await golden('charrnn.safetensors')
    const indices = expected.get('indices')?.data as Int32Array
    const logits = expected.get('logits')?.data as Float32Array
    const stream = model.stream()
    const got = new Float32Array(logits.length)
    stream.process(indices.subarray(0, -1), got)
    model.dispose()
    expect(characters.length * (indices.length - 1)).toBe(logits.length)
    const largest = Math.max(...logits.map(Math.abs))
    expect(Math.max(...got.map((value, n) => Math.abs(value - (logits[n] as number)))) / largest).toBeLessThanOrEqual(PYTORCH_DISTANCE)
    let nats = 0
    for (let n = 0; n + 1 < indices.length; n++) {
      const row = got.subarray(n * characters.length, (n + 1) * characters.length)
      nats += Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0)) - (row[indices[n + 1] as number] as number)
    }
    expect(nats / (indices.length - 1)).toBeLessThanOrEqual(CHARRNN_NATS)
  })

  it('writes the same text for the same seed, and says how fast', async () => {
    const write = async (...args: readonly string[]): Promise<string> => (await terminal('charrnn/terminal.mjs', '--prompt', 'The whale', '--length', '120', ...args)).stdout
    const [first, again, other] = await Promise.all([write('--seed', '1'), write('--seed', '1'), write('--seed', '2')])
    const text = (printed: string): string => printed.slice(0, printed.lastIndexOf('\n\n'))
    expect(text(first)).toMatch(/^The whale[\s\S]{120,}$/)
    expect(text(again)).toBe(text(first))
    expect(text(other)).not.toBe(text(first))
    expect(first).toMatch(/120 characters, [\d,]+ a second \(\d+ us each\); temperature 0.7, seed 1\n$/)
  })

  it('takes the likeliest character at temperature 0, and draws as the softmax says at 1', async () => {
    const { generate, seeded } = await import(at('examples/charrnn/generate.mjs').href) as {
      generate: (loaded: unknown, options: unknown) => Iterator<string, void>
      seeded: (seed: number) => () => number
    }
    const logits = [0, 2, 1, 1.5].map((logit) => Math.fround(logit))
    const stream = { step: (_: unknown, output: Float32Array) => output.set(logits), dispose: () => undefined }
    const draw = (temperature: number, count: number): string => {
      const writer = generate({ model: { stream: () => stream }, characters: ['a', 'b', 'c', '\n'] }, { prompt: '', temperature, random: seeded(5) })
      return Array.from({ length: count }, () => writer.next().value as string).join('')
    }
    expect(draw(0, 50)).toBe('b'.repeat(50))
    const drawn = draw(1, 20_000)
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0)
    for (const [n, character] of ['a', 'b', 'c', '\n'].entries()) {
      expect(Math.abs((drawn.split(character).length - 1) / 20_000 - Math.exp(logits[n] as number) / total)).toBeLessThan(0.012)
    }
  })

  it.each([
    [['--temperature', 'hot'], "--temperature: expected a number from 0 on, got 'hot'\n"],
    [['--length', '0'], "--length: expected a number of characters, got '0'\n"],
    [['--seed', '1.5'], "--seed: expected a whole number, got '1.5'\n"],
  ])('refuses %j', async (args, message) => {
    expect(await terminal('charrnn/terminal.mjs', ...args)).toMatchObject({ code: 1, stdout: '', stderr: message })
  })
})

/** A WAV file of one chunk that is to be skipped, the format, and the data. */
function wav(code: number, bits: number, channels: number, sampleRate: number, data: Uint8Array): Buffer {
  const header = Buffer.alloc(12 + 8 + 3 + 1 + 8 + 16 + 8)
  header.write('RIFF', 0, 'latin1')
  header.writeUInt32LE(header.length + data.length - 8, 4)
  header.write('WAVE', 8, 'latin1')
  header.write('note', 12, 'latin1')
  header.writeUInt32LE(3, 16) // odd: a byte more follows
  header.write('fmt ', 24, 'latin1')
  header.writeUInt32LE(16, 28)
  header.writeUInt16LE(code, 32)
  header.writeUInt16LE(channels, 34)
  header.writeUInt32LE(sampleRate, 36)
  header.writeUInt32LE(sampleRate * channels * bits / 8, 40)
  header.writeUInt16LE(channels * bits / 8, 44)
  header.writeUInt16LE(bits, 46)
  header.write('data', 48, 'latin1')
  header.writeUInt32LE(data.length, 52)
  return Buffer.concat([header, data])
}

describe('examples/vad', () => {
  it('hears the voice, and neither the bell nor the rain', async () => {
    const { stdout } = await terminal('vad/terminal.mjs')
    const found = [...stdout.matchAll(/speech from +([\d.]+) s to +([\d.]+) s/g)].map(([, from, to]) => [Number(from), Number(to)])
    const spoken = [[0.8, 2.1], [4.1, 6.5], [8, 9.5]] as const // of examples/vad/voice.mjs; short pauses count as speech
    expect(found.length).toBe(spoken.length)
    for (const [n, [from, to]] of spoken.entries()) {
      expect(Math.abs((found[n]?.[0] as number) - from)).toBeLessThan(0.15)
      expect(Math.abs((found[n]?.[1] as number) - to)).toBeLessThan(0.45)
    }
    expect(stdout).toMatch(/loudness .*█?[▄▅▆▇]/)
    expect(stdout).toMatch(/times faster than real time\n$/)
  })

  it('reads WAV files of other rates and two channels', async () => {
    const { makeVoice } = await import(at('examples/vad/voice.mjs').href) as { makeVoice: (sampleRate: number) => Float32Array }
    const voice = makeVoice(44_100).subarray(0, 3 * 44_100)
    const path = join(folder, 'voice.wav')
    const stereo = Int16Array.from({ length: voice.length * 2 }, (_, n) => (voice[n >> 1] as number) * 32767)
    await writeFile(path, wav(1, 16, 2, 44_100, new Uint8Array(stereo.buffer)))
    const { stdout } = await terminal('vad/terminal.mjs', path)
    expect(stdout).toMatch(/voice\.wav: 3\.0 s/)
    expect([...stdout.matchAll(/speech from +0\.[78]\d s to +2\.[123]\d s/g)].length).toBe(1)
  })

  it.each([
    ['8 bits', wav(1, 8, 1, 8000, Uint8Array.of(0, 128, 192)), [-1, 0, 0.5]],
    ['16 bits, two channels', wav(1, 16, 2, 8000, new Uint8Array(Int16Array.of(16384, -16384, 8192, 16384).buffer)), [0, 0.375]],
    ['24 bits', wav(1, 24, 1, 8000, Uint8Array.of(0, 0, 0x40, 0, 0, 0xc0)), [0.5, -0.5]],
    ['32 bits', wav(1, 32, 1, 8000, new Uint8Array(Int32Array.of(2 ** 30, -(2 ** 31)).buffer)), [0.5, -1]],
    ['floats', wav(3, 32, 1, 8000, new Uint8Array(Float32Array.of(0.25, -0.75).buffer)), [0.25, -0.75]],
    ['a length that is past the end', wav(1, 8, 1, 8000, Uint8Array.of(0, 128, 192)).subarray(0, -1), [-1, 0]],
  ])('reads %s', async (_, bytes, samples) => {
    const { readWav } = await import(at('examples/vad/wav.mjs').href) as { readWav: (bytes: Uint8Array) => unknown }
    expect(readWav(bytes)).toEqual({ sampleRate: 8000, samples: Float32Array.from(samples) })
  })

  it.each([
    ['no file', undefined, 'there is no such file'],
    ['a text', Buffer.from('What is this that lives?'), 'this is no WAV file'],
    ['no sound', wav(1, 16, 1, 8000, new Uint8Array()).subarray(0, 40), 'this WAV file has no sound in it'],
    ['compressed sound', wav(85, 16, 1, 8000, new Uint8Array(4)), 'this WAV file has format 85 of 16 bits; expected PCM of 8, 16, 24 or 32, or floats of 32'],
  ])('refuses %s', async (name, bytes, message) => {
    const path = join(folder, `${name}.wav`)
    if (bytes !== undefined) await writeFile(path, bytes)
    expect(await terminal('vad/terminal.mjs', path)).toMatchObject({ code: 1, stderr: `${path}: ${message}\n` })
  })

  it.each([44_100, 48_000, 22_050, 16_000])('makes the frames that the model wants from a microphone of %i Hz', async (rate) => {
    const { framesOf } = await import(at('examples/vad/microphone.mjs').href) as { framesOf: (rate: number, onFrame: (frame: Float32Array) => void) => (piece: Float32Array) => void }
    const heard: number[] = []
    const listen = framesOf(rate, (frame) => {
      expect(frame.length).toBe(512)
      heard.push(...frame)
    })
    const tone = (n: number, of: number): number => Math.sin(2 * Math.PI * 1000 * n / of)
    for (let first = 0; first < rate; first += 640) listen(Float32Array.from({ length: 640 }, (_, n) => tone(first + n, rate)))
    expect(heard.length).toBeGreaterThan(15_000)
    // Past the beginning, where the sound starts out of nothing.
    expect(Math.max(...heard.slice(200).map((sample, n) => Math.abs(sample - tone(200 + n, 16_000))))).toBeLessThan(1e-3)
  })
})

describe('examples/serve.mjs', () => {
  it('serves the pages and what they import, and nothing else', async () => {
    const { serve } = await import(at('examples/serve.mjs').href) as { serve: (port: number) => Promise<import('node:http').Server> }
    const server = await serve(0)
    const { port } = server.address() as import('node:net').AddressInfo
    const get = async (path: string): Promise<[number, string | null]> => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`)
      await response.arrayBuffer()
      return [response.status, response.headers.get('content-type')]
    }
    try {
      expect(await get('/examples/amp/')).toEqual([200, 'text/html; charset=utf-8'])
      expect(await get('/examples/benchmark/')).toEqual([200, 'text/html; charset=utf-8'])
      expect(await get('/build/bench/cases.js')).toEqual([200, 'text/javascript'])
      expect(await get('/dist/processor.js')).toEqual([200, 'text/javascript'])
      expect(await get('/examples/charrnn/moby-dick.safetensors')).toEqual([200, 'application/octet-stream'])
      for (const path of ['/', '/package.json', '/examples/../package.json', '/examples/%2e%2e/package.json', '/examples/none', '/examples', '/dist/%2e%2e%2fpackage.json']) {
        expect([path, (await get(path))[0]]).toEqual([path, 404])
      }
    } finally {
      server.close()
    }
  })

  it('says which example it wants', async () => {
    const { code, stderr } = await terminal('serve.mjs', 'nothing')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^expected the name of an example with a page, got 'nothing'/)
  })
})
