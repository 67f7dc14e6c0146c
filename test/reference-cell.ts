// One layer, one direction, every option, in float64: what the general LSTM kernel is compared with.

type Numbers = Float32Array | Float64Array | readonly number[]

export interface GeneralCell {
  readonly inputSize: number
  readonly hiddenSize: number
  /** Length of h: hiddenSize, unless it is projected. */
  readonly outputSize: number
  readonly inputWeights: Numbers // (4 hiddenSize, inputSize), gates i, f, g, o
  readonly recurrentWeights: Numbers // (4 hiddenSize, outputSize)
  readonly bias: Numbers // (4 hiddenSize)
  readonly peepholes?: Numbers | undefined // (3 hiddenSize): i, f, o
  readonly projection?: Numbers | undefined // (outputSize, hiddenSize)
  readonly normGain?: Numbers | undefined // (5, hiddenSize): i, f, g, o, c
  readonly normShift?: Numbers | undefined
  readonly normEpsilon: number
  readonly forgetBias: number
  readonly clip: number
  readonly cellClip: number
  readonly projClip: number
  readonly coupling: 'none' | 'forgetIsOneMinusInput' | 'inputIsOneMinusForget'
  /** Functions of a row of units. */
  readonly gate: (row: number[]) => number[]
  readonly candidate: (row: number[]) => number[]
  readonly output: (row: number[]) => number[]
}

const clipped = (row: number[], limit: number): number[] => (limit === 0 ? row : row.map((x) => Math.min(limit, Math.max(-limit, x))))

function normalised(row: number[], cell: GeneralCell, which: number): number[] {
  const { normGain, normShift, hiddenSize, normEpsilon } = cell
  if (normGain === undefined || normShift === undefined) return row
  const mean = row.reduce((sum, x) => sum + x, 0) / hiddenSize
  const variance = row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / hiddenSize
  return row.map((x, n) => {
    const at = which * hiddenSize + n
    return (x - mean) / Math.sqrt(variance + normEpsilon) * (normGain[at] as number) + (normShift[at] as number)
  })
}

/** h and c after one step. */
function generalStep(cell: GeneralCell, x: Numbers, h: number[], c: number[]): { h: number[], c: number[] } {
  const { hiddenSize: units, inputSize, outputSize, peepholes, clip, coupling } = cell
  const at = (values: Numbers, index: number): number => values[index] as number
  const gates = [0, 1, 2, 3].map((gate) => Array.from({ length: units }, (_, unit) => {
    const row = gate * units + unit
    let sum = at(cell.bias, row)
    for (let k = 0; k < inputSize; k++) sum += at(cell.inputWeights, row * inputSize + k) * at(x, k)
    for (let k = 0; k < outputSize; k++) sum += at(cell.recurrentWeights, row * outputSize + k) * at(h, k)
    return sum
  }))
  const [i, beforeBias, g, o] = gates.map((row, which) => normalised(row, cell, which)) as [number[], number[], number[], number[]]
  // TensorFlow adds it after the normalisation, which would take it away.
  const f = beforeBias.map((value) => value + cell.forgetBias)
  const peep = (row: number[], which: number, state: number[]): number[] =>
    (peepholes === undefined ? row : row.map((value, n) => value + at(peepholes, which * units + n) * at(state, n)))
  let input = cell.gate(clipped(peep(i, 0, c), clip))
  let forget = cell.gate(clipped(peep(f, 1, c), clip))
  if (coupling === 'forgetIsOneMinusInput') forget = input.map((value) => 1 - value)
  if (coupling === 'inputIsOneMinusForget') input = forget.map((value) => 1 - value)
  const candidate = cell.candidate(clipped(g, clip))
  const sum = candidate.map((value, n) => at(forget, n) * at(c, n) + at(input, n) * value)
  const nextC = clipped(normalised(sum, cell, 4), cell.cellClip)
  const out = cell.gate(clipped(peep(o, 2, nextC), clip))
  const m = cell.output(nextC).map((value, n) => at(out, n) * value)
  const { projection } = cell
  if (projection === undefined) return { h: m, c: nextC }
  const projected = Array.from({ length: outputSize }, (_, row) =>
    m.reduce((total, value, n) => total + at(projection, row * units + n) * value, 0))
  return { h: clipped(projected, cell.projClip), c: nextC }
}

