import { LstmError } from '../errors.ts'
import type { FormatReader } from './reader.ts'

/** Options of loading, whatever the format is. */
export const LOADING_OPTIONS: readonly string[] = ['runtime', 'signal', 'onProgress', 'files', 'readers', 'streams']

/** A reader that refuses options that it does not list: a slip of the pen, or what says nothing about its files. */
export function takingOptions(reader: FormatReader): FormatReader {
  return {
    ...reader,
    async read(files, options) {
      const known: readonly string[] = [...LOADING_OPTIONS, ...reader.options]
      const others = Object.entries(options).filter(([name, value]) => value !== undefined && !known.includes(name)).map(([name]) => `'${name}'`)
      if (others.length > 0) {
        throw new LstmError('VALUE', `load: no option ${others.join(', ')} for a file of ${reader.name}; its options are ${reader.options.join(', ')}`)
      }
      return reader.read(files, options)
    },
  }
}
