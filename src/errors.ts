/**
 * What went wrong, for programs to branch on:
 * - `FORMAT`: the bytes of a file are not what their format says.
 * - `UNSUPPORTED`: the file or graph is sound, but asks for something this library does not do.
 * - `SHAPE`: a shape, or the set of tensors, does not fit.
 * - `VALUE`: an argument, option, dtype or element is not one that is accepted.
 * - `MEMORY`: the memory limit is reached, or the engine gives no more.
 * - `DISPOSED`: a tensor, model or runtime is used after `dispose()`.
 * - `ENVIRONMENT`: the JavaScript engine lacks something (SIMD, a way to read files, ...).
 * - `ABORTED`: the caller's `AbortSignal` stopped the work.
 */
export type LstmErrorCode =
  | 'FORMAT' | 'UNSUPPORTED' | 'SHAPE' | 'VALUE' | 'MEMORY' | 'DISPOSED' | 'ENVIRONMENT' | 'ABORTED'

/** The one class of every error this library throws on purpose. The message says what, where, expected and got. */
export class LstmError extends Error {
  override readonly name: string = 'LstmError'
  readonly code: LstmErrorCode

  constructor(code: LstmErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}
