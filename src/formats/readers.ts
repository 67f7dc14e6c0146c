// All formats, told apart by content. Loaded with the first model file, unless the caller brings the reader it needs.
import { LstmError } from '../errors.ts'
import { ofProtobuf, recognise } from './foreign.ts'
import type { FormatReader } from './reader.ts'
import { sniff, type FormatName } from './sniff.ts'
import { isGzip } from './tesseract/header.ts'

/** Each reader is a chunk of its own, loaded when a file needs it. */
const READERS: Readonly<Record<FormatName, () => Promise<FormatReader>>> = {
  safetensors: async () => (await import('./safetensors/safetensors-model.ts')).safetensors,
  onnx: async () => (await import('./onnx/reader.ts')).onnx,
  keras: async () => (await import('./keras/reader.ts')).keras,
  tfjs: async () => (await import('./tfjs/tfjs.ts')).tfjs,
  torch: async () => (await import('./torch/reader.ts')).torch,
  tensorflow1: async () => (await import('./tf1/reader.ts')).tensorflow1,
  rtneural: async () => (await import('./rtneural/reader.ts')).rtneural,
  nam: async () => (await import('./nam/reader.ts')).nam,
  tesseract: async () => (await import('./tesseract/reader.ts')).tesseract,
}

/**
 * @param name of the file, where it is known
 * @throws LstmError `FORMAT` for bytes that are no model file, saying what they are
 */
export async function findReader(bytes: Uint8Array, name?: string): Promise<FormatReader> {
  const format = isGzip(bytes) && (await READERS.tesseract()).detect(bytes) ? 'tesseract' : sniff(bytes)
  // Messages of TensorFlow begin as those of ONNX do.
  const foreign = format === undefined ? recognise(bytes, name) : format === 'onnx' ? ofProtobuf(bytes) : undefined
  if (format === undefined || foreign !== undefined) throw unrecognised(bytes, foreign)
  return READERS[format]()
}

function unrecognised(bytes: Uint8Array, foreign: string | undefined): LstmError {
  const start = [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
  const got = foreign ?? (bytes.length === 0 ? 'an empty file' : `${bytes.length} bytes that begin with ${start}`)
  return new LstmError('FORMAT', `expected a model file (${Object.keys(READERS).join(', ')}), got ${got}`)
}
