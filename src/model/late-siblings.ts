import { cannotImport } from '../errors.ts'

/** Reads files beside a model: loaded with the first of them. In `lstm-wasm/core`, late-siblings-given.ts stands in its place. */
export async function loadSiblings(): Promise<typeof import('./siblings.ts').readSibling> {
  try {
    return (await import('./siblings.ts')).readSibling
  } catch (cause) {
    return cannotImport(cause, 'the reader of files beside a model', "the files themselves: load(source, { files: { 'NAME': bytes } })")
  }
}
