// Golden model files: models that load by themselves, of every format, and elements to run them with.
import { readdirSync } from 'node:fs'
import { LstmError } from '../src/errors.ts'
import { load } from '../src/model/load.ts'
import type { Model } from '../src/model/model.ts'
import type { Runtime } from '../src/runtime/runtime.ts'
import { createData, type DataOf } from '../src/values/dtype.ts'
import type { NdArray } from '../src/values/ndarray.ts'
import { pseudoRandom } from './random.ts'

/** Files of folders of test/golden/ whose names end so; for titles, with the last parts of their addresses. */
export function goldenFiles(folders: readonly string[], names: RegExp): (readonly [label: string, file: URL])[] {
  return folders.map((name) => new URL(`golden/${name}/`, import.meta.url)).flatMap((folder) => {
    try {
      return readdirSync(folder).filter((name) => names.test(name)).map((name) => new URL(name, folder))
    } catch {
      return []
    }
  }).map((file) => [file.pathname.split('/').slice(-2).join('/'), file] as const)
}

/** The model of a file; undefined for one that is no model by itself: weights, or data. */
export async function modelOf(file: URL, runtime: Runtime): Promise<Model | undefined> {
  try {
    return await load(file, { runtime })
  } catch (error) {
    if (error instanceof LstmError) return undefined
    throw error
  }
}

/** Small whole numbers: they are indices too, and what masks look for is among them. */
export function elements(dtype: NdArray['dtype'], length: number, seed: number): DataOf {
  const values = pseudoRandom(seed, length, 1)
  return dtype === 'float32' ? values : createData(dtype, length).map((_, n) => Math.floor(((values[n] as number) + 1) * 1.5))
}
