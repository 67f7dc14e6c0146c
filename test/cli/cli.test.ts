// The command as people call it: most calls within this process, some as the built dist/cli.js in a process of its own.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseCsv } from '../../src/cli/csv.ts'
import { readNpy, writeNpy } from '../../src/formats/npy.ts'
import { readNpz } from '../../src/formats/npz.ts'
import { readSafetensors } from '../../src/formats/safetensors/safetensors.ts'
import { writeSafetensors } from '../../src/formats/safetensors/writer.ts'
import { dense, embedding, lstm, sequential } from '../../src/layers/index.ts'
import { compile, load } from '../../src/model/load.ts'
import { NdArray, type Nested } from '../../src/values/ndarray.ts'
import { floatTensor, writeOnnx } from '../formats/onnx-writer.ts'
import { PYTORCH_DISTANCE } from '../tolerance.ts'
import { lstmWasm, type Result } from './in-process.ts'

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
const STATE_DICTS = fileURLToPath(new URL('../golden/state-dicts/', import.meta.url))

type Expected = Readonly<Record<'input' | 'output' | 'h_n' | 'c_n', Nested>>
const expected = JSON.parse(readFileSync(`${STATE_DICTS}expected.json`, 'utf8')) as Readonly<Record<string, Expected>>

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lstm-wasm-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function node(flags: readonly string[], args: readonly string[]): Result {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, CLI, ...args], { cwd: folder, encoding: 'utf8' })
  return { code: status, stdout, stderr }
}
/** 1234567 -> 1,234,567 */
const grouped = (value: number): string => value.toLocaleString('en')
const cli = async (...args: string[]): Promise<Result> => lstmWasm(folder, args)
/** The built command. */
const built = (...args: string[]): Result => node([], args)
const put = (name: string, content: string | Uint8Array): void => writeFileSync(join(folder, name), content)
const bytesOf = (name: string): Buffer => readFileSync(join(folder, name))
const textOf = (name: string): string => readFileSync(join(folder, name), 'utf8')

function expectClose(actual: Nested, wanted: Nested): void {
  const [a, b] = [NdArray.from(actual), NdArray.from(wanted)]
  expect(a.shape).toEqual(b.shape)
  const distance = Math.max(...a.data.map((value, n) => Math.abs(value - (b.data[n] as number))))
  expect(distance).toBeLessThan(PYTORCH_DISTANCE)
}

