// Files that tests write are kept where EXPORT_FOLDER says, with inputs and outputs of their models: test/python/check_exports.py runs them.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeSafetensors } from '../../src/formats/safetensors/writer.ts'
import type { Model } from '../../src/model/model.ts'
import type { NdArray } from '../../src/values/ndarray.ts'

type Arrays = Readonly<Record<string, NdArray>>

const named = (prefix: string, names: readonly { readonly name: string }[], arrays: Arrays): [string, NdArray][] => (
  names.map(({ name }) => [`${prefix}/${name}`, arrays[name] as NdArray])
)

/** A file for Python, in which inputs and outputs are in the order of the model's. */
interface Kept {
  readonly model: Pick<Model, 'inputs' | 'outputs'>
  readonly inputs: Arrays
  readonly outputs: Arrays
  /** Of the file. */
  readonly ending: string
  /** Tensors in a file beside it. */
  readonly tensors?: ReadonlyMap<string, NdArray>
}

/** @param name of the case; slashes become dashes */
export function keepForPython(name: string, bytes: Uint8Array, { model, inputs, outputs, ending, tensors }: Kept): void {
  const folder = process.env.EXPORT_FOLDER
  if (folder === undefined) return
  mkdirSync(folder, { recursive: true })
  const stem = join(folder, name.replaceAll('/', '--'))
  writeFileSync(stem + ending, bytes)
  writeFileSync(`${stem}${ending}.arrays`, writeSafetensors(new Map([...named('in', model.inputs, inputs), ...named('out', model.outputs, outputs)])))
  if (tensors !== undefined) writeFileSync(`${stem}${ending}.tensors`, writeSafetensors(tensors))
}
