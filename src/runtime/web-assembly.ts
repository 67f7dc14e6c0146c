// Types of WebAssembly where the program has them (the DOM library), else what this package needs of them.

/** A compiled binary of this package: a `WebAssembly.Module`. */
export type KernelModule = typeof globalThis extends { readonly WebAssembly: { readonly Module: { readonly prototype: infer Module } } } ? Module : object
/** A linear memory: a `WebAssembly.Memory`. */
export type KernelMemory = typeof globalThis extends { readonly WebAssembly: { readonly Memory: { readonly prototype: infer Memory } } } ? Memory
  : { readonly buffer: ArrayBuffer, grow(pages: number): number }
