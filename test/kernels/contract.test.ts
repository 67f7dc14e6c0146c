// What the kernels and TypeScript agree on: how it is read from the source, and what may not change.
import { readFileSync } from 'node:fs'
import asc from 'assemblyscript/asc'
import { describe, expect, it } from 'vitest'
import { contractFiles, readContract } from '../../assembly/write-contract.mjs'
import { Box } from '../../src/contract/arrays/box.ts'
import { BinaryCode, BinaryElements } from '../../src/contract/arrays/broadcast.ts'
import { ElementKind } from '../../src/contract/arrays/cast.ts'
import { ScatterCode } from '../../src/contract/arrays/gather.ts'
import { FinishingCode, ReductionCode } from '../../src/contract/arrays/reduce.ts'
import { GRADIENT_KERNEL_ARITIES } from '../../src/contract/gradient-kernels.ts'
import { KERNEL_ARITIES } from '../../src/contract/kernels.ts'
import { FunctionCode } from '../../src/contract/math/function-code.ts'
import { LstmCell } from '../../src/contract/recurrent/lstm.ts'
import { Coupling, GeneralLstmCell } from '../../src/contract/recurrent/lstm-general.ts'
import { MaskRule } from '../../src/contract/recurrent/mask.ts'
import { THREAD_KERNEL_ARITIES } from '../../src/contract/thread-kernels.ts'
import type { Kernels } from '../../src/runtime/kernels.ts'
import { encodeRecord, type Int, type Pointer, type RecordPointer } from '../../src/values/record.ts'

const text = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

/** A record with every type of field, and with gaps. */
const MIXED = { first: 'Int32', wide: 'Float64', ptr: 'Uint32', narrow: 'Float32', second: 'Int32', last: 'Float64' } as const

describe('the contract', () => {
  it('is that of the source: npm run build:wasm writes it', () => {
    const files = contractFiles(readContract((file) => text(`assembly/${file}`)))
    expect(files.size).toBeGreaterThan(10)
    for (const [name, expected] of files) expect(text(`src/contract/${name}`), name).toBe(expected)
  })

  it('has codes that are appended only', () => {
    const codes = (own: Readonly<Record<string, number>>): string => Object.entries(own).map(([name, code]) => `${name} ${code}`).join(', ')
    expect(codes(FunctionCode)).toBe(
      'linear 0, sigmoid 1, tanh 2, relu 3, hardSigmoid 4, leakyRelu 5, thresholdedRelu 6, elu 7, selu 8, softplus 9, softsign 10, affine 11, scaledTanh 12, '
      + 'exp 13, gelu 14, geluTanh 15, silu 16, mish 17, clipped 18, hardSwish 19, hardShrink 20, softShrink 21, tanhShrink 22, logSigmoid 23, celu 24, '
      + 'squareplus 25, sparsePlus 26, log 27, sqrt 28, abs 29, neg 30, reciprocal 31, floor 32, ceil 33, round 34, sign 35, erf 36, square 37, sin 38, cos 39, '
      + 'atan 40, softmax 64, logSoftmax 65, sparsemax 66')
    expect(codes(BinaryCode)).toBe('add 0, sub 1, mul 2, div 3, min 4, max 5, equal 6, less 7, lessOrEqual 8, pow 9, remainder 10, modulo 11, and 12, or 13, xor 14, not 15')
    expect([BinaryElements, ElementKind, ScatterCode, ReductionCode, FinishingCode, Coupling, MaskRule].map(codes)).toEqual([
      'float32 0, int32 16, uint8 32', 'float32 0, int32 1, uint8 2, bool 3', 'none 0, add 1, mul 2, max 3, min 4',
      'sum 0, max 1, min 2, product 3, sumOfSquares 4', 'none 0, divided 1, root 2',
      'none 0, forgetIsOneMinusInput 1, inputIsOneMinusForget 2', 'hold 1, zero 2, multiply 3',
    ])
  })

  it('has an LSTM cell in front of what a general one has, since either kernel takes the record', () => {
    const fields = Object.entries(LstmCell)
    expect(Object.entries(GeneralLstmCell).slice(0, fields.length)).toEqual(fields)
  })

  it('has no kernel that takes more than eight numbers: what a plan knows stands in records', () => {
    const arities = Object.entries({ ...KERNEL_ARITIES, ...GRADIENT_KERNEL_ARITIES, ...THREAD_KERNEL_ARITIES })
    expect(arities.length).toBeGreaterThan(100)
    expect(arities.filter(([, count]) => count > 8)).toEqual([])
  })

  it('does not let arguments change places', () => {
    const swapped = (kernels: Kernels, ptr: Pointer, length: Int): void => {
      kernels.fillZero(ptr, length)
      // @ts-expect-error: the size first
      kernels.fillZero(length, ptr)
      // @ts-expect-error: one number too few
      kernels.fillZero(ptr)
      const other: RecordPointer<typeof MIXED> = ptr
      // @ts-expect-error: the address of another record
      const wrong: RecordPointer<typeof Box> = other
      const values = { first: length, wide: 0.5, ptr, narrow: 0.25, second: 4, last: 1 }
      encodeRecord(MIXED, values)
      // @ts-expect-error: a field is missing
      encodeRecord(MIXED, { first: length, wide: 0.5, ptr, narrow: 0.25, second: 4 })
      // @ts-expect-error: a pointer in the place of a size
      encodeRecord(MIXED, { ...values, first: ptr, ptr: length, wrong })
    }
    expect(swapped.length).toBe(3)
  })
})

