import type { Constant } from '../../ops/constant.ts'
import { checkKind } from '../../options.ts'
import type { ArrayLike } from '../../values/ndarray.ts'
import { ARRAY, ARRAYS } from '../given.ts'
import { safetensorsBytes } from './bytes.ts'

/**
 * Writes a safetensors file. Tensors are written in the order given; weights of fewer bits as what they are stored as.
 * @throws LstmError `VALUE` for what are no arrays by name
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, ArrayLike>, metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array<ArrayBuffer> {
  checkKind(tensors, ARRAYS, 'writeSafetensors')
  checkKind(metadata, { ...ARRAYS, expected: 'a Map of texts by name as metadata' }, 'writeSafetensors')
  for (const [name, array] of tensors) if ((array as Constant | undefined)?.parts === undefined) checkKind(array, ARRAY, 'writeSafetensors', name)
  return safetensorsBytes(tensors, metadata)
}
