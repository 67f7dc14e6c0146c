import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lstmWasm, type Result } from './in-process.ts'

const DIGITS = fileURLToPath(new URL('../../examples/digits.safetensors', import.meta.url))
const IMAGES = fileURLToPath(new URL('../../examples/digits.npy', import.meta.url))

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lstm-wasm-'))
})
afterAll(() => rm(folder, { recursive: true }))

const quantize = (to: string, ...args: readonly string[]): Promise<Result> => lstmWasm(folder, ['quantize', DIGITS, to, ...args])

describe('lstm-wasm quantize', () => {
  it('writes a smaller file, which runs', async () => {
    const { code, stdout, stderr } = await quantize('small.safetensors')
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^small\.safetensors: [\d,]+ bytes, \d of \d layers with weights are int8, \d+ % of the weights' bytes\n$/)
    expect((await stat(join(folder, 'small.safetensors'))).size).toBeLessThan((await stat(DIGITS)).size)
    const [before, after] = [await lstmWasm(folder, ['run', DIGITS, '--input', IMAGES]), await lstmWasm(folder, ['run', 'small.safetensors', '--input', IMAGES])]
    expect([before.code, after.code]).toEqual([0, 0])
  })

  it('measures with data, keeps what it is told to, and reports', async () => {
    const { code, stdout } = await quantize('measured.safetensors', '--data', IMAGES, '--max-error', '0.5', '--report')
    expect(code).toBe(0)
    expect(stdout).toMatch(/\n\nmeasured\.safetensors: .*, \w+ moved by [\d.e-]+ %\n$/)
    const strict = await quantize('strict.safetensors', '--data', IMAGES, '--max-error', '0')
    expect([strict.code, strict.stdout]).toEqual([1, ''])
    expect(strict.stderr).toMatch(/^lstm-wasm: quantize: no weights can be int8: 'lstm' would cost too much \([\d.]+ %\); 'fc' would cost too much/)
    const kept = await quantize('kept.safetensors', '--keep', 'lstm', '--convolutions', 'int8')
    expect(kept.stdout).toContain(' 1 of 2 layers with weights are int8,')
    expect(await readFile(join(folder, 'kept.safetensors'))).not.toEqual(await readFile(join(folder, 'small.safetensors')))
  })

  it('makes half precision', async () => {
    expect((await quantize('half.safetensors', '--dtype', 'float16')).stdout).toContain('layers with weights are float16, 53 % of')
  })

  it.each([
    [['--dtype', 'int4'], "--dtype: expected int8 or float16, got 'int4'"],
    [['--convolutions', 'float16'], "--convolutions: expected float32 or int8, got 'float16'"],
    [['--max-error=-1'], "--max-error: expected a number >= 0, got '-1'"],
  ])('refuses %j', async (args, message) => {
    expect(await quantize('refused.safetensors', ...args)).toEqual({ code: 2, stdout: '', stderr: `lstm-wasm: ${message} (see lstm-wasm quantize --help)\n` })
    await expect(stat(join(folder, 'refused.safetensors'))).rejects.toThrow('ENOENT')
  })
})
