import { LstmError } from '../errors.ts'
import { onlyBytes, type ModelFiles } from '../formats/reader.ts'
import { isLocation, isUrl, readInside, readSource, type ModelSource, type ReadOptions } from './source.ts'

export interface FilesOptions extends ReadOptions {
  /**
   * The files that the model refers to (weight shards, external data), by the names it gives them. Default: the
   * files beside it, where the model is given as a path or URL.
   */
  readonly files?: Readonly<Record<string, ModelSource>> | undefined
}

/** A model file, and the way to the files beside it. */
export async function readModelFiles(source: ModelSource, options: FilesOptions, what: string = 'load'): Promise<ModelFiles> {
  const bytes = await readSource(source, options, what)
  const { files = {} } = options
  const location = isLocation(source) ? String(source) : undefined
  const name = location?.split(/[/\\]/).pop()
  return {
    bytes,
    name,
    location,
    async sibling(wanted) {
      if (Object.hasOwn(files, wanted)) return readSource(files[wanted] as ModelSource, options)
      if (location === undefined) return onlyBytes(bytes, name).sibling(wanted)
      return readInside(...besides(location, wanted), options)
    },
  }
}

/**
 * The folder of a location, and a name in it as the location would have it. Names come out of untrusted files, so they may not lead out of the folder.
 * @throws LstmError `FORMAT` for a name that leads elsewhere
 */
function besides(location: string, wanted: string): [folder: string, name: string] {
  const parts = wanted.split('/')
  if (wanted === '' || /[\\:\0]/.test(wanted) || parts.includes('..') || parts[0] === '') {
    throw new LstmError('FORMAT', `the model refers to the file ${JSON.stringify(wanted)}, expected a name beside it or below`)
  }
  if (isUrl(location)) return [new URL('.', location).href, parts.map(encodeURIComponent).join('/')]
  const end = Math.max(location.lastIndexOf('/'), location.lastIndexOf('\\'))
  return [location.slice(0, end + 1), wanted]
}
