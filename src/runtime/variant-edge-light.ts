// In the place of variant.ts for the condition `edge-light` (Vercel, Next.js): see .ci/build/editions.ts. One binary, which every
// engine takes: a module that is rejected when it is imported takes the whole route with it.
import simd from './simd.wasm?module'
import { pickImported, type Compiled } from './imported.ts'
import type { Variant } from './kernels.ts'

/** @throws LstmError see `pickImported` */
export async function compileBinary(wanted: Variant | 'auto'): Promise<Compiled> {
  return pickImported(wanted, { simd })
}
