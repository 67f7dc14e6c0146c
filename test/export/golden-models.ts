// Every golden model file that loads by itself, and inputs to run it with.
import { readdirSync } from 'node:fs'
import { compile } from '../../src/model/load.ts'
import type { Model } from '../../src/model/model.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { createData, type DataOf } from '../../src/values/dtype.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { lengthOf } from '../../src/values/shape.ts'
import { pseudoRandom } from '../random.ts'

const FOLDERS = [
  'keras3', 'keras2', 'keras-files', 'onnx', 'quantized', 'keras-quantized', 'loops', 'rtneural', 'nam', 'amp', 'pytorch', 'digits', 'tfjs', 'torch-programs', 'torch-quantized',
  'state-dicts',
]

/** Their addresses. */
export const GOLDEN_FILES: readonly URL[] = FOLDERS.map((name) => new URL(`../golden/${name}/`, import.meta.url)).flatMap((folder) => {
  try {
    return readdirSync(folder).filter((name) => /\.(keras|h5|onnx|json|nam|safetensors|pt|pt2)$/.test(name) && !name.startsWith('cases')).map((name) => new URL(name, folder))
  } catch {
    return []
  }
})

/** The same model, where weights of 8 bits are the float32 numbers that they stand for: they are written so, and multiplied otherwise here. */
export async function widened(model: Model, runtime: Runtime): Promise<Model> {
  const graph = model.toGraph()
  if (![...graph.constants.values()].some((constant) => 'int8' in constant)) return model
  const constants = new Map([...graph.constants].map(([name, { data, shape }]) => [name, new NdArray(data, shape)]))
  model.dispose()
  return compile({ ...graph, constants }, { runtime })
}

/** Small whole numbers: they are indices too, and what masks look for is among them. */
function elements(dtype: NdArray['dtype'], length: number, seed: number): DataOf {
  const values = pseudoRandom(seed, length, 1)
  return dtype === 'float32' ? values : createData(dtype, length).map((_, n) => Math.floor(((values[n] as number) + 1) * 1.5))
}

/** Inputs of a model, where sizes that have a name are small and differ from each other; lengths are no longer than any of them. */
export function inputsOf(model: Pick<Model, 'inputs'>): Record<string, NdArray> {
  const sizes: Map<string, number> = new Map()
  return Object.fromEntries(model.inputs.map(({ name, dtype, shape }, n) => {
    const numbers = shape.map((size) => {
      if (typeof size === 'number') return size
      if (!sizes.has(size)) sizes.set(size, size === 'batch' ? 2 : 5 + sizes.size)
      return sizes.get(size) as number
    })
    return [name, new NdArray(elements(dtype, lengthOf(numbers), n + 1), numbers)]
  }))
}