describe('records', () => {
  it('lie in memory as AssemblyScript lays them out', async () => {
    const TYPES = { Int32: 'i32', Uint32: 'usize', Float32: 'f32', Float64: 'f64' } as const
    const fields = Object.entries(MIXED).map(([name, type]) => [name, TYPES[type]] as const)
    const source = `@unmanaged class Mixed { ${fields.map(([name, type]) => `${name}: ${type}`).join('; ')} }
      export function bytes(): usize { return offsetof<Mixed>() }
      ${fields.map(([name, type]) => `export function ${name}(at: Mixed): ${type} { return at.${name} }`).join('\n')}`
    const files: Record<string, Uint8Array | string> = { 'mixed.ts': source }
    const { error, stderr } = await asc.main(['mixed.ts', '--outFile', 'mixed.wasm', '--runtime', 'stub', '--exportRuntime'], {
      readFile: (name) => (typeof files[name] === 'string' ? files[name] : null),
      writeFile: (name, contents) => void (files[name] = contents),
      listFiles: () => [],
    })
    expect(error, (stderr as { toString(): string }).toString()).toBeNull()
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(files['mixed.wasm'] as Uint8Array<ArrayBuffer>), { env: { abort: () => undefined } })
    const own = exports as unknown as Record<keyof typeof MIXED | 'bytes', (at?: number) => number> & { memory: WebAssembly.Memory }
    const values = { first: -3, wide: Math.PI, ptr: 4_000_000_000, narrow: Math.fround(0.1), second: 70_000, last: -1e300 }
    const encoded = encodeRecord(MIXED, values)
    expect(encoded.length).toBe(own.bytes())
    if (own.memory.buffer.byteLength === 0) own.memory.grow(1)
    new Uint8Array(own.memory.buffer).set(encoded, 64)
    for (const [name, value] of Object.entries(values)) {
      expect(name === 'ptr' ? own.ptr(64) >>> 0 : own[name as keyof typeof MIXED](64), name).toBe(value)
    }
  })
})

/** A small source with every case. */
const SOURCE: Readonly<Record<string, string>> = {
  'index.ts': "// The list.\nexport { scale, measure } from './a/scale'\nexport { draw } from './draw'\n",
  'contract.ts': "export { LEAST, Shade } from './draw'\nexport { DrawCall } from './draw'\n",
  'a/scale.ts': `
/** x[n] = x[n] * factor. */
export function scale(ptr: usize, factor: f32, length: i32): void {}

/** Not exported. */
function hidden(): void {}

/**
 * Bytes of \`rows\` rows.
 *
 * A second paragraph.
 */
// @ts-ignore: decorator
@inline
export function measure(rows: i32, size: f64): f64 { return 0 }
`,
  'gradients/index.ts': '',
  'threads/index.ts': '',
  'draw.ts': `
const NONE: i32 = 1
/** The least. */
export const LEAST: i32 = 1_024
/** Shades. */
export const enum Shade {
  dark = 0,
  /** With a comment. */
  light = 7,
}
/** A call. */
@unmanaged
export class DrawCall {
  width: i32
  /** Opaque. */
  alpha: f64
  fromPtr: usize
  next: DrawCall | null
  shade: Shade

  // @ts-ignore: decorator
  @inline
  get area(): i32 {
    return this.width
  }

  grow(by: i32): void {}
}
/** Draws. */
export function draw(call: DrawCall, aRatherLongNameOfAPointerThatIsWritten: usize, anotherRatherLongNameOfAPointer: usize): i32 { return 0 }
`,
}

