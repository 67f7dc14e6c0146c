// Reader of the TensorFlow 1 format: variables in a checkpoint, a .npz file, or files of raw elements.
import { LstmError } from '../../errors.ts'
import type { Graph } from '../../graph/graph.ts'
import { addCommonOperators } from '../../ops/common-operators.ts'
import { readOptions } from '../../options.ts'
import type { Budget } from '../budget.ts'
import { onlyBytes, type FormatReader, type ModelFiles, type Tensorflow1Options } from '../reader.ts'
import { sourceOf } from '../state-dicts/quote.ts'
import { optionsOf, takingOptions } from '../taking-options.ts'
import { isNpzStateDict } from '../npz.ts'
import { isZip, ZipArchive } from '../zip/zip.ts'
import { findCells } from './cells.ts'
import { graphOfStack } from './graph.ts'
import { cannotGuess, type VariablesSource } from './loading-lines.ts'
import { stackOf } from './stack.ts'
import { checkCells } from './options.ts'
import { isTable } from './table.ts'
import { readVariables } from './variables.ts'

export type { Tensorflow1CellOptions, Tensorflow1Options } from '../reader.ts'
export { tensorflow1StateDict, type Tensorflow1StateDictOptions } from './state-dict.ts'
export { readTensorflow1Variables } from './variables.ts'

const OPTIONS = ['forgetBias', 'activation', 'cellClip', 'projClip', 'cells', 'residual', 'timeMajor', 'sequenceLength'] as const

/**
 * The graph of variables that are one stack of cells; see `graphOfStack` for its inputs and outputs. Cells are told
 * by the names of their variables: BasicLSTMCell, LSTMCell (peepholes, projection), LSTMBlockCell, CudnnCompatibleLSTMCell,
 * LayerNormBasicLSTMCell, CoupledInputForgetGateLSTMCell, GRUCell, GRUBlockCell, CudnnCompatibleGRUCell, BasicRNNCell, and
 * MultiRNNCell and bidirectional_dynamic_rnn around them.
 * The arguments of cells are not in the files: options say them, defaults are TensorFlow's, a forget bias of 1 among them.
 *
 * @throws LstmError `FORMAT` for broken files, `UNSUPPORTED` for variables that are anything else (the message lists them
 *   and shows the lines that would load them), `VALUE` for options that are not accepted
 */
export async function readTensorflow1(source: ModelFiles | Uint8Array, options: Tensorflow1Options = {}): Promise<Graph> {
  return readWithin(source, options)
}

async function readWithin(source: ModelFiles | Uint8Array, options: Tensorflow1Options, budget?: Budget): Promise<Graph> {
  const read = checkCells(readOptions(options, optionsOf(...OPTIONS), 'TensorFlow 1'))
  const variables = await readVariables(source, budget)
  checkVersion(variables)
  const found = findCells(variables)
  const stack = found.others.length === 0 ? stackOf(found.cells) : undefined
  if (stack === undefined) throw cannotGuess(variables, found, sourceOfLines(source, options))
  addCommonOperators()
  return graphOfStack(stack, read)
}

/** TensorFlow 2 names variables by the way to them through the program's objects. */
function checkVersion(variables: ReadonlyMap<string, unknown>): void {
  if (![...variables.keys()].some((name) => name.endsWith('/.ATTRIBUTES/VARIABLE_VALUE'))) return
  throw new LstmError('UNSUPPORTED', "this is a checkpoint of TensorFlow 2 (tf.train.Checkpoint, save_weights), whose layers only its program knows; load it into the model and save that whole, in Python: model.load_weights('ckpt'); model.save('model.keras')")
}

function sourceOfLines(source: ModelFiles | Uint8Array, { forgetBias }: Tensorflow1Options): VariablesSource {
  const { bytes, location } = source instanceof Uint8Array ? onlyBytes(source) : source
  return {
    imports: "import { readTensorflow1Variables, tensorflow1StateDict } from 'lstm-wasm/tensorflow1'",
    variables: `await readTensorflow1Variables(${sourceOf(location)})`,
    forgetBias,
    // A checkpoint has its variables by name.
    inOrder: !isTable(bytes),
  }
}

/** Checkpoints of TensorFlow 1, as a part of `readers` for `load`. */
export const tensorflow1: FormatReader = takingOptions({
  name: 'TensorFlow 1',
  options: OPTIONS,
  detect: (bytes) => isTable(bytes) || isNpz(bytes) || isManifest(bytes),
  read: readWithin,
})

function isNpz(bytes: Uint8Array): boolean {
  if (!isZip(bytes) || isNpzStateDict(bytes)) return false
  try {
    const names = new ZipArchive(bytes, 'npz').names
    return names.length > 0 && names.every((name) => name.endsWith('.npy'))
  } catch {
    return false
  }
}

/** The first entry of a manifest says a filename. */
function isManifest(bytes: Uint8Array): boolean {
  const begin = new TextDecoder('latin1').decode(bytes.subarray(0, 4096))
  return /^\s*\{\s*"[^"]*"\s*:\s*\{[^{}]*"filename"\s*:/.test(begin)
}
