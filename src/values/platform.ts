// Types of what browsers, Node and others add to JavaScript. Programs without the DOM library and @types/node compile all the same.

/** An instance of a global class where the program has types for it, else what this package needs of one. */
type Global<Name extends string, Otherwise> = typeof globalThis extends Record<Name, { readonly prototype: infer Instance }> ? Instance : Otherwise

export type PlatformSignal = Global<'AbortSignal', {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}>
export type PlatformUrl = Global<'URL', { readonly href: string, readonly searchParams: object, toString(): string }>
export type PlatformBlob = Global<'Blob', { readonly size: number, readonly type: string, arrayBuffer(): Promise<ArrayBuffer> }>
export type PlatformResponse = Global<'Response', { readonly ok: boolean, readonly status: number, readonly headers: object, arrayBuffer(): Promise<ArrayBuffer> }>
export type PlatformAudioContext = Global<'BaseAudioContext', { readonly sampleRate: number, readonly audioWorklet: object }>
export type PlatformAudioNode = Global<'AudioWorkletNode', { readonly port: object }>

type DisposeSymbol = SymbolConstructor extends { readonly dispose: infer Key extends symbol } ? Key : never

/** What `using` takes, where the program has types for it. */
export type PlatformDisposable = Record<DisposeSymbol, () => void>
