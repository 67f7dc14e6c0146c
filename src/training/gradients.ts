// Entry point of `lstm-wasm/gradients`.
import type { GradientFamily } from '../gradients/family.ts'
import { allFamilies } from '../gradients/late/all.ts'
import { addAllOperators } from '../ops/all.ts'
import { editGradients, type EditGradients } from '../runtime/gradients/edits.ts'
import { MAKERS } from './descriptions/all-makers.ts'
import { modelIn, readCheckpoint } from './fitting/checkpoint-reader.ts'
import { initialStateDict } from './initializers.ts'
import type { Makers } from './descriptions/output-losses.ts'

/** What `gradients` is: all that training loads late. */
export interface AllGradients {
  /** Makes the operators of all models known. */
  readonly addOperators: () => void
  /** Gradients of all of them. */
  readonly families: () => GradientFamily
  /** All losses and optimisers. */
  readonly makers: Required<Makers>
  /** First weights by names. */
  readonly initialStateDict: typeof initialStateDict
  /** Makes the binaries for training of other engines, and of threads. */
  readonly editGradients: EditGradients
  /** Reads what `save()` wrote. */
  readonly readCheckpoint: typeof readCheckpoint
  /** The model in it. */
  readonly modelIn: typeof modelIn
}

/**
 * What `createTrainer` and `resumeTrainer` load when a net, its loss or the engine needs it, for places that forbid dynamic imports:
 * `createTrainer(net, { loss, gradients })`.
 */
export const gradients: AllGradients = {
  addOperators: addAllOperators, families: allFamilies, makers: MAKERS, initialStateDict, editGradients, readCheckpoint, modelIn,
}
