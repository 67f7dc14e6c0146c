// Files that tests write are kept where EXPORT_FOLDER says, with inputs and outputs of their models: test/python/check_exports.py runs them.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeSafetensors } from '../../src/formats/safetensors-writer.ts'
import type { NdArray } from '../../src/values/ndarray.ts'

type Arrays = Readonly<Record<string, NdArray>>

const named = (prefix: string, arrays: Arrays): [string, NdArray][] => Object.entries(arrays).map(([name, array]) => [`${prefix}/${name}`, array])

/** @param name of the case, with the ending of the file; slashes become dashes */
export function keepForPython(name: string, bytes: Uint8Array, inputs: Arrays, outputs: Arrays, ending = '.onnx'): void {
  const folder = process.env.EXPORT_FOLDER
  if (folder === undefined) return
  mkdirSync(folder, { recursive: true })
  const stem = join(folder, name.replaceAll('/', '--'))
  writeFileSync(stem + ending, bytes)
  writeFileSync(`${stem}${ending}.arrays`, writeSafetensors(new Map([...named('in', inputs), ...named('out', outputs)])))
}
