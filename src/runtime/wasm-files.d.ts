// Types of imported .wasm files, on platforms that import them as modules; the build keeps these imports as they are.
declare module '*.wasm' {
  const module: WebAssembly.Module
  export default module
}
declare module '*.wasm?module' {
  const module: WebAssembly.Module
  export default module
}
