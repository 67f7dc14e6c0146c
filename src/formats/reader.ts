import { LstmError } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import type { ArrayLike } from '../values/ndarray.ts'

/** A model file, and the files beside it that it may refer to (weight shards, external data). */
export interface ModelFiles {
  readonly bytes: Uint8Array
  /** Name of the file where it is known: `model.json`. For messages. */
  readonly name: string | undefined
  /**
   * A file beside it, by relative name.
   * @throws LstmError `ENVIRONMENT` when there is no such file, or no place to look for it
   */
  sibling(name: string): Promise<Uint8Array>
}

/** What a caller may tell a reader that a file does not say. */
export interface FormatOptions {
  /** TensorFlow 1: added to the forget gate at run time; files do not store it. Default 1, BasicLSTMCell's own. */
  readonly forgetBias?: number
  /** Fixes inputs of the file to constants, by name: the parts of the graph that depend on them alone are computed at once. */
  readonly constants?: Readonly<Record<string, ArrayLike | number>>
}

/** A file format: how its files begin, and how they become a graph. */
export interface FormatReader {
  /** As messages call it: `ONNX`. */
  readonly name: string
  /** Whether the bytes look like this format: cheap, and never throws. */
  detect(bytes: Uint8Array): boolean
  /**
   * @throws LstmError `FORMAT` for a broken file, `UNSUPPORTED` listing at once everything in it that cannot be run
   */
  read(files: ModelFiles, options: FormatOptions): Promise<Graph>
}

/** Files that are known by their bytes alone. */
export function onlyBytes(bytes: Uint8Array, name?: string): ModelFiles {
  return {
    bytes,
    name,
    async sibling(wanted) {
      throw new LstmError('ENVIRONMENT', `the model refers to the file ${JSON.stringify(wanted)}, but only the bytes of the model itself were given; give load() its path or URL, or the option 'files'`)
    },
  }
}
