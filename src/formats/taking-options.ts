import { readOptions, type OptionTable } from '../options.ts'
import { FORMAT_OPTIONS, type FormatOptions, type FormatReader } from './reader.ts'

/** The table of a format's options. */
export function optionsOf<Name extends keyof FormatOptions>(...names: readonly Name[]): OptionTable<Pick<FormatOptions, Name>> {
  return Object.fromEntries(names.map((name) => [name, FORMAT_OPTIONS[name]])) as OptionTable<Pick<FormatOptions, Name>>
}

/** A reader that refuses options that it does not list: a slip of the pen, or what says nothing about its files. */
export function takingOptions(reader: FormatReader): FormatReader {
  return { ...reader, read: async (files, options, budget) => reader.read(files, readOptions(options, optionsOf(...reader.options), reader.name), budget) }
}
