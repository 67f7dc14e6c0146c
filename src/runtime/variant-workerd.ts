// In the place of variant.ts for the condition `workerd` (Cloudflare Workers): see .ci/build/editions.ts.
import relaxedSimd from './relaxed-simd.wasm'
import simd from './simd.wasm'
import { pickImported, type Compiled } from './imported.ts'
import type { Variant } from './kernels.ts'

/** @throws LstmError see `pickImported` */
export async function compileBinary(wanted: Variant | 'auto'): Promise<Compiled> {
  return pickImported(wanted, { 'relaxed-simd': relaxedSimd, simd })
}