describe('lstm-wasm', () => {
  it('can be executed', () => {
    expect(readFileSync(CLI, 'utf8').split('\n')[0]).toBe('#!/usr/bin/env node')
    expect(statSync(CLI).mode & 0o111).toBe(0o111)
  })

  it('tells its version', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
    expect(built('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  })

  it('helps', async () => {
    const { code, stdout, stderr } = await cli('--help')
    expect([code, stderr]).toEqual([0, ''])
    expect((await cli('-h')).stdout).toBe(stdout)
    expect(built()).toEqual({ code: 0, stdout, stderr: '' })
    expect(stdout).toMatchInlineSnapshot(`
      "Runs trained LSTMs: model files in, the numbers of the framework that trained them out.

      Usage
        lstm-wasm inspect FILE              what is in a model: layers, shapes, parameters, costs
        lstm-wasm run FILE --input X.npy    run a model on .npy, .json or .csv files
        lstm-wasm score MODEL DATA -o OUT   the rows of a .parquet, .csv or .npy table, however long
        lstm-wasm convert IN OUT            any model as ONNX, for Keras, or as one self-describing file
        lstm-wasm quantize IN OUT.safetensors
                                            a quarter of the size, and faster: weights of 8 bits
        lstm-wasm train CONFIG.json         train layers with data from files
        lstm-wasm read LINE.png --model MODEL.traineddata
                                            the text in a picture of one line
        lstm-wasm bench FILE                time a model here, and onnxruntime-web where it is installed
        lstm-wasm serve FILE                the playground: a page that runs it, and shows its gates
        lstm-wasm COMMAND --help            all about one command, with examples

      FILE is a model of PyTorch, Keras, TensorFlow 1, TensorFlow.js, ONNX, RTNeural, NAM or Tesseract, or
      - for standard input. One comes with the package, and images for it, digits.npy:
        npx lstm-wasm inspect node_modules/lstm-wasm/examples/digits.safetensors

      Options
        -h, --help    this help
        --version     the version of lstm-wasm
        --verbose     on an error, also the whole message and the stack

      Exit codes
        0  done
        1  it failed: the file cannot be read or run, the input does not fit, ...
        2  the command line is wrong
        130  Ctrl-C stopped it
        Errors are one line on stderr.
      "
    `)
  })

  it('helps with inspect', async () => {
    const { code, stdout } = await cli('inspect', '--help')
    expect(code).toBe(0)
    expect((await cli('--help', 'inspect')).stdout).toBe(stdout)
    expect(stdout).toMatchInlineSnapshot(`
      "Shows what is in a model file: inputs, outputs, and for every layer its settings, output shape,
      parameters, multiply-adds for each timestep and bytes. Runs nothing.

      Usage
        lstm-wasm inspect FILE [--json]

      FILE is a path or URL, or - for standard input, of a model that lstm-wasm can load: ONNX, Keras
      (.keras, .h5), TensorFlow.js (model.json), TensorFlow 1 variables (.index, .npz, manifest.json),
      PyTorch (.pt, .safetensors), RTNeural and AIDA-X (.json), NAM (.nam), Tesseract
      (.traineddata), or a file written by model.save() or 'convert'.
      Of a state dict that is not one torch.nn.LSTM the tensors are listed, with the lines of JavaScript
      that would load it; the exit code is then 1.

      Options
        --json                   the same as JSON, for programs
        --constant NAME=NUMBER   ONNX, Keras, TensorFlow.js: fixes an input that says what to run
        --seed NUMBER            ONNX: of the random numbers that a model draws
        --architecture FILE      Keras files with weights only: what model.to_json() returned
        --dialect NAME           Keras, TensorFlow.js: in whose sense the file is read, keras2, keras3.0,
                                 keras3.4, keras3 or tfjs. Default: as the file says.
        --key NAME               PyTorch checkpoints with several state dicts: which one
        --batch-first true|false PyTorch: whether a bare LSTM takes [batch, timesteps, features].
                                 Default true.
        --unbatched              PyTorch, RTNeural, NAM: inputs and outputs have no axis for the batch
        --forget-bias NUMBER     TensorFlow 1, which does not store it: added to forget gates. Default 1.
        --activation NAME        TensorFlow 1: of the cells. Default tanh.
        --cell-clip NUMBER       TensorFlow 1: c is clamped. --proj-clip NUMBER: so is a projected h.
        --cells FILE             TensorFlow 1: these four for each cell, a list in JSON:
                                 [{ "forgetBias": 0 }, { "cellClip": 3 }]
        --residual               TensorFlow 1: every cell is in a ResidualWrapper
        --time-major             TensorFlow 1, PyTorch: sequences are [timesteps, batch, features]
        --sequence-length        TensorFlow 1: there is an input sequence_length
        --sample-rate NUMBER     RTNeural: of the samples, if not that of the training, in Hz
        --training-sample-rate NUMBER, --sample-rate-correction LinInterp|NoInterp
                                 RTNeural: the rate it was trained at, in Hz; how another is corrected
        -h, --help               this help
        --verbose                on an error, also the whole message and the stack

      Examples
        lstm-wasm inspect digits.safetensors
        lstm-wasm inspect digits.safetensors --json > digits.json
        lstm-wasm inspect - < digits.safetensors

      Exit codes: 0 done, 1 the file cannot be read or not be run, 2 the command line is wrong.
      "
    `)
  })

  it('helps with run', async () => {
    const { code, stdout } = await cli('run', 'no-such-file', '-h')
    expect(code).toBe(0)
    expect(stdout).toMatchInlineSnapshot(`
      "Runs a model once on arrays from files. 'lstm-wasm inspect FILE' lists the names and shapes of its
      inputs and outputs.

      Usage
        lstm-wasm run FILE --input [NAME=]ARRAY ... [--output [NAME=]ARRAY ...]

      FILE is a path or URL of a model that lstm-wasm can load. An ARRAY is a file that ends in
        .npy   NumPy: float32, float64, float16, int32, int64 or uint8, little-endian
        .json  nested arrays of numbers, or several by name: { "NAME": nested arrays, ... }
        .csv   a matrix, a line for each row; a first line without a single number is a header
      FILE or one ARRAY may be -, for standard input.

      Options
        --input [NAME=]ARRAY     what goes in. NAME may be left out when the model needs one input only.
                                 An array with one axis less than the input is a batch of one: for
                                 [batch, timesteps, features], a .csv is one sequence, a line for each
                                 timestep; for [batch, features], a line is a row of the batch. Inputs
                                 that inspect calls optional are zeros when they are not given.
        --output [NAME=]ARRAY    where an output goes. Without NAME, .json takes all outputs by name,
                                 .npy and .csv the first one. In .csv, columns are the last axis, and
                                 rows all others. Default: all outputs are printed: up to 64 numbers
                                 whole, long ones cut in the middle; of probabilities, the most likely
                                 classes.
        --variant VARIANT        simd: bit-identical on every machine. relaxed-simd: faster where the
                                 processor fuses multiply and add. auto (default): the fastest there is.
        --constant NAME=NUMBER   ONNX, Keras, TensorFlow.js: fixes an input that says what to run
        --seed NUMBER            ONNX: of the random numbers that a model draws
        --architecture FILE      Keras files with weights only: what model.to_json() returned
        --dialect NAME           Keras, TensorFlow.js: in whose sense the file is read, keras2, keras3.0,
                                 keras3.4, keras3 or tfjs. Default: as the file says.
        --key NAME               PyTorch checkpoints with several state dicts: which one
        --batch-first true|false PyTorch: whether a bare LSTM takes [batch, timesteps, features].
                                 Default true.
        --unbatched              PyTorch, RTNeural, NAM: inputs and outputs have no axis for the batch
        --forget-bias NUMBER     TensorFlow 1, which does not store it: added to forget gates. Default 1.
        --activation NAME        TensorFlow 1: of the cells. Default tanh.
        --cell-clip NUMBER       TensorFlow 1: c is clamped. --proj-clip NUMBER: so is a projected h.
        --cells FILE             TensorFlow 1: these four for each cell, a list in JSON:
                                 [{ "forgetBias": 0 }, { "cellClip": 3 }]
        --residual               TensorFlow 1: every cell is in a ResidualWrapper
        --time-major             TensorFlow 1, PyTorch: sequences are [timesteps, batch, features]
        --sequence-length        TensorFlow 1: there is an input sequence_length
        --sample-rate NUMBER     RTNeural: of the samples, if not that of the training, in Hz
        --training-sample-rate NUMBER, --sample-rate-correction LinInterp|NoInterp
                                 RTNeural: the rate it was trained at, in Hz; how another is corrected
        -h, --help               this help
        --verbose                on an error, also the whole message and the stack

      Examples
        lstm-wasm run digits.safetensors --input images.npy --output scores.npy
        lstm-wasm run lstm.safetensors --input input=x.csv --input h_0=h.npy --output all.json
        lstm-wasm run digits.safetensors --input - < images.npy

      Exit codes: 0 done, 1 a file cannot be read, run or written, 2 the command line is wrong.
      "
    `)
  })

  it('helps within 100 columns', async () => {
    for (const args of [['-h'], ['inspect', '-h'], ['convert', '-h'], ['run', '-h'], ['score', '-h'], ['bench', '-h']]) {
      for (const line of (await cli(...args)).stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(100)
    }
  })

  it.each([
    [['--verbos'], "unknown option '--verbos'; did you mean '--verbose'? (see lstm-wasm --help)"],
    [['inspekt', 'x'], "unknown command 'inspekt'; did you mean 'inspect'? (see lstm-wasm --help)"],
    [['toString'], "unknown command 'toString' (see lstm-wasm --help)"],
    [['rnu', 'x'], "unknown command 'rnu'; did you mean 'run'? (see lstm-wasm --help)"],
    [['inspect'], 'expected one model file (see lstm-wasm inspect --help)'],
    [['inspect', 'a', 'b'], 'expected one model file, got 2: a b (see lstm-wasm inspect --help)'],
    [['inspect', 'a', '--jsno'], "unknown option '--jsno'; did you mean '--json'? (see lstm-wasm inspect --help)"],
    [['run', 'a'], 'expected --input ARRAY (see lstm-wasm run --help)'],
    [['run', 'a', '--input'], '--input needs a value (see lstm-wasm run --help)'],
    [['run', 'a', '--input', 'x.npy', '--variant', 'fast'], "--variant: expected simd, relaxed-simd, auto, got 'fast' (see lstm-wasm run --help)"],
    [['bench', 'a', '--variant', 'fast'], "--variant: expected simd, relaxed-simd, auto, got 'fast' (see lstm-wasm bench --help)"],
    [['bench', 'a', '--timesteps', '1.5'], "--timesteps: expected a whole number >= 1, got '1.5' (see lstm-wasm bench --help)"],
    [['bench', 'a', '--size', 'units'], "--size: expected NAME=N, got 'units' (see lstm-wasm bench --help)"],
    [['bench', 'a', '--size', 'units=0'], "--size: expected a whole number >= 1, got '0' (see lstm-wasm bench --help)"],
    [['bench', 'a', '--seconds', '0'], "--seconds: expected a number above 0, got '0' (see lstm-wasm bench --help)"],
    [['inspect', 'a', '--batch-first', 'yes'], "--batch-first: expected true or false, got 'yes' (see lstm-wasm inspect --help)"],
    [['inspect', 'a', '--constant', 'sr=x'], "--constant: expected a number, got 'x' (see lstm-wasm inspect --help)"],
    [['run', 'a', '--input', 'x.txt'], "expected a file name that ends in .npy, .json or .csv, got 'x.txt' (see lstm-wasm run --help)"],
    [['run', 'a', '--input', 'x.npy', '--output', 'y'], "expected a file name that ends in .npy, .json or .csv, got 'y' (see lstm-wasm run --help)"],
  ])('does not understand %j: exit code 2', async (args, message) => {
    expect(await cli(...args)).toEqual({ code: 2, stdout: '', stderr: `lstm-wasm: ${message}\n` })
  })
})

describe('lstm-wasm inspect', () => {
  it('shows the size of the file, what model.summary() shows, and what its words mean', async () => {
    const file = `${STATE_DICTS}lstm-prefixed.safetensors`
    const model = await load(file)
    expect(await cli('inspect', file)).toEqual({
      code: 0,
      stderr: '',
      stdout: `${file}: 1,128 bytes

${model.summary()}

In plain words, for the first layer of 'rnn':
  units      the 5 numbers it remembers from step to step, which are also what it puts out
  timesteps  how many rows of 3 features it reads, one after the other, with the same weights
  4x         each unit weighs 3 features and 5 remembered numbers 4 times a step: what to let in,
             what to forget, the new content, what to show. A plain RNN does so once.
`,
    })
    model.dispose()
  })

  it('gives JSON to programs', async () => {
    const file = `${STATE_DICTS}lstm-1layer.safetensors`
    const { code, stdout } = await cli('inspect', file, '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      file,
      fileBytes: statSync(file).size,
      parameters: 200,
      multiplyAdds: 160,
      bytes: 800,
      inputs: [{ name: 'input', dtype: 'float32', shape: ['batch', 'timesteps', 3] }, { name: 'h_0', optional: true }, { name: 'c_0' }],
      rows: [{ name: 'lstm', op: 'lstm', outputShape: ['batch', 'timesteps', 5], parameters: 200 }],
    })
  })

  it('lists the tensors of other state dicts, and how to load them: exit code 1', async () => {
    const { code, stdout, stderr } = await cli('inspect', `${STATE_DICTS}two-lstms.safetensors`)
    expect(code).toBe(1)
    expect(stderr).toBe('lstm-wasm: this file holds weights, but not how they are connected (it is a plain state dict).\n')
    expect(stdout.split('\n\n')[1]).toMatchInlineSnapshot(`
      "tensor                dtype as read  shape    bytes as read
      --------------------  -------------  -------  -------------
      decoder.bias_hh_l0    float32        [20]                80
      decoder.bias_ih_l0    float32        [20]                80
      decoder.weight_hh_l0  float32        [20, 5]            400
      decoder.weight_ih_l0  float32        [20, 5]            400
      encoder.bias_hh_l0    float32        [20]                80
      encoder.bias_ih_l0    float32        [20]                80
      encoder.weight_hh_l0  float32        [20, 5]            400
      encoder.weight_ih_l0  float32        [20, 3]            240
      out.bias              float32        [4]                 16
      out.weight            float32        [4, 5]              80
      --------------------  -------------  -------  -------------
      total                                                 1,856"
    `)
    const message = await load(`${STATE_DICTS}two-lstms.safetensors`).catch((error: unknown) => (error as Error).message) as string
    const lines = message.slice(message.indexOf('Say what the layers are'))
    expect(stdout.split('\n\n')[2]).toBe(`${lines}\n`)
    const json = JSON.parse((await cli('inspect', '--json', `${STATE_DICTS}two-lstms.safetensors`)).stdout) as { tensors: unknown[], load: string[] }
    expect(json.tensors[0]).toEqual({ name: 'decoder.bias_hh_l0', dtype: 'float32', shape: [20], bytes: 80 })
    expect(json.load[0]).toBe("import { compile } from 'lstm-wasm'")
  })

  it('needs no WebAssembly; run does, and any error is one line', () => {
    const preload = "data:text/javascript,WebAssembly.compile=WebAssembly.validate=()=>{throw new TypeError('asked for')}"
    put('x.json', JSON.stringify(expected['lstm-1layer.safetensors']?.input))
    const file = `${STATE_DICTS}lstm-1layer.safetensors`
    expect(node(['--import', preload], ['inspect', file])).toMatchObject({ code: 0, stderr: '' })
    expect(node(['--import', preload], ['run', file, '--input', 'x.json'])).toEqual({ code: 1, stdout: '', stderr: 'lstm-wasm: asked for\n' })
  })

  it('fails in one line: exit code 1', async () => {
    put('text.safetensors', 'hello, world')
    expect(await cli('inspect', 'none.safetensors')).toEqual({ code: 1, stdout: '', stderr: 'lstm-wasm: cannot read "none.safetensors": no such file\n' })
    expect(await cli('inspect', 'text.safetensors')).toMatchObject({ code: 1, stdout: '' })
    expect((await cli('inspect', 'text.safetensors')).stderr).toMatch(/^lstm-wasm: .+\n$/)
    expect(await cli('inspect', '.')).toEqual({ code: 1, stdout: '', stderr: 'lstm-wasm: cannot read ".": it is a folder\n' })
  })

  it('shows the stack with --verbose, wherever it stands', async () => {
    for (const args of [['--verbose', 'inspect', 'none'], ['inspect', 'none', '--verbose']]) {
      const { code, stderr } = await cli(...args)
      expect(code).toBe(1)
      expect(stderr).toMatch(/^lstm-wasm: cannot read "none": no such file\nLstmError: cannot read "none": no such file\n {4}at /)
      expect(stderr).toContain("code: 'ENVIRONMENT'")
    }
    const { stderr } = await cli('run', `${STATE_DICTS}two-lstms.safetensors`, '--input', 'x.npy', '--verbose')
    expect(stderr).toContain("lstm(5, { name: 'encoder'")
  })

  it('prints no control characters of a file', async () => {
    put('evil.safetensors', writeSafetensors(new Map([['\u001b[2J\u009bx', NdArray.from([1])], ['a\nb', NdArray.from([2])]])))
    const { stdout, stderr } = await cli('inspect', 'evil.safetensors')

    expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
    expect(stdout).toContain('\\u001b[2J\\u009bx')
  })

  it('survives a reader that stops reading', () => {
    const { stderr, status } = spawnSync('sh', ['-c', `"${process.execPath}" "${CLI}" run --help | true; exit 0`], { encoding: 'utf8' })
    expect([status, stderr]).toEqual([0, ''])
  })
})

describe('standard input', () => {
  const piped = (input: Uint8Array | string, ...args: string[]): Result => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { cwd: folder, encoding: 'utf8', input })
    return { code: status, stdout, stderr }
  }
  const examples = fileURLToPath(new URL('../../examples/', import.meta.url))

  it('is a model, or an array in any format', async () => {
    const model = readFileSync(`${examples}digits.safetensors`)
    const images = readFileSync(`${examples}digits.npy`)
    const named = (await cli('inspect', `${examples}digits.safetensors`)).stdout.split('\n').slice(1).join('\n')
    expect(piped(model, 'inspect', '-')).toEqual({ code: 0, stderr: '', stdout: `standard input\n${named}` })
    const wanted = (await cli('run', `${examples}digits.safetensors`, '--input', `${examples}digits.npy`)).stdout
    expect(wanted).toContain('  most likely in row 0: 7 (99.4 %), 9 (0.4 %), 3 (0.1 %)\n  most likely in row 1: 2 (98.7 %)')
    expect(piped(images, 'run', `${examples}digits.safetensors`, '--input', '-').stdout).toBe(wanted)
    expect(piped(model, 'run', '-', '--input', `rows=${examples}digits.npy`).stdout).toBe(wanted)
    const text = JSON.stringify(readNpy(images).toArray())
    expect(piped(text, 'run', `${examples}digits.safetensors`, '--input', 'rows=-').stdout).toBe(wanted)
    const one = (readNpy(images).toArray() as number[][][])[0] as number[][]
    expect(piped(one.join('\n'), 'run', `${examples}digits.safetensors`, '--input', '-').stdout).toContain('  most likely: 7 (99.4 %)')
    expect(piped(model, 'convert', '-', 'piped.safetensors').code).toBe(0)
    expect(piped(model, 'run', '-', '--input', '-')).toMatchObject({ code: 2, stderr: 'lstm-wasm: standard input can be read once: - is given twice (see lstm-wasm run --help)\n' })
  })

  it('that is text is shown as text', () => {
    const formats = 'safetensors, onnx, keras, tfjs, torch, tensorflow1, rtneural, nam, tesseract'
    const got = (text: string): string => piped(text, 'inspect', '-').stderr
    expect(got('<!DOCTYPE html><title>Not found')).toBe(`lstm-wasm: expected a model file (${formats}), got a page of HTML: a server may send one instead of a file that is not there ("<!DOCTYPE html><title>Not found")\n`)
    expect(got('version https://git-lfs.github.com/spec/v1\noid sha256:1\n')).toContain('got a pointer of Git LFS, which stands for the file: fetch the file itself with git lfs pull (')
    expect(got('hello, world\n')).toBe(`lstm-wasm: expected a model file (${formats}), got 13 bytes of text: "hello, world"\n`)
    expect(got('\u0001hello')).toContain('got 6 bytes that begin with 01 68')
  })
})

describe('options of readers', () => {
  it('are all there, and are called in messages what they are called here', async () => {
    interface Reader { readonly options: readonly string[] }
    const isReader = (value: unknown): value is Reader => Array.isArray((value as Partial<Reader> | null)?.options)
    const doors: unknown[] = Object.values(await import('../../src/whole.ts'))
    const readers = doors.flatMap((door) => Object.values(door as object).filter(isReader))
    const options = new Set(readers.flatMap((reader) => reader.options))
    expect(options.size).toBeGreaterThan(12)
    const help = (await cli('inspect', '--help')).stdout
    for (const option of options) expect(help).toContain(`--${option === 'constants' ? 'constant' : option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`)
    const file = `${STATE_DICTS}lstm-1layer.safetensors`
    expect((await cli('inspect', file, '--forget-bias', '0')).stderr).toMatch(/--forget-bias.*--unbatched/)
    expect((await cli('inspect', file, '--unbatched')).stdout).toContain('[timesteps, 3]')
    expect((await cli('inspect', file, '--batch-first', 'false')).stdout).toContain('[timesteps, batch, 3]')
    expect((await cli('inspect', file, '--architecture', '.')).stderr).toMatch(/^lstm-wasm: cannot read ".": .*EISDIR/)
    put('cells.json', '{')
    expect((await cli('inspect', file, '--cells', 'cells.json')).stderr).toContain("expected a list of objects in JSON in 'cells.json'")
    expect((await cli('inspect', file, '--json', '--forget-bias', '1')).code).toBe(1)
    const weights = fileURLToPath(new URL('../golden/keras3/lstm-3-sequences.weights.h5', import.meta.url))
    expect((await cli('inspect', weights)).stdout).toContain('the option --architecture')
    expect(await cli('inspect', weights, '--architecture', 'none.json')).toEqual({ code: 1, stdout: '', stderr: 'lstm-wasm: cannot read "none.json": no such file\n' })
    put('cells.json', '[1]')
    expect((await cli('inspect', weights, '--cells', 'cells.json')).stderr).toBe("lstm-wasm: --cells: expected a list of objects in JSON in 'cells.json' (see lstm-wasm inspect --help)\n")
    const cell = fileURLToPath(new URL('../golden/tf1/basic-5.index', import.meta.url))
    put('cells.json', '[{ "forgetBias": 0.25 }]')
    expect((await cli('convert', cell, 'cell.safetensors', '--cells', 'cells.json')).code).toBe(0)
    expect(textOf('cell.safetensors')).toContain('\\"forgetBias\\":0.25')
  })
})

describe('Ctrl-C', () => {
  it.skipIf(process.platform === 'win32')('ends a run cleanly, with exit code 130', async () => {
    const { spawn } = await import('node:child_process')
    // 400,000 timesteps of 64 units: seconds of work.
    const model = await compile(sequential([lstm(64, { inputSize: 1 })]).loadStateDict(new Map<string, NdArray>([
      ['lstm.weight_ih_l0', new NdArray(new Float32Array(256), [256, 1])], ['lstm.weight_hh_l0', new NdArray(new Float32Array(64 * 256), [256, 64])],
      ['lstm.bias_ih_l0', new NdArray(new Float32Array(256), [256])], ['lstm.bias_hh_l0', new NdArray(new Float32Array(256), [256])],
    ])))
    put('long.safetensors', model.save())
    model.dispose()
    put('long.npy', writeNpy(new NdArray(new Float32Array(4e6), [1, 4e6, 1])))
    const child = spawn(process.execPath, [CLI, 'run', 'long.safetensors', '--input', 'long.npy', '--output', 'never.npy'], { cwd: folder })
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => (stderr += String(chunk)))
    // Stopped when it is told so between chunks, whenever that is.
    const timer = setInterval(() => child.kill('SIGINT'), 1500)
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => child.once('exit', (...how) => resolve(how)))
    clearInterval(timer)
    if (signal === null) expect([code, stderr]).toEqual([130, 'lstm-wasm: stopped\n'])
    else expect(signal).toBe('SIGINT')
    expect(() => bytesOf('never.npy')).toThrow()
  }, 60_000)
})

