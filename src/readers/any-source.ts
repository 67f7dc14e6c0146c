import { LstmError } from '../errors.ts'
import { readModelFiles, type FilesOptions } from '../model/model-files.ts'
import { isLocation, readSource, type ModelSource, type ReadOptions } from '../model/source.ts'
import { checkRecord } from '../options.ts'
import { bytesGiven } from '../values/realm.ts'
import type { ModelFiles } from '../formats/reader.ts'

/** Reads what `load` takes: bytes at once, and a path, URL, Blob or Response as a promise. */
export interface SourceReader<Options, Result> {
  (source: Uint8Array | ArrayBuffer, options?: Options): Result
  (source: Exclude<ModelSource, Uint8Array | ArrayBuffer>, options?: Options & ReadOptions): Promise<Result>
  (source: ModelSource, options?: Options & ReadOptions): Result | Promise<Result>
}

/** A reader of files that stand alone. @param name as messages call it */
/* @__NO_SIDE_EFFECTS__ */
export function fromAnySource<Options extends object, Result>(
  name: string, read: (bytes: Uint8Array, options: Options, location: string | undefined) => Result,
): SourceReader<Options, Result> {
  const guarded = (bytes: Uint8Array, options: Options, location?: string): Result => {
    try {
      return read(bytes, options, location)
    } catch (error) {
      throw ours(error, name)
    }
  }
  const reader = (source: ModelSource, options: (Options & ReadOptions) | undefined = {} as Options): Result | Promise<Result> => {
    checkRecord(options, name)
    const bytes = bytesGiven(source)
    if (bytes !== undefined) return guarded(bytes, options)
    const location = isLocation(source) ? String(source) : undefined
    return readSource(source, options, name).then((read) => guarded(read, options, location))
  }
  return reader as SourceReader<Options, Result>
}

/** A reader of files that refer to others beside them. @param name as messages call it */
export function fromFiles<Options extends object, Result>(
  name: string, read: (files: ModelFiles, options: Options) => Promise<Result>,
): (source: ModelSource, options?: Options & FilesOptions) => Promise<Result> {
  return async (source, options = {} as Options & FilesOptions) => {
    checkRecord(options, name)
    try {
      return await read(await readModelFiles(source, options, name), options)
    } catch (error) {
      throw ours(error, name)
    }
  }
}

function ours(error: unknown, name: string): LstmError {
  return error instanceof LstmError ? error : new LstmError('FORMAT', `${name}: the file cannot be read: ${String(error)}`, { cause: error })
}