const read = (changes: Readonly<Record<string, string>> = {}) => (file: string): string => {
  const found = changes[file] ?? SOURCE[file]
  if (found === undefined) throw new Error(`no file ${file}`)
  return found
}

describe('reading the source', () => {
  it('finds kernels, with their comments, parameters and results', () => {
    expect(contractFiles(readContract(read())).get('kernels.ts')).toBe(`\
// Written by assembly/write-contract.mjs from the source of the kernels: npm run build:wasm.
import type { DrawCall } from './draw.ts'
import type { Float, Int, Pointer, RecordPointer } from '../values/record.ts'

/** The functions every binary exports: pointers and sizes in, nothing kept. Distances in bytes end in \`Bytes\`. */
export interface Kernels {
  /**
   * x[n] = x[n] * factor.
   *
   * @see assembly/a/scale.ts
   */
  readonly scale: (ptr: Pointer, factor: Float, length: Int) => void

  /**
   * Bytes of \`rows\` rows.
   *
   * @see assembly/a/scale.ts
   */
  readonly measure: (rows: Int, size: Float) => number

  /**
   * Draws.
   *
   * @see assembly/draw.ts
   */
  readonly draw: (
    call: RecordPointer<typeof DrawCall>,
    aRatherLongNameOfAPointerThatIsWritten: Pointer,
    anotherRatherLongNameOfAPointer: Pointer,
  ) => number
}

/** The number of parameters of every kernel. */
export const KERNEL_ARITIES: Readonly<Record<keyof Kernels, number>> = {
  scale: 3,
  measure: 2,
  draw: 3,
}
`)
  })

  it('finds constants, codes and records', () => {
    const files = contractFiles(readContract(read()))
    expect([...files.keys()]).toEqual(['kernels.ts', 'gradient-kernels.ts', 'thread-kernels.ts', 'draw.ts'])
    expect(files.get('draw.ts')).toBe(`\
// Written by assembly/write-contract.mjs from the source of the kernels: npm run build:wasm.

/**
 * The least.
 *
 * @see assembly/draw.ts
 */
export const LEAST = 1024

/**
 * Shades.
 *
 * @see assembly/draw.ts
 */
export const Shade = {
  dark: 0,
  /** With a comment. */
  light: 7,
} as const

/**
 * A call.
 *
 * @see assembly/draw.ts
 */
export const DrawCall = {
  width: 'Int32',
  /** Opaque. */
  alpha: 'Float64',
  fromPtr: 'Uint32',
  next: 'Uint32',
  shade: 'Int32',
} as const
`)
  })

  const draw = SOURCE['draw.ts'] as string
  it.each([
    ['a name that is not there', { 'contract.ts': "export { Gone } from './draw'" }, 'draw.ts: expected a declaration of Gone'],
    ['another name outside', { 'contract.ts': "export { Shade as Tone } from './draw'" }, 'contract.ts: Tone: expected one name on both sides'],
    ['anything but a list', { 'index.ts': 'export const a: i32 = 1' }, 'index.ts: expected nothing but exports from files, got export const a: i32 = 1'],
    ['a kernel without a comment', { 'draw.ts': draw.replace('/** Draws. */', '') }, 'draw.ts: draw: expected a comment that says what it computes'],
    ['a parameter that is no number', { 'draw.ts': draw.replace('anotherRatherLongNameOfAPointer: usize', 'x: v128') }, 'draw.ts: draw: x: expected usize, i32, f32, f64, or what is in contract.ts, got v128'],
    ['a result that is no number', { 'draw.ts': draw.replace('usize): i32', 'usize): bool') }, 'draw.ts: draw: expected void or a number as its result, got bool'],
    ['a class with a header', { 'draw.ts': draw.replace('@unmanaged', '@final') }, 'draw.ts: DrawCall: expected an @unmanaged class, whose fields are memory'],
    ['a field that is no number', { 'draw.ts': draw.replace('width: i32', 'width: u8') }, 'draw.ts: DrawCall: expected fields of usize, i32, f32, f64, or what is in contract.ts, got width: u8'],
    ['a code without a number', { 'draw.ts': draw.replace('dark = 0', 'dark') }, 'draw.ts: Shade.dark: expected a whole number as its value, got undefined'],
    ['a constant that is computed', { 'draw.ts': draw.replace('1_024', '4 * 256') }, 'draw.ts: LEAST: expected a whole number as its value, got 4 * 256'],
  ])('refuses %s', (_title, changes, message) => {
    expect(() => readContract(read(changes))).toThrow(message)
  })
})
