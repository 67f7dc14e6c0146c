import { LstmError } from '../errors.ts'
import { FUNCTION, SIGNAL, type OptionTable } from '../options.ts'
import { describeValue } from '../values/dtype.ts'
import type { PlatformBlob, PlatformResponse, PlatformSignal, PlatformUrl } from '../values/platform.ts'
import { bytesGiven, tagOf } from '../values/realm.ts'

/** Where a model comes from: a path (Node, Deno, Bun), a URL, bytes, a Blob or File, or a fetch Response. */
export type ModelSource = string | PlatformUrl | ArrayBuffer | Uint8Array | PlatformBlob | PlatformResponse

/** Options of everything that reads bytes. */
export interface ReadOptions {
  /** Stops the reading. Default: nothing does. */
  readonly signal?: PlatformSignal | undefined
  /** Called with the progress of a download; `total` is undefined where the server does not say. Default: nobody is told. */
  readonly onProgress?: ((progress: { readonly loaded: number, readonly total: number | undefined }) => void) | undefined
}

/** What each may be. */
export const READ_OPTIONS: OptionTable<ReadOptions> = { signal: SIGNAL, onProgress: FUNCTION }

/** @throws LstmError `ABORTED` when the signal says so */
export function checkAborted(signal: PlatformSignal | undefined): void {
  if (signal?.aborted) throw new LstmError('ABORTED', 'loading was aborted', { cause: signal.reason })
}

/**
 * All bytes of a source.
 * @param what the function that was given it, for messages
 * @throws LstmError `ENVIRONMENT` when it cannot be read, `VALUE` when it is no source, `ABORTED`
 */
export async function readSource(source: ModelSource, options: ReadOptions = {}, what: string = 'load'): Promise<Uint8Array> {
  checkAborted(options.signal)
  const bytes = bytesGiven(source)
  if (bytes !== undefined) return bytes
  if (isLocation(source)) return readLocation(source, options)
  if (isResponse(source)) return readResponse(source, options)
  if (isBlob(source)) return new Uint8Array(await bufferOf(source))
  throw new LstmError('VALUE', `${what}: expected a path, URL, bytes, Blob or Response, got ${describeValue(source)}`)
}

/** Whether a source is a path or a URL, of any realm. */
export function isLocation(source: unknown): source is string | URL {
  return typeof source === 'string' || tagOf(source) === 'URL'
}

/** Told by what it has: naming the class Response makes Node load all of fetch (20 ms), and simulated browsers have their own. */
function isResponse(source: object): source is Response {
  return typeof source === 'object' && source !== null && 'ok' in source && 'headers' in source && 'arrayBuffer' in source
}

/** By its tag, or by what it has: happy-dom's blobs have no tag. */
function isBlob(source: object): source is Blob {
  return ['Blob', 'File'].includes(tagOf(source)) || (typeof source === 'object' && source !== null && 'arrayBuffer' in source && 'size' in source && 'slice' in source)
}

/** jsdom's blobs have no `arrayBuffer`. */
async function bufferOf(blob: Blob): Promise<ArrayBuffer> {
  if (typeof blob.arrayBuffer === 'function') return blob.arrayBuffer()
  return new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(reader.result as ArrayBuffer)
    reader.onerror = () => reject(new LstmError('ENVIRONMENT', `cannot read the Blob: ${String(reader.error)}`, { cause: reader.error }))
    reader.readAsArrayBuffer(blob)
  })
}

/** Whether a location has a scheme; `C:` is a drive. */
export function isUrl(location: string): boolean {
  return /^[a-z][a-z0-9+.-]+:/i.test(location)
}

export async function readLocation(source: string | URL, options: ReadOptions): Promise<Uint8Array> {
  const path = pathOf(source)
  return path === undefined ? readFromNetwork(source, options) : readFromDisk(path, options)
}

/** What names a file on a disk that can be read here; undefined for a location that is fetched. */
export function pathOf(source: string | URL): string | URL | undefined {
  const text = String(source)
  const isFile = text.startsWith('file:') || !isUrl(text)
  if (!isFile || typeof nodeProcess()?.versions?.node !== 'string') return undefined
  return text.startsWith('file:') ? new URL(text) : text
}

/** Not by its own name: Parcel would bring a package for it into the page. */
function nodeProcess(): Partial<NodeJS.Process> | undefined {
  return (globalThis as { readonly process?: Partial<NodeJS.Process> }).process
}

/**
 * A module of Node. Asked of the process first (Node 20.16 and newer, Deno, Bun), which needs no `import()`: test runners and
 * bundlers for CommonJS have none. Otherwise imported by a name that is known at run time only, so that bundlers do not look for it.
 */
export function moduleOfNode(name: string): unknown {
  return nodeProcess()?.getBuiltinModule?.(name) ?? import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ name)
}

export async function readFromDisk(path: string | URL, { signal }: ReadOptions): Promise<Uint8Array> {
  const { readFile } = await moduleOfNode('node:fs/promises') as typeof import('node:fs/promises')
  try {
    return await readFile(path, { signal })
  } catch (cause) {
    checkAborted(signal)
    const { code } = cause as { code?: string }
    const why = code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'it is a folder' : String(cause)
    throw new LstmError('ENVIRONMENT', `cannot read ${JSON.stringify(String(path))}: ${why}`, { cause })
  }
}

async function readFromNetwork(url: string | URL, options: ReadOptions): Promise<Uint8Array> {
  let response: Response
  try {
    response = await fetch(url, { signal: options.signal ?? null })
  } catch (cause) {
    checkAborted(options.signal)
    throw new LstmError('ENVIRONMENT', `cannot fetch ${JSON.stringify(String(url))}: ${String(cause)}${reasonBehind(cause)}`, { cause })
  }
  return readResponse(response, options)
}

/** Node's fetch says only that it failed; why is in the cause: no such host, nobody who listens. */
function reasonBehind(error: unknown): string {
  const { message, code } = ((error as Error).cause ?? {}) as { readonly message?: string, readonly code?: string }
  const why = message === '' ? code : message // several addresses that were tried have no message together
  return why === undefined ? '' : ` (${why})`
}

async function readResponse(response: Response, { signal, onProgress }: ReadOptions): Promise<Uint8Array> {
  if (!response.ok) {
    throw new LstmError('ENVIRONMENT', `cannot fetch ${JSON.stringify(response.url)}: the server answers ${response.status} ${response.statusText}`.trimEnd())
  }
  // Of a compressed body, the length is that of what is sent, not of what arrives here.
  const length = response.headers.has('content-encoding') ? null : response.headers.get('content-length')
  const total = length === null ? undefined : Number(length)
  let loaded = 0
  if (typeof response.body?.pipeThrough !== 'function') return new Uint8Array(await response.arrayBuffer())
  const counted: TransformStream<Uint8Array, Uint8Array> = new TransformStream({
    transform(chunk, controller) {
      loaded += chunk.length
      onProgress?.({ loaded, total })
      controller.enqueue(chunk)
    },
  })
  try {
    // The response may be the caller's own, which no signal aborts.
    const body = response.body.pipeThrough(counted, { signal } as StreamPipeOptions)
    return new Uint8Array(await new Response(body).arrayBuffer())
  } catch (cause) {
    checkAborted(signal)
    throw new LstmError('ENVIRONMENT', `the download of ${JSON.stringify(response.url)} broke off after ${loaded} bytes: ${String(cause)}`, { cause })
  }
}
