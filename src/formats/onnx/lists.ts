// Lists of tensors (ONNX: sequences). None of them is there when a model runs: what is in one is known when the graph is read.
import type { Conversion } from './conversion.ts'
import type { Surroundings, TensorList } from './surroundings.ts'

/** Stands for a list as a name among those of values. */
export function addList(importer: Surroundings, name: string, list: TensorList): string {
  const value = importer.nodeName(name)
  importer.lists.set(value, list)
  return value
}

/** Operators whose inputs may be lists; those of graphs inside them are looked at there. */
export const TAKES_LISTS: ReadonlySet<string> = new Set([
  'Identity', 'If', 'Loop', 'ConcatFromSequence', 'SequenceAt', 'SequenceErase', 'SequenceInsert', 'SequenceLength',
])

/** @throws LstmError `UNSUPPORTED` for lists among values that must be tensors */
export function refuseLists(c: Conversion, values: readonly unknown[], what: string): void {
  if (values.some((value) => typeof value === 'string' && c.importer.lists.has(value))) throw c.unsupported(`${what} that is a list of tensors ${WITHOUT_LISTS}`)
}

/** The way on. */
export const WITHOUT_LISTS: string = '(join its tensors in the model, by torch.stack or torch.cat; torch.onnx.export(..., dynamo=True) writes no lists)'
