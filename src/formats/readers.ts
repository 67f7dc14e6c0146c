// All formats, told apart by content. Loaded with the first model file, unless the caller brings the reader it needs.
import { LstmError } from '../errors.ts'
import type { FormatReader } from './reader.ts'
import { sniff, type FormatName } from './sniff.ts'

/** Bytes of a text that are looked at. */
const SHOWN_BYTES = 200

/** Each reader is a chunk of its own, loaded when a file needs it. */
const READERS: Readonly<Record<FormatName, () => Promise<FormatReader>>> = {
  safetensors: async () => (await import('./safetensors-model.ts')).safetensors,
  onnx: async () => (await import('./onnx/index.ts')).onnx,
  keras: async () => (await import('./keras/index.ts')).keras,
  tfjs: async () => (await import('./tfjs/index.ts')).tfjs,
  torch: async () => (await import('./torch/reader.ts')).torch,
  tensorflow1: async () => (await import('./tf1/reader.ts')).tensorflow1,
  rtneural: async () => (await import('./rtneural/reader.ts')).rtneural,
  nam: async () => (await import('./nam/reader.ts')).nam,
}

/** @throws LstmError `FORMAT` for bytes that are no model file */
export async function findReader(bytes: Uint8Array): Promise<FormatReader> {
  const name = sniff(bytes)
  if (name === undefined) throw unrecognised(bytes)
  return READERS[name]()
}

/** What bytes are that are text, and its beginning; undefined for others. */
function textOf(bytes: Uint8Array): string | undefined {
  const begin = new TextDecoder().decode(bytes.subarray(0, SHOWN_BYTES)).replace(/^\ufeff/, '').trim()
  if (begin === '' || /[^\t\n\r\u0020-\u007e\u00a0-\uffef]/.test(begin)) return undefined
  const shown = JSON.stringify(begin.slice(0, 60))
  if (begin.startsWith('version https://git-lfs')) return `a pointer of Git LFS, which stands for the file: fetch the file itself with git lfs pull (${shown})`
  if (/^(<!doctype|<html|<\?xml)/i.test(begin)) return `a page of HTML: a server may send one instead of a file that is not there (${shown})`
  return `${bytes.length} bytes of text: ${shown}`
}

function unrecognised(bytes: Uint8Array): LstmError {
  const text = textOf(bytes)
  if (text !== undefined) return new LstmError('FORMAT', `expected a model file (${Object.keys(READERS).join(', ')}), got ${text}`)
  const start = [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
  const got = bytes.length === 0 ? 'an empty file' : `${bytes.length} bytes that begin with ${start}`
  return new LstmError('FORMAT', `expected a model file (${Object.keys(READERS).join(', ')}), got ${got}`)
}
