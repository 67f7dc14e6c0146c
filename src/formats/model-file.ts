import { LstmError } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import { having, type Kind, type OptionTable } from '../options.ts'
import { loadReader } from './late-readers.ts'
import { FORMAT_OPTIONS, type FormatOptions, type FormatReader, type ModelFiles } from './reader.ts'

export interface ReadModelOptions extends FormatOptions {
  /**
   * Readers to try first, imported by the caller (`lstm-wasm/onnx`, ...): for service workers and
   * worklets, which forbid the dynamic imports that load readers otherwise. Default: none.
   */
  readonly readers?: readonly FormatReader[] | undefined
}

const READER: Kind = having('a reader', 'detect', 'read')

/** What each may be. */
export const READ_MODEL_OPTIONS: OptionTable<ReadModelOptions> = {
  ...FORMAT_OPTIONS,
  readers: { expected: "a list of readers (of 'lstm-wasm/onnx' and so on)", test: (value) => Array.isArray(value) && value.every(READER.test) },
}

/**
 * The graph of a model file of any format. Formats are told apart by content, not by name.
 *
 * @throws LstmError `FORMAT` for bytes that are no model file or a broken one, `UNSUPPORTED` for what cannot be run, `VALUE` for
 *   options that the format does not have
 */
export async function readModelFile(files: ModelFiles, { readers, ...options }: ReadModelOptions = {}): Promise<Graph> {
  const reader = readers?.find((given) => given.detect(files.bytes)) ?? await loadReader(files.bytes, files.name)
  try {
    return await reader.read(files, options)
  } catch (error) {
    // Whatever an untrusted file runs into, callers see one class of errors.
    if (error instanceof LstmError) throw error
    throw new LstmError('FORMAT', `${reader.name}: the file cannot be read: ${String(error)}`, { cause: error })
  }
}
