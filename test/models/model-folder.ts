// Real models, made by others, are not part of the project: tests run where their folder lies beside it.
import { existsSync, readFileSync } from 'node:fs'
import { it } from 'vitest'

const folder = new URL('../../../shared/models/', import.meta.url)

export interface ModelFolder {
  readonly read: (file: string) => Buffer
  readonly json: (file: string) => unknown
}

/** A test of the models in a folder of ../shared/models; skipped, and the title says why, where it is not there. */
export function itWithModels(name: string, title: string, run: (models: ModelFolder) => unknown): void {
  if (!existsSync(new URL(`${name}/`, folder))) {
    it.skip(`${title}: not run, ../shared/models/${name} was not found`)
    return
  }
  const read = (file: string): Buffer => readFileSync(new URL(`${name}/${file}`, folder))
  it(title, () => run({ read, json: (file) => JSON.parse(read(file).toString('utf8')) as unknown }))
}

/** The largest difference of elements; NaN where one is NaN or the numbers of elements differ. */
export function distance(actual: ArrayLike<number> | undefined, expected: ArrayLike<number>): number {
  if (actual?.length !== expected.length) return NaN
  let largest = 0
  for (let n = 0; n < expected.length; n++) {
    const apart = Math.abs((actual[n] as number) - (expected[n] as number))
    if (!(apart <= largest)) largest = apart
  }
  return largest
}
