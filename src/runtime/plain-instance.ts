// In the place of the AssemblyScript loader in `lstm-wasm/core`: of all that it does, instantiating is what is needed there.

/** An instance of a compiled module. */
export function instantiateSync(module: WebAssembly.Module, imports: WebAssembly.Imports): { readonly instance: WebAssembly.Instance } {
  return { instance: new WebAssembly.Instance(module, imports) }
}
