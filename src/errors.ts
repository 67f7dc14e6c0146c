/**
 * What went wrong, for programs to branch on:
 * - `FORMAT`: the bytes of a file are not what their format says.
 * - `UNSUPPORTED`: the file or graph is sound, but asks for something this library does not do.
 * - `SHAPE`: sizes, or the set of tensors, do not fit.
 * - `VALUE`: an argument, option, attribute, axis, dtype or element is not one that is accepted; a shape is no list of whole numbers.
 * - `MEMORY`: the memory limit is reached, the engine gives no more, or a shape has more elements than memory can hold.
 * - `DISPOSED`: a tensor, model or runtime is used after `dispose()`.
 * - `ENVIRONMENT`: the JavaScript engine lacks something (SIMD, a way to read files, ...).
 * - `ABORTED`: the caller's `AbortSignal` stopped the work.
 * - `BUSY`: a model, stream or pool is called or disposed from within its own call (a getter of its inputs, say).
 */
export type LstmErrorCode =
  | 'FORMAT' | 'UNSUPPORTED' | 'SHAPE' | 'VALUE' | 'MEMORY' | 'DISPOSED' | 'ENVIRONMENT' | 'ABORTED' | 'BUSY'

/** Bytes of UTF-8 at the beginning and the end of a message that are kept; together, and with what stands between them, under 4 kB. */
const HEAD_BYTES = 2900
const TAIL_BYTES = 1100

/** A message without its middle, if it is longer than 4 kB: names and lists in it may come from an untrusted file. */
function bounded(message: string): string {
  const bytesAt = (n: number): number => {
    const code = message.charCodeAt(n)
    return code < 0x80 ? 1 : code < 0x800 ? 2 : 3
  }
  let end = 0
  for (let bytes = 0; end < message.length && (bytes += bytesAt(end)) <= HEAD_BYTES;) end++
  let begin = message.length
  for (let bytes = 0; begin > end && (bytes += bytesAt(begin - 1)) <= TAIL_BYTES;) begin--
  return begin === end ? message : `${message.slice(0, end)} [... ${begin - end} characters left out ...] ${message.slice(begin)}`
}

/** The one class of every error this library throws on purpose. The message says what, where, expected and got, in at most 4 kB. */
export class LstmError extends Error {
  /** Always `LstmError`. */
  override readonly name: string = 'LstmError'
  /** What went wrong, for programs to branch on. */
  readonly code: LstmErrorCode

  /** The message is kept to 4 kB: the middle of a longer one is left out. */
  constructor(code: LstmErrorCode, message: string, options?: { cause?: unknown }) {
    super(bounded(message), options)
    this.code = code
  }
}

/** @throws LstmError for an `import()` that failed: the error itself where it is ours, else `ENVIRONMENT` with the way on */
export function cannotImport(cause: unknown, what: string, wayOn: string): never {
  if (cause instanceof LstmError) throw cause
  throw new LstmError('ENVIRONMENT', `cannot import ${what} of lstm-wasm: ${String(cause)}. Service workers and worklets forbid dynamic imports; hand it over: ${wayOn}`, { cause })
}
