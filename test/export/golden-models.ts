// Every golden model file that loads by itself, and inputs to run it with.
import { compile } from '../../src/model/load.ts'
import type { Model } from '../../src/model/model.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { lengthOf } from '../../src/values/shape.ts'
import { elements, goldenFiles, modelOf } from '../golden-files.ts'

const FOLDERS = [
  'keras3', 'keras2', 'keras-files', 'onnx', 'quantized', 'keras-quantized', 'loops', 'rtneural', 'nam', 'amp', 'pytorch', 'digits', 'tfjs', 'torch-programs', 'torch-quantized',
  'state-dicts',
]

/** Their addresses, with titles. */
export const GOLDEN_FILES: readonly (readonly [label: string, file: URL])[] = goldenFiles(FOLDERS, /^(?!cases).*\.(keras|h5|onnx|json|nam|safetensors|pt|pt2)$/)

/**
 * The model of a file, where weights of 8 bits are the float32 numbers that they stand for: they are written so, and multiplied otherwise here;
 * undefined for a file that is no model by itself.
 */
export async function widenedModelOf(file: URL, runtime: Runtime): Promise<Model | undefined> {
  const model = await modelOf(file, runtime)
  if (model === undefined) return undefined
  const graph = model.toGraph()
  if (![...graph.constants.values()].some((constant) => 'int8' in constant)) return model
  const constants = new Map([...graph.constants].map(([name, { data, shape }]) => [name, new NdArray(data, shape)]))
  model.dispose()
  return compile({ ...graph, constants }, { runtime })
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
