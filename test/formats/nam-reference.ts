// Neural Amp Modeler's LSTM in float64, from the flat list of weights, sample by sample.

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/** One output a sample; the weights of each layer, its first h and c, then the head. One input, so many units and layers. */
export function referenceNam(weights: readonly number[], units: number, layers: number, samples: Float32Array): number[] {
  let position = 0
  const take = (length: number): readonly number[] => weights.slice(position, position += length)
  const cells = Array.from({ length: layers }, (_, layer) => ({
    width: (layer === 0 ? 1 : units) + units,
    matrix: take(4 * units * ((layer === 0 ? 1 : units) + units)),
    bias: take(4 * units),
    h: [...take(units)],
    c: [...take(units)],
  }))
  const head = take(units)
  const [bias] = take(1) as [number]
  if (position !== weights.length) throw new Error(`expected ${position} weights, got ${weights.length}`)
  return Array.from(samples, (sample) => {
    let x: readonly number[] = [sample]
    for (const cell of cells) {
      const joined = [...x, ...cell.h]
      const sums = cell.bias.map((start, row) => joined.reduce((sum, value, n) => sum + value * (cell.matrix[row * cell.width + n] as number), start))
      const gate = (which: number, unit: number): number => sums[which * units + unit] as number
      for (let unit = 0; unit < units; unit++) {
        const c = sigmoid(gate(1, unit)) * (cell.c[unit] as number) + sigmoid(gate(0, unit)) * Math.tanh(gate(2, unit))
        cell.c[unit] = c
        cell.h[unit] = sigmoid(gate(3, unit)) * Math.tanh(c)
      }
      x = cell.h
    }
    return x.reduce((sum, value, n) => sum + value * (head[n] as number), bias)
  })
}
