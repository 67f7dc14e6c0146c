/** Greys of 0 to 255, row by row. */
export interface Grey {
  readonly width: number
  readonly height: number
  readonly data: Float32Array
}

/** The cubic of Catmull and Rom, 0 beyond 2. */
function cubic(x: number): number {
  const t = Math.abs(x)
  if (t >= 2) return 0
  return t < 1 ? (1.5 * t - 2.5) * t * t + 1 : ((-0.5 * t + 2.5) * t - 4) * t + 2
}

/**
 * Lines of a picture at another length, turned: those that were rows are columns. What shrinks is averaged over wider windows, so that
 * nothing falls between; beyond the ends there is nothing.
 */
function turned({ width, height, data }: Grey, length: number): Grey {
  const scale = width / length
  const stretch = Math.max(1, scale)
  const result = new Float32Array(length * height)
  for (let n = 0; n < length; n++) {
    const centre = (n + 0.5) * scale
    const begin = Math.max(0, Math.floor(centre - 2 * stretch))
    const weights = Array.from({ length: Math.min(width, Math.ceil(centre + 2 * stretch)) - begin }, (_, at) => cubic((begin + at + 0.5 - centre) / stretch))
    const sum = weights.reduce((total, weight) => total + weight, 0)
    for (let y = 0; y < height; y++) {
      let value = 0
      for (let at = 0; at < weights.length; at++) value += (weights[at] as number) * (data[y * width + begin + at] as number)
      result[n * height + y] = value / sum
    }
  }
  return { width: height, height: length, data: result }
}

/** The same picture at another size, in whole greys. */
export function resized(picture: Grey, width: number, height: number): Grey {
  const { data } = turned(turned(picture, width), height)
  return { width, height, data: data.map((value) => Math.max(0, Math.min(255, Math.round(value)))) }
}
