// Guard zones for whole models: a test file that imports this has every block of linear memory, and every buffer of a plan, between two zones
// that nothing may write; they are looked at after each run. All memory is NaN at first, and no buffer takes another one's place.
import { expect } from 'vitest'
import { Model } from '../src/model/model.ts'
import { Layout, type Buffer } from '../src/plan/layout.ts'
import { LinearMemory } from '../src/runtime/memory.ts'

const GUARD = 64
/** Kernels write whole vectors: the padding of a buffer up to here is theirs. */
const VECTOR = 16
/** A NaN, and no byte of it like another: what buffers are at first. */
const UNTOUCHED = 0x7fc1a5e7
/** In zones, every second word is a number: what is added to a NaN leaves it as it was. */
const ZONE = Uint32Array.from({ length: GUARD / 4 }, (_, n) => (n % 2 === 0 ? UNTOUCHED : 0x41c1a5e7))

/** A zone, and the block that it lies in or beside. */
interface Zone {
  readonly block: number
  readonly begin: number
}

const zones: WeakMap<LinearMemory, Zone[]> = new WeakMap()
const zonesOf = (memory: LinearMemory): Zone[] => zones.get(memory) ?? zones.set(memory, []).get(memory) as Zone[]

/** Makes zones around a buffer. */
function addZones(memory: LinearMemory, block: number, ptr: number, bytes: number): void {
  for (const begin of [ptr - GUARD, ptr + Math.ceil(bytes / VECTOR) * VECTOR]) {
    new Uint32Array(memory.wasm.buffer, begin, ZONE.length).set(ZONE)
    zonesOf(memory).push({ block, begin })
  }
}

/** @throws where a zone around a block that is in use was written */
export function checkGuards(memory: LinearMemory, what: string): void {
  for (const { begin } of zonesOf(memory)) {
    const words = new Uint32Array(memory.wasm.buffer, begin, ZONE.length)
    const at = words.findIndex((word, n) => word !== ZONE[n])
    if (at >= 0) expect.fail(`${what} wrote at ${begin + 4 * at}, outside all buffers`)
  }
}

type OfMemory<Name extends 'allocate' | 'free'> = (this: LinearMemory, ...given: Parameters<LinearMemory[Name]>) => ReturnType<LinearMemory[Name]>
const { allocate, free } = LinearMemory.prototype as { readonly allocate: OfMemory<'allocate'>, readonly free: OfMemory<'free'> }
LinearMemory.prototype.allocate = function (this: LinearMemory, bytes: number, what: string): number {
  const whole = Math.ceil(bytes / VECTOR) * VECTOR + 2 * GUARD
  const ptr = allocate.call(this, whole, what)
  new Uint32Array(this.wasm.buffer, ptr, whole / 4).fill(UNTOUCHED)
  addZones(this, ptr + GUARD, ptr + GUARD, bytes)
  return ptr + GUARD
}
LinearMemory.prototype.free = function (this: LinearMemory, ptr: number): void {
  free.call(this, ptr - GUARD)
  zones.set(this, zonesOf(this).filter(({ block }) => block !== ptr))
}

type OfLayout<Name extends 'allocate' | 'place'> = (this: Layout, ...given: Parameters<Layout[Name]>) => ReturnType<Layout[Name]>
const { allocate: layOut, place } = Layout.prototype as { readonly allocate: OfLayout<'allocate'>, readonly place: OfLayout<'place'> }
const buffers: WeakMap<Layout, [Buffer, number][]> = new WeakMap()
Layout.prototype.allocate = function (this: Layout, bytes: number, _uses: number, what: string): Buffer {
  const buffer = layOut.call(this, Math.ceil(bytes / VECTOR) * VECTOR + 2 * GUARD, Infinity, what)
  buffers.set(this, [...buffers.get(this) ?? [], [buffer, bytes]])
  return buffer
}
Layout.prototype.place = function (this: Layout, memory: LinearMemory, sharedPtr?: number): number[] {
  const blocks = place.call(this, memory, sharedPtr)
  for (const [{ slot }, bytes] of buffers.get(this) ?? []) {
    slot.ptr += GUARD
    // Plans that share memory write each other's zones.
    if (sharedPtr === undefined) addZones(memory, blocks[0] as number, slot.ptr, bytes)
  }
  return blocks
}

const { run } = Model.prototype as { run: (this: Model, ...given: unknown[]) => unknown }
Model.prototype.run = function (this: Model, ...given: unknown[]): never {
  const result = run.apply(this, given)
  checkGuards(this.runtime.linearMemory, 'a run')
  return result as never
}
