import { instantiateSync } from '@assemblyscript/loader'

/**
 * An instance of a binary. (The loader's asynchronous entry asks whether it was given a Response, and naming that class makes Node load
 * all of fetch: 30 to 50 ms. The instance's own exports are used: the loader's are wrapped, to tell optional arguments.)
 */
export function instantiate(module: WebAssembly.Module, imports: WebAssembly.Imports): WebAssembly.Instance {
  // The loader takes a module of another realm (Next.js's edge routes) for bytes.
  if (!(module instanceof WebAssembly.Module)) return new WebAssembly.Instance(module, imports)
  return instantiateSync(module, imports as Parameters<typeof instantiateSync>[1]).instance
}
