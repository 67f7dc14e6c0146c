// The parts of examples/sessions that tests use, with types.
import type { StreamPool } from 'lstm-wasm'

export interface Model { readonly pool: StreamPool, readonly frameLength: number, readonly outputLength: number }
export interface Saved { readonly bytes: Uint8Array, readonly revision: unknown }
export interface States { get(name: string): Promise<Saved | undefined>, put(name: string, bytes: Uint8Array, revision: unknown): Promise<unknown> }
export interface Output { readonly sequence: number, readonly output: Float32Array }
export interface Run { readonly sequence: number, readonly frames: readonly Float32Array[], readonly confirmed?: number }
export interface Store {
  readonly size: number
  open(name: string): Promise<{ done: number, saved: number, outputs: Output[] }>
  step(name: string, run: Run): Promise<{ saved: number, outputs: Output[] }>
  save(name: string): Promise<void>
  leave(name: string): Promise<void>
  leaveAll(): Promise<void>
  forget(name: string): void
}
interface Client { send(frame: Float32Array): Promise<number>, finished(): Promise<void>, close(): void }
interface Connection { send(bytes: Uint8Array): void, close(): void }
export interface Events { onMessage(data: Uint8Array | string): void, onClose(code?: number): void }
type Send = (name: string, message: Uint8Array | string) => void
interface Processes {
  readonly pids: readonly number[]
  connected(name: string): void
  received(name: string, bytes: Uint8Array): void
  disconnected(name: string): void
  end(): Promise<void>
}

const at = (path: string): URL => new URL(`../../examples/${path}`, import.meta.url)
const example = async <Module>(path: string): Promise<Module> => await import(at(`sessions/${path}`).href) as Module

export const { SessionStore } = await example<{ SessionStore: new (model: Model, states: States, options?: object) => Store }>('session-store.mjs')
export const { SessionError } = await example<{ SessionError: new (code: string, message: string) => Error & { code: string } }>('session-error.mjs')
export const { fileStates } = await example<{ fileStates: (folder: string) => States }>('file-states.mjs')
/** Of a Durable Object's storage, what the example uses. */
export interface Storage { readonly sql: { exec(query: string, ...values: unknown[]): { toArray(): object[] } } }
export const { objectStates } = await example<{ objectStates: (storage: Storage) => States }>('hosts/durable-object/object-states.mjs')
export const { openModel } = await example<{ openModel: (bytes: Uint8Array, capacity: number) => Promise<Model> }>('model.mjs')
export const { WorkerProcesses } = await example<{ WorkerProcesses: new (count: number, folder: string, send: Send) => Processes }>('worker-processes.mjs')
export const { SessionClient } = await example<{
  SessionClient: new (connect: (events: Events) => Connection, onOutput: (sequence: number, output: Float32Array) => void) => Client
}>('session-client.mjs')
export const { REPLACED, writeRun } = await example<{
  REPLACED: number
  writeRun: (sequence: number, upTo: number, arrays: readonly Float32Array[]) => Uint8Array
}>('messages.mjs')
export const { framesOf, hashOf, undisturbed } = await import(new URL('undisturbed.mjs', import.meta.url).href) as {
  framesOf: (number: number, count: number) => Float32Array[]
  undisturbed: (sessions: readonly Float32Array[][]) => Promise<Float32Array[][]>
  hashOf: (sessions: readonly (readonly Float32Array[])[]) => string
}
