// NumPy's .npz: a zip archive of .npy files, one for each array.
import { LstmError } from '../errors.ts'
import { ARRAYS } from '../formats/given.ts'
import { writeNpy } from '../formats/npy.ts'
import { checkKind } from '../options.ts'
import type { ArrayLike } from '../values/ndarray.ts'
import { writeZip } from './zip.ts'

/**
 * Writes arrays as a `.npz` file, which `numpy.load` reads: by their names, in their order.
 * @throws LstmError `VALUE` for a name that is empty
 */
export function writeNpz(arrays: ReadonlyMap<string, ArrayLike>): Uint8Array<ArrayBuffer> {
  checkKind(arrays, ARRAYS, 'writeNpz')
  if (arrays.has('')) throw new LstmError('VALUE', 'npz: expected arrays with names, got one without')
  return writeZip([...arrays].map(([name, array]) => [`${name}.npy`, writeNpy(array)]))
}
