import { onlyBytes, type ModelFiles } from '../formats/reader.ts'
import { loadSiblings } from './late-siblings.ts'
import { isLocation, readSource, type ModelSource, type ReadOptions } from './source.ts'

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
      return (await loadSiblings())(location, wanted, options)
    },
  }
}
