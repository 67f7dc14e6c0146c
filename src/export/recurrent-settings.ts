import type { BoundFunction } from '../ops/elementwise/functions.ts'
import type { LayerSettings } from '../ops/recurrent/layer-settings.ts'
import type { CellFunctions, LstmSettings } from '../ops/recurrent/settings.ts'

/** The settings of any recurrent operator. */
export type AnySettings = LayerSettings & Partial<Omit<LstmSettings, 'functions'>> & {
  readonly resetAfter?: boolean
  readonly functions: readonly (readonly BoundFunction[] | CellFunctions)[]
}

/** The functions of a direction in order: gates, candidate and output of an LSTM, gates and candidate of a GRU, one of an RNN. */
export function functionsOf(settings: AnySettings, index: number): BoundFunction[] {
  const own = settings.functions[index] as readonly BoundFunction[] | CellFunctions
  return 'gate' in own ? [own.gate, own.candidate, own.output] : [...own]
}
