// NumPy's .npz: a zip archive of .npy files, one for each array. numpy.savez and numpy.savez_compressed.
import { LstmError } from '../errors.ts'
import type { NdArray } from '../values/ndarray.ts'
import { Budget } from './budget.ts'
import { readNpy } from './npy.ts'
import { STATE_DICT_NAME } from './sniff.ts'
import { isZip, ZipArchive } from './zip/zip.ts'

/**
 * Reads the arrays of a .npz file, by name; see `readNpy` for their element types.
 * @throws LstmError `FORMAT` for bytes that are no such file, `UNSUPPORTED` for other element types, `VALUE` for an
 *   int64 that does not fit int32
 */
export function readNpz(bytes: Uint8Array): Map<string, NdArray> {
  return readNpzWithin(bytes, new Budget(bytes.length))
}

/**
 * Whether the arrays are a PyTorch state dict by their names: weights of modules, which TensorFlow calls kernels or weights of a scope.
 * Never throws.
 */
export function isNpzStateDict(bytes: Uint8Array): boolean {
  if (!isZip(bytes)) return false
  try {
    const { names } = new ZipArchive(bytes, 'npz')
    return names.every((name) => name.endsWith('.npy')) && names.some((name) => STATE_DICT_NAME.test(`.${name}`))
  } catch {
    return false
  }
}

/** The same, as a part of a load. */
export function readNpzWithin(bytes: Uint8Array, budget: Budget): Map<string, NdArray> {
  const archive = new ZipArchive(bytes, 'npz', { budget })
  const arrays: Map<string, NdArray> = new Map()
  for (const file of archive.names) {
    if (!file.endsWith('.npy')) throw new LstmError('FORMAT', `npz: expected .npy files in the archive, got ${JSON.stringify(file)}`)
    const name = file.slice(0, -'.npy'.length)
    const content = archive.read(file)
    // Several names may stand for the same bytes, which are converted each time.
    budget.copy(content.length, 2 * content.length, `npz: array ${JSON.stringify(name)}`)
    try {
      arrays.set(name, readNpy(content))
    } catch (error) {
      if (!(error instanceof LstmError)) throw error
      throw new LstmError(error.code, `npz: array ${JSON.stringify(name)}: ${error.message}`, { cause: error })
    }
  }
  return arrays
}
