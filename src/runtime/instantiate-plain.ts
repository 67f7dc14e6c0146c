/** The same without the AssemblyScript loader, for `lstm-wasm/core`: binaries without managed objects need none of what it brings. */
export function instantiate(module: WebAssembly.Module, imports: WebAssembly.Imports): WebAssembly.Instance {
  return new WebAssembly.Instance(module, imports)
}