describe('lstm-wasm bench', () => {
  it('times a model, and says what stands beside it', async () => {
    const file = fileURLToPath(new URL('../../examples/digits.safetensors', import.meta.url))
    const { code, stdout, stderr } = await cli('bench', file, '--seconds', '0.01', '--batch', '3')
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/: rows \[3, 28, 28\], Node v[\d.]+\n\nengine .* median +95 % +calls +time \/ ours\n/)
    expect(stdout).toMatch(/\nlstm-wasm \((relaxed-)?simd\) .* 1\.00x\n\nonnxruntime-web runs ONNX files/)
    expect(await cli('bench', file, '--batch', '0')).toMatchObject({ code: 2, stderr: "lstm-wasm: --batch: expected a whole number >= 1, got '0' (see lstm-wasm bench --help)\n" })
  })

  it('compares outputs with onnxruntime-web before it times it', async () => {
    const node = { op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }
    put('m.onnx', writeOnnx({ inputs: [{ name: 'x', shape: ['batch', 'extra', 2] }], nodes: [node], outputs: [{ name: 'y' }], initializers: [floatTensor('w', [2, 1], [1, 2])] }))
    expect((await cli('bench', 'm.onnx')).stderr).toBe("lstm-wasm: the size 'extra' of the input 'x' is open: --size extra=N (see lstm-wasm bench --help)\n")
    expect((await cli('bench', 'm.onnx', '--size', 'extra=2', '--seconds', '0.01')).stdout).toContain('npm install onnxruntime-web')
    // A stand-in: the sum that the model computes, or another.
    mkdirSync(join(folder, 'node_modules', 'onnxruntime-web'), { recursive: true })
    put('node_modules/onnxruntime-web/package.json', '{ "type": "module", "main": "index.js" }')
    const peer = (factor: number): void => put('node_modules/onnxruntime-web/index.js', `
      export class Tensor {
        constructor(type, data) { this.data = data }
      }
      const sums = (x) => Float32Array.from({ length: x.length / 2 }, (_, n) => ${factor} * (x[2 * n] + 2 * x[2 * n + 1]))
      export const InferenceSession = { create: async () => ({ run: async ({ x: { data } }) => ({ y: { data: sums(data) } }) }) }
    `)
    peer(1)
    expect(built('bench', 'm.onnx', '--size', 'extra=2', '--seconds', '0.01').stdout).toMatch(/^outputs agree within [\de.-]+ of the largest\n[^]*\nonnxruntime-web .*x\n$/)
    peer(1.5)
    expect(built('bench', 'm.onnx', '--size', 'extra=2', '--seconds', '0.01')).toEqual({
      code: 1, stdout: '', stderr: 'lstm-wasm: the outputs of lstm-wasm and onnxruntime-web differ by 0.50 of the largest: nothing was timed\n',
    })
  })
})

