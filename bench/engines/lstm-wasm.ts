// lstm-wasm, through its public API.
import { createLstmWasm, loadLstmWasm } from './own-models.ts'
import type { Engine } from './engine.ts'

export const lstmWasm: Engine = {
  name: 'lstm-wasm',
  variants: ['relaxed-simd', 'simd'],
  settings: 'one thread; steps by model.stream().step, sequences by model.run with `into` of a model made without streams: arrays of the caller in and out',
  packages: [],
  supports: () => true,
  async available(variant) {
    const [{ createRuntime, LstmError }] = await loadLstmWasm()
    await createRuntime({ variant: (variant as 'simd') }).catch((error: unknown) => {
      throw error instanceof LstmError ? new Error(error.message) : error
    })
  },
  create: (prepared, variant) => createLstmWasm(prepared, variant, false),
}
