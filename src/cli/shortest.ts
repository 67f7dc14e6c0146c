/** Digits that tell any float32 apart from its neighbours. */
const MAX_DIGITS = 9

/** The number with the fewest decimal digits that reads back as the same float32: 0.1, not 0.10000000149011612. */
export function shortest(value: number): number {
  for (let digits = 6; digits < MAX_DIGITS; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) return short
  }
  return Number.isFinite(value) ? Number(value.toPrecision(MAX_DIGITS)) : value
}
