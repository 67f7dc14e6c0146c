/**
 * The value below which a share of the samples lie, interpolated between neighbours.
 * @param {ArrayLike<number>} values at least one
 * @param {number} share from 0 to 1
 */
export function quantile(values, share) {
  const sorted = Float64Array.from(values).sort()
  if (sorted.length === 0) throw new RangeError('quantile: expected at least one value, got none')
  const position = share * (sorted.length - 1)
  const below = Math.floor(position)
  const [low, high] = [sorted[below], sorted[Math.min(below + 1, sorted.length - 1)]]
  return low + (high - low) * (position - below)
}

/** @param {ArrayLike<number>} values */
export const median = (values) => quantile(values, 0.5)

/**
 * How far rounds are from one another: (largest - smallest median of a round) / median of these medians.
 * @param {readonly number[]} medians
 */
export function spread(medians) {
  return (Math.max(...medians) - Math.min(...medians)) / median(medians)
}

/**
 * Largest distance from the expected values, relative to the largest of them if that is above 1; Infinity for NaN, or another length.
 * @param {ArrayLike<number>} actual
 * @param {ArrayLike<number>} expected
 */
export function distance(actual, expected) {
  if (actual.length !== expected.length) return Infinity
  let [worst, largest] = [0, 1]
  for (let n = 0; n < expected.length; n++) {
    const error = Math.abs(actual[n] - expected[n])
    if (!(error <= worst)) worst = Number.isNaN(error) ? Infinity : error
    largest = Math.max(largest, Math.abs(expected[n]))
  }
  return worst / largest
}