/**
 * One sequence [timesteps, inputSize] whose every step begins from the state of `delay` steps before, zeros before the first;
 * between steps, a mixture of the two. Outputs are what the next step begins from.
 */
export function delayedSequence(cell: GeneralCell, x: Numbers, timesteps: number, delay: number, reverse: boolean): number[] {
  const made: { h: number[], c: number[] }[] = []
  const none = { h: Array.from({ length: cell.outputSize }, () => 0), c: Array.from({ length: cell.hiddenSize }, () => 0) }
  const stateAt = (time: number): { h: number[], c: number[] } => {
    const [earlier, later] = [made[Math.floor(time)] ?? none, made[Math.ceil(time)] ?? none]
    const part = time - Math.floor(time)
    const mix = (a: number[], b: number[]): number[] => a.map((value, n) => value * (1 - part) + (b[n] as number) * part)
    return { h: mix(earlier.h, later.h), c: mix(earlier.c, later.c) }
  }
  const y: number[][] = []
  for (let n = 0; n < timesteps; n++) {
    const t = reverse ? timesteps - 1 - n : n
    const { h, c } = stateAt(n - delay)
    made.push(generalStep(cell, Array.from(x).slice(t * cell.inputSize, (t + 1) * cell.inputSize), h, c))
    y[t] = stateAt(n + 1 - delay).h
  }
  return y.flat()
}

export type MaskRule = 'zero' | 'hold' | 'multiply'

/** One step: h and c from x, h and c; c is empty where a cell has none. */
export type Step = (x: Numbers, h: number[], c: number[]) => { h: number[], c: number[] }

/** Lengths of x, h and c. */
export interface Sizes {
  readonly inputSize: number
  readonly outputSize: number
  readonly cellSize: number
}

interface SequenceOptions {
  readonly reverse: boolean
  readonly mask: readonly number[] | undefined
  readonly rule: MaskRule
  readonly h0: Numbers | undefined
  readonly c0?: Numbers | undefined
}

/** A whole sequence [batch, timesteps, inputSize] with a mask [batch, timesteps]; outputs in the order of the input. */
export function maskedSequence(
  step: Step, { inputSize, outputSize, cellSize }: Sizes, x: Numbers, batch: number, timesteps: number, options: SequenceOptions,
): { y: number[], last: number[], h: number[], c: number[] } {
  const y: number[] = Array.from({ length: batch * timesteps * outputSize }, () => NaN)
  const [finalH, finalC, finalLast]: [number[], number[], number[]] = [[], [], []]
  for (let b = 0; b < batch; b++) {
    const initial = (state: Numbers | undefined, size: number): number[] =>
      Array.from({ length: size }, (_, n) => state?.[b * size + n] ?? 0)
    let h = initial(options.h0, outputSize)
    let c = initial(options.c0, cellSize)
    let held = options.rule === 'multiply' ? h : h.map(() => 0)
    for (let n = 0; n < timesteps; n++) {
      const t = options.reverse ? timesteps - 1 - n : n
      const begin = (b * timesteps + t) * inputSize
      const valid = options.mask?.[b * timesteps + t] !== 0
      if (valid) {
        ({ h, c } = step(Array.from(x).slice(begin, begin + inputSize), h, c))
        held = h
      } else if (options.rule === 'zero') held = h.map(() => 0)
      for (const [k, value] of held.entries()) y[(b * timesteps + t) * outputSize + k] = value
    }
    finalH.push(...h)
    finalC.push(...c)
    finalLast.push(...(options.rule === 'zero' ? h : held))
  }
  return { y, last: finalLast, h: finalH, c: finalC }
}

/** The same of an LSTM cell. */
export function generalSequence(
  cell: GeneralCell, x: Numbers, batch: number, timesteps: number, options: SequenceOptions,
): { y: number[], last: number[], h: number[], c: number[] } {
  return maskedSequence((row, h, c) => generalStep(cell, row, h, c), { ...cell, cellSize: cell.hiddenSize }, x, batch, timesteps, options)
}
