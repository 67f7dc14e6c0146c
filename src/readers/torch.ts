// Entry point of `lstm-wasm/torch`.
import { readTorch as read, type TorchOptions } from '../formats/torch/state-dict.ts'
import type { ArrayLike } from '../values/ndarray.ts'
import { fromAnySource, type SourceReader } from './any-source.ts'

export { torch } from '../formats/torch/reader.ts'
export type { SourceReader, TorchOptions }

/**
 * The state dict in a file of `torch.save`: of `model.state_dict()`, or of a checkpoint that holds one among other things
 * (`{ 'model': {...}, 'epoch': 3 }`). Both kinds of file are read, zip archives and the older one. Nothing in the file is run.
 * Tensors become float32, int32 (all signed integers) or uint8 (bool too), row-major; weights that `quantize_dynamic` packed keep their
 * 8 bits, and their names. Bytes are read at once, without a promise.
 *
 *     await readTorch('checkpoint.pt', { key: 'model', only: (name) => name.startsWith('decoder.') })
 *
 * @throws LstmError `FORMAT` for a broken file; `UNSUPPORTED` for one that asks for more than tensors and plain containers, naming
 *   what it asks for, and for a file with no state dict or several; `VALUE` for an int64 that does not fit int32; `ENVIRONMENT`
 */
export const readTorch: SourceReader<TorchOptions, Map<string, ArrayLike>> = fromAnySource('readTorch', read)
