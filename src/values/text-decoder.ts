import { LstmError } from '../errors.ts'

/** Decodes nothing, and says so when it is asked: the AssemblyScript loader makes a decoder when it is imported. */
class NoTextDecoder {
  decode(): never {
    throw new LstmError('ENVIRONMENT', 'this JavaScript engine has no TextDecoder, which reading model files needs: define globalThis.TextDecoder first')
  }
}

interface Engine {
  readonly process?: { readonly getBuiltinModule?: (name: string) => { readonly TextDecoder: typeof globalThis.TextDecoder } }
}

/**
 * The engine's own, or Node's where a scope inside Node lacks it (Jest's jsdom). The build puts it in the place of the global
 * name, in all files that use it.
 */
export const TextDecoder: typeof globalThis.TextDecoder = globalThis.TextDecoder
  ?? (globalThis as Engine).process?.getBuiltinModule?.('node:util').TextDecoder ?? NoTextDecoder
