import type { Json } from '../json.ts'
import type { CodeFiles } from './program/script.ts'
import type { TensorBuilder } from './tensor-builder.ts'

/** A file's object, whose tensors wait to be built. */
export interface TorchFile {
  readonly object: unknown
  readonly tensors: TensorBuilder
  /** The code of a TorchScript program, by its path. */
  readonly code?: CodeFiles
  /** Tensors that are constants of that code: `CONSTANTS.c0`. */
  readonly constants?: readonly unknown[]
  /** The program of torch.export, whose state dict is the object. */
  readonly exported?: Json
}