describe('lstm-wasm convert', () => {
  it('does not write over the model it reads', async () => {
    put('same.safetensors', readFileSync(`${STATE_DICTS}lstm-1layer.safetensors`))
    const before = bytesOf('same.safetensors')
    expect(await cli('convert', 'same.safetensors', './same.safetensors')).toEqual({ code: 2, stdout: '', stderr: "lstm-wasm: './same.safetensors' is the model to read: write to another file (see lstm-wasm convert --help)\n" })
    expect(bytesOf('same.safetensors')).toEqual(before)
  })

  it('writes a file that describes itself, and gives the same numbers', async () => {
    const file = `${STATE_DICTS}lstm-2layer-bidirectional.safetensors`
    put('x.json', JSON.stringify(expected['lstm-2layer-bidirectional.safetensors']?.input))
    expect(built('convert', file, 'own.safetensors')).toEqual({
      code: 0, stderr: '', stdout: `own.safetensors: ${grouped(statSync(join(folder, 'own.safetensors')).size)} bytes, 1,080 parameters\n`,
    })
    expect(readSafetensors(bytesOf('own.safetensors')).metadata.has('lstm-wasm')).toBe(true)
    for (const [from, to] of [[file, 'a.json'], ['own.safetensors', 'b.json']] as const) {
      expect((await cli('run', from, '--input', 'input=x.json', '--output', to)).code).toBe(0)
    }
    expect(textOf('b.json')).toBe(textOf('a.json'))
  })

  it.each(['.onnx', '.keras'])('writes %s files, which give the same numbers', async (ending) => {
    const file = `${STATE_DICTS}lstm-2layer-bidirectional.safetensors`
    put('x.json', JSON.stringify(expected['lstm-2layer-bidirectional.safetensors']?.input))
    expect(await cli('convert', file, `same${ending}`, '--zero-states', '--only', 'output')).toEqual({
      code: 0, stderr: '', stdout: `same${ending}: ${grouped(statSync(join(folder, `same${ending}`)).size)} bytes, 1,080 parameters\n`,
    })
    expect((await cli('run', file, '--input', 'input=x.json', '--output', 'a.json')).code).toBe(0)
    expect((await cli('run', `same${ending}`, '--input', 'input=x.json', '--output', 'b.json')).code).toBe(0)
    const [whole, alone] = [JSON.parse(textOf('a.json')) as { output: unknown }, JSON.parse(textOf('b.json')) as unknown]
    expect(alone).toEqual({ output: whole.output })
  })

  it.each(['.safetensors', '.npz'])('writes a state dict for PyTorch as %s, and prints the module', async (ending) => {
    const file = `${STATE_DICTS}lstm-2layer-bidirectional.safetensors`
    const { code, stderr, stdout } = await cli('convert', file, `weights${ending}`, '--pytorch', '--zero-states', '--only', 'output')
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('self.lstm = nn.LSTM(3, 5, num_layers=2, batch_first=True, bidirectional=True)\n')
    expect(stdout).toMatch(/^# weights\.\w+: [\d,]+ bytes, 1,080 parameters\nimport torch\n[^]*\nmodel\.load_state_dict\(.*, strict=True\)\n$/)
    const tensors = ending === '.npz' ? readNpz(bytesOf('weights.npz')) : readSafetensors(bytesOf('weights.safetensors')).tensors
    const given = readSafetensors(readFileSync(file)).tensors
    expect([...tensors.keys()].sort()).toEqual([...given.keys()].map((name) => `lstm.${name}`).sort())
    for (const [name, { data }] of given) expect(tensors.get(`lstm.${name}`)?.data).toEqual(data)
  })

  it('says in one line what cannot be written', () => {
    expect(built('convert', `${STATE_DICTS}lstm-2layer-bidirectional.safetensors`, 'same.keras')).toEqual({
      code: 1, stdout: '', stderr: "lstm-wasm: toKeras: what layers of Keras do not compute: lstm 'lstm': initial states of all layers in one tensor; where they may be left out, optionalStates: 'zeros' (--zero-states) does without\n",
    })
  })

  it.each([
    [['convert', 'a'], 2, 'expected a model file and a .safetensors, .onnx, .keras or .npz file to write, got 1 name (see lstm-wasm convert --help)'],
    [['convert', 'a', 'b.h5'], 2, "expected a name that ends in .safetensors, .onnx, .keras or .npz to write to, got 'b.h5' (see lstm-wasm convert --help)"],
    [['convert', 'a', 'b.onnx', '--pytorch'], 2, "--pytorch is for .safetensors and .npz, got 'b.onnx' (see lstm-wasm convert --help)"],
    [['convert', 'a', 'b.safetensors', '--only', 'y'], 2, '--only and --zero-states are for other files: a self-describing one has the whole model (see lstm-wasm convert --help)'],
    [['convert', 'a', 'b.safetensors', '--forget-bias', 'x'], 2, "--forget-bias: expected a number, got 'x' (see lstm-wasm convert --help)"],
    [['convert', 'a', 'b.safetensors', '--constant', 'sr'], 2, "--constant: expected NAME=NUMBER, got 'sr' (see lstm-wasm convert --help)"],
    [['convert', 'missing', 'b.safetensors'], 1, 'cannot read "missing": no such file'],
    [['convert', `${STATE_DICTS}lstm-1layer.safetensors`, 'no/folder.safetensors'], 1, expect.stringContaining("cannot write 'no/folder.safetensors': ") as string],
  ])('fails in one line: %j', async (args, code, message) => {
    expect(await cli(...args)).toEqual({
      code, stdout: '', stderr: typeof message === 'string' ? `lstm-wasm: ${message}\n` : message,
    })
  })
})

describe('lstm-wasm run', () => {
  const lstmFiles = ['lstm-1layer', 'lstm-2layer-bidirectional', 'lstm-nobias', 'lstm-prefixed', 'lstm-f64']

  it.each(lstmFiles)('gives what PyTorch gave, in every format: %s', async (name) => {
    const { input, ...outputs } = expected[`${name}.safetensors`] as Expected
    const file = `${STATE_DICTS}${name}.safetensors`
    put('x.npy', writeNpy(NdArray.from(input)))
    put('x.json', JSON.stringify({ input }))
    const { code, stdout, stderr } = await cli('run', file, '--input', 'x.npy', '--output', 'all.json', '--output', 'h_n=h.npy', '--output', 'y.csv')
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout.split('\n')).toHaveLength(4)
    const all = JSON.parse(textOf('all.json')) as Record<string, Nested>
    expect(Object.keys(all)).toEqual(['output', 'h_n', 'c_n'])
    for (const key of ['output', 'h_n', 'c_n'] as const) expectClose(all[key] as Nested, outputs[key])
    expect(readNpy(bytesOf('h.npy'))).toEqual(NdArray.from(all.h_n as Nested))
    expect(parseCsv(textOf('y.csv'), 'float32').data).toEqual(NdArray.from(all.output as Nested).data)
    expect((await cli('run', file, '--input', 'x.json', '--output', 'output=again.json')).code).toBe(0)
    expect(JSON.parse(textOf('again.json'))).toEqual(all.output)
  })

  it('takes a .csv as one sequence, and prints what comes out', async () => {
    const [first] = expected['lstm-1layer.safetensors']?.input as number[][][]
    put('x.csv', `a,b,c\n${(first as number[][]).map((row) => row.join()).join('\n')}\n`)
    const args = ['run', `${STATE_DICTS}lstm-1layer.safetensors`, '--input', 'x.csv', '--variant', 'simd']
    expect((await cli(...args, '--output', 'y.npy', '--output', 'h_n=h.npy', '--output', 'c_n=c.npy')).stdout)
      .toBe('y.npy: output float32 [1, 7, 5]\nh.npy: h_n float32 [1, 1, 5]\nc.npy: c_n float32 [1, 1, 5]\n')
    const { code, stdout, stderr } = await cli(...args)
    expect([code, stderr]).toEqual([0, ''])
    // Small outputs are printed whole, and can be read as JSON.
    for (const [name, file] of [['output', 'y.npy'], ['h_n', 'h.npy'], ['c_n', 'c.npy']] as const) {
      const { shape, data } = readNpy(bytesOf(file))
      const [, head, text] = new RegExp(`^${name}  (.*)\\n([^]*?)\\n\\n`, 'm').exec(stdout) ?? []
      expect(head).toBe(`float32 [${shape.join(', ')}]`)
      const printed = NdArray.from(JSON.parse(text as string) as Nested)
      expect(printed.shape).toEqual(shape)
      printed.data.forEach((value, n) => expect(Math.abs(value - (data[n] as number))).toBeLessThan(1e-4 * Math.abs(data[n] as number) + 1e-30))
    }
  })

  it('goes on from a state', async () => {
    const file = `${STATE_DICTS}lstm-1layer.safetensors`
    const input = expected['lstm-1layer.safetensors']?.input as number[][][]
    put('whole.json', JSON.stringify(input))
    put('begin.json', JSON.stringify(input.map((steps) => steps.slice(0, 3))))
    put('rest.json', JSON.stringify(input.map((steps) => steps.slice(3))))
    await cli('run', file, '--input', 'whole.json', '--output', 'c_n=whole.npy')
    await cli('run', file, '--input', 'begin.json', '--output', 'h_n=h.npy', '--output', 'c_n=c.npy')
    const { code } = await cli('run', file, '--input', 'input=rest.json', '--input', 'h_0=h.npy', '--input', 'c_0=c.npy', '--output', 'c_n=rest.npy')
    expect(code).toBe(0)
    expect(bytesOf('rest.npy')).toEqual(bytesOf('whole.npy'))
  })

  it('runs a saved model on token ids', async () => {
    const { tensors } = readSafetensors(readFileSync(`${STATE_DICTS}classifier.safetensors`))
    const model = await compile(sequential([
      embedding(11, 3, { name: 'embed' }), lstm(5, { name: 'lstm', numLayers: 2, returnSequences: true }), dense(4, { name: 'fc' }),
    ]).loadStateDict(tensors))
    put('classifier.safetensors', model.save())
    model.dispose()
    const { input, output } = expected['classifier.safetensors'] as Expected
    put('tokens.csv', (input as number[][]).map((row) => row.join()).join('\n'))
    expect(built('run', 'classifier.safetensors', '--input', 'tokens.csv', '--output', 'y.npy').code).toBe(0)
    expectClose(readNpy(bytesOf('y.npy')).toArray(), output)
    put('half.csv', '1,2.5')
    expect(await cli('run', 'classifier.safetensors', '--input', 'half.csv')).toEqual({
      code: 1, stdout: '', stderr: 'lstm-wasm: half.csv: line 1, column 2: expected a whole number (int32), got 2.5\n',
    })
  })

  it('fails in one line: exit code 1', async () => {
    const file = `${STATE_DICTS}lstm-1layer.safetensors`
    put('x.json', '[[[1,2,3]]]')
    put('wide.csv', '1,2,3,4')
    const cases = [
      [[file, '--input', 'none.npy'], 'cannot read "none.npy": no such file'],
      [['none', '--input', 'x.json'], 'cannot read "none": no such file'],
      [[file, '--input', 'wide.csv'], "input 'input': expected float32 [batch, timesteps, 3], got [1, 1, 4]"],
      [[file, '--input', 'y=x.json'], "no input 'y'; the model's are 'input', 'h_0', 'c_0'"],
      [[file, '--input', 'x.json', '--output', 'y=y.npy'], "no output 'y'; the model's are 'output', 'h_n', 'c_n'"],
      [[file, '--input', 'x.json', '--output', 'no/y.npy'], 'cannot write "no/y.npy": no such folder'],
      [[`${STATE_DICTS}two-lstms.safetensors`, '--input', 'x.json'],
        'this file holds weights, but not how they are connected (it is a plain state dict). (--verbose shows more)'],
    ] as const
    for (const [args, message] of cases) expect(await cli('run', ...args)).toEqual({ code: 1, stdout: '', stderr: `lstm-wasm: ${message}\n` })
  })
})
