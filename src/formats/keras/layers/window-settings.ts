// Settings of layers whose windows slide over one axis or two.
import type { LayerSpec } from '../config.ts'
import type { LayerKind } from '../layer-call.ts'
import type { Settings } from '../settings.ts'

/** The family of operators that they take. */
export const WINDOWS: NonNullable<LayerKind['families']> = () => ['windows']

/** Over how many axes: `Conv1D`, `MaxPooling2D`. */
export function axesOf({ className }: Pick<LayerSpec, 'className'>): number {
  return Number(/\dD/.exec(className)?.[0][0])
}

/** Whether the features are the last axis. Other orders than two are refused by `formatProblems`. */
export function isChannelsLast(settings: Settings): boolean {
  return !/first$/i.test(settings.text('data_format', 'channels_last'))
}

export function formatProblems({ settings }: { readonly settings: Settings }): string[] {
  const format = settings.json('data_format') ?? 'channels_last'
  return typeof format === 'string' && /^channels_?(last|first)$/i.test(format) ? [] : [`data_format ${JSON.stringify(format)}`]
}

/** The axes that windows slide over, of a value with so many of them, a batch and features. */
export function windowAxes(settings: Settings, axes: number): number[] {
  return Array.from({ length: axes }, (_, axis) => axis + (isChannelsLast(settings) ? 1 : 2))
}

/** A whole number >= `least` for each axis: a single one is for all. */
export function perAxis(settings: Settings, key: string, axes: number, otherwise: readonly number[], least = 1): number[] {
  const given = settings.integers(key, otherwise)
  const list = given.length === 1 ? Array.from({ length: axes }, () => given[0] as number) : [...given]
  if (list.length !== axes || list.some((value) => value < least)) throw settings.wrong(key, `${axes === 1 ? 'a whole number' : `${axes} whole numbers`} >= ${least}`, settings.json(key))
  return list
}
