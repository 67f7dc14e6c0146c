/**
 * The value below which a share of the samples lie, interpolated between neighbours.
 * @param values at least one
 * @param share from 0 to 1
 */
export function quantile(values: ArrayLike<number>, share: number) {
  const sorted = Float64Array.from(values).sort()
  if (sorted.length === 0) throw new RangeError('quantile: expected at least one value, got none')
  const position = share * (sorted.length - 1)
  const below = Math.floor(position)
  const [low, high] = [sorted[below], sorted[Math.min(below + 1, sorted.length - 1)]]
  return low + (high - low) * (position - below)
}

export const median = (values: ArrayLike<number>) => quantile(values, 0.5)

/** How far rounds are from one another: (largest - smallest median of a round) / median of these medians. */
export function spread(medians: readonly number[]) {
  return (Math.max(...medians) - Math.min(...medians)) / median(medians)
}

/** Largest distance from the expected values, relative to the largest of them if that is above 1; Infinity for NaN, or another length. */
export function distance(actual: ArrayLike<number>, expected: ArrayLike<number>) {
  if (actual.length !== expected.length) return Infinity
  let [worst, largest] = [0, 1]
  for (let n = 0; n < expected.length; n++) {
    const error = Math.abs(actual[n] - expected[n])
    if (!(error <= worst)) worst = Number.isNaN(error) ? Infinity : error
    largest = Math.max(largest, Math.abs(expected[n]))
  }
  return worst / largest
}
