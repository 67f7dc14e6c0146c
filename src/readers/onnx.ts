// Entry point of `lstm-wasm/onnx`.
import { onnx, readOnnx as read, type OnnxOptions } from '../formats/onnx/index.ts'
import type { Graph } from '../graph/graph.ts'
import type { FilesOptions } from '../model/model-files.ts'
import { type ModelSource } from '../model/source.ts'
import { bytesGiven } from '../values/realm.ts'
import { fromAnySource, fromFiles } from './any-source.ts'

export { onnx }
export type { OnnxOptions }

/** What `readOnnx` is. */
export interface OnnxReader {
  (source: Uint8Array | ArrayBuffer, options?: OnnxOptions): Graph
  (source: Exclude<ModelSource, Uint8Array | ArrayBuffer>, options?: Pick<OnnxOptions, 'constants' | 'seed'> & FilesOptions): Promise<Graph>
}

const fromBytes = fromAnySource<OnnxOptions, Graph>('readOnnx', read)
const withFiles = fromFiles<OnnxOptions, Graph>('readOnnx', async (files, options) => onnx.read(files, options))

/**
 * The graph of an ONNX model: standard operators from version 7 on. Names of inputs and outputs are the file's;
 * int64 becomes int32, float16, bfloat16 and double become float32, and bool becomes uint8.
 * The branches of If that are taken must follow from constants, or from inputs that `constants` fixes.
 * Bytes are read at once, without a promise; external data is then in the option `files`, and beside the file otherwise.
 *
 * @throws LstmError `FORMAT` for a broken file, `UNSUPPORTED` listing all it asks for that is not supported, `VALUE` for
 *   `constants` that do not fit, `ENVIRONMENT` for a file beside it that is not there
 */
export const readOnnx: OnnxReader = ((source: ModelSource, options: OnnxOptions & FilesOptions = {}) => {
  const bytes = bytesGiven(source)
  return bytes === undefined ? withFiles(source, options) : fromBytes(bytes, options)
}) as OnnxReader
