// A picture of a line as a network takes it: cropped to its ink, scaled to the network's height, black and white where Tesseract has them.
import { LstmError } from '../../errors.ts'
import { describeValue } from '../../values/dtype.ts'
import { NdArray } from '../../values/ndarray.ts'
import { resized, type Grey } from './resize.ts'

/** A picture: `data` has a byte of grey for each pixel, or four of RGBA, row by row, as a canvas gives them. */
export interface LineImage {
  /** Columns of pixels. */
  readonly width: number
  /** Rows of pixels. */
  readonly height: number
  /** Their bytes, 0 for black. */
  readonly data: Uint8Array | Uint8ClampedArray
}

/** How a picture is made ready. */
export interface LineOptions {
  /** Light ink on dark paper. Default: told by which of the two there is less of. */
  readonly inverted?: boolean | undefined
  /** Pixels around the ink, where the picture has them; more of them cost accuracy. Default 4. */
  readonly margin?: number | undefined
}

/** A line as the network takes it. */
export interface PreparedLine {
  /** [1, height, width, 1], float32: -1 is black, 1 is white. */
  readonly pixels: NdArray<'float32'>
  /** Where it was in the picture, in pixels, margins included. */
  readonly box: { readonly left: number, readonly top: number, readonly width: number, readonly height: number }
  /** Whether it was light ink on dark paper, and is turned. */
  readonly inverted: boolean
}

/** Columns of a line that is scaled: that of a whole book page is a tenth. */
export const MOST_COLUMNS = 16384
/** What is narrower is made as wide, so that the network's windows fit: a lone l of 36 rows is wider. */
const LEAST_COLUMNS = 9
/** Pixels of a picture. */
const MOST_PIXELS = 2 ** 27
/** Between ink and paper, in the mean: what differs less is none. */
const LEAST_CONTRAST = 24

/**
 * A line made ready for a network of so many rows; undefined where there is no ink.
 * @throws LstmError `SHAPE` for sizes that do not fit each other, `VALUE` for other things than pictures, and for lines that are too long
 */
export function preparedLine(image: LineImage, height: number, { inverted, margin = 4 }: LineOptions): PreparedLine | undefined {
  const grey = greyOf(image)
  const ink = inkOf(grey, inverted)
  if (ink === undefined) return undefined
  // Paper that were made beyond the picture would not be as light or dark as its ends are.
  const [left, top] = [Math.max(0, ink.left - margin), Math.max(0, ink.top - margin)]
  const box = { left, top, width: Math.min(grey.width, ink.right + margin) - left, height: Math.min(grey.height, ink.bottom + margin) - top }
  const width = Math.max(LEAST_COLUMNS, Math.floor(box.width * height / box.height))
  if (width > MOST_COLUMNS) {
    throw new LstmError('VALUE', `recognizeLine: expected a line of at most ${MOST_COLUMNS} columns when its ink is ${height} rows high, got ${width}: cut it into parts`)
  }
  const crop = { width: box.width, height: box.height, data: new Float32Array(box.width * box.height) }
  for (let y = 0; y < box.height; y++) {
    const begin = (top + y) * grey.width + left
    crop.data.set(grey.data.subarray(begin, begin + box.width), y * box.width)
  }
  if (ink.inverted) crop.data.forEach((value, n) => (crop.data[n] = 255 - value))
  const { data } = resized(crop, width, height)
  return { pixels: new NdArray(leveled(data, width, height), [1, height, width, 1]), box, inverted: ink.inverted }
}

function greyOf({ width, height, data }: LineImage): Grey {
  for (const [name, size] of Object.entries({ width, height })) {
    if (!Number.isInteger(size) || size < 1) throw new LstmError('VALUE', `recognizeLine: expected a whole number >= 1 for the ${name} of the image, got ${describeValue(size)}`)
  }
  if (!(data instanceof Uint8Array || data instanceof Uint8ClampedArray)) throw new LstmError('VALUE', `recognizeLine: expected a Uint8Array of pixels, got ${describeValue(data)}`)
  const pixels = width * height
  if (pixels > MOST_PIXELS) throw new LstmError('VALUE', `recognizeLine: expected at most ${MOST_PIXELS} pixels, got ${width} x ${height}`)
  if (data.length !== pixels && data.length !== 4 * pixels) {
    throw new LstmError('SHAPE', `recognizeLine: expected ${pixels} bytes (grey) or ${4 * pixels} (RGBA) for ${width} x ${height} pixels, got ${data.length}`)
  }
  if (data.length === pixels) return { width, height, data: new Float32Array(data) }
  const grey = new Float32Array(pixels)
  for (let n = 0; n < pixels; n++) {
    const [red, green, blue, opacity] = [data[4 * n], data[4 * n + 1], data[4 * n + 2], data[4 * n + 3]] as [number, number, number, number]
    // ITU-R BT.601; what is transparent shows white paper.
    grey[n] = 255 + (0.299 * red + 0.587 * green + 0.114 * blue - 255) * opacity / 255
  }
  return { width, height, data: grey }
}

interface Ink {
  readonly left: number
  readonly top: number
  /** One beyond the last column and row. */
  readonly right: number
  readonly bottom: number
  readonly inverted: boolean
}

/** Where the ink is: of the two classes that differ most (Otsu), the smaller one. */
function inkOf({ width, height, data }: Grey, given: boolean | undefined): Ink | undefined {
  const { threshold, dark, light, darkShare } = classes(data)
  if (light - dark < LEAST_CONTRAST) return undefined
  const inverted = given ?? darkShare > 0.5
  const isInk = (x: number, y: number): boolean => (
    x >= 0 && y >= 0 && x < width && y < height && ((data[y * width + x] as number) > threshold) === inverted
  )
  let [left, top, right, bottom] = [width, height, 0, 0]
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      // Specks of one pixel are noise.
      if (isInk(x, y) && (isInk(x - 1, y) || isInk(x + 1, y) || isInk(x, y - 1) || isInk(x, y + 1))) {
        left = Math.min(left, x)
        right = Math.max(right, x + 1)
        top = Math.min(top, y)
        bottom = y + 1
      }
    }
  }
  return right === 0 ? undefined : { left, top, right, bottom, inverted }
}

/** The threshold that parts two classes best, and the means of both. */
function classes(data: Float32Array): { readonly threshold: number, readonly dark: number, readonly light: number, readonly darkShare: number } {
  const counts = new Float64Array(256)
  for (const value of data) (counts[Math.round(value)] as number)++
  const total = data.length
  const sum = counts.reduce((all, count, value) => all + count * value, 0)
  let best = { threshold: 0, dark: 0, light: 0, darkShare: 0 }
  let [largest, below, sumBelow] = [-1, 0, 0]
  for (let threshold = 0; threshold < 255; threshold++) {
    below += counts[threshold] as number
    sumBelow += threshold * (counts[threshold] as number)
    if (below === 0 || below === total) continue
    const [dark, light] = [sumBelow / below, (sum - sumBelow) / (total - below)]
    const between = below * (total - below) * (light - dark) ** 2
    if (between > largest) {
      largest = between
      best = { threshold: threshold + 0.5, dark, light, darkShare: below / total }
    }
  }
  return best
}

/**
 * Black and half the way to white as Tesseract estimates them, on the middle row: a quarter of its local minima are darker than black, a
 * quarter of its local maxima lighter than white.
 */
export function levelsOf(data: Float32Array, width: number, height: number): { readonly black: number, readonly contrast: number } {
  const row = data.subarray(Math.floor(height / 2) * width, (Math.floor(height / 2) + 1) * width)
  const minima: number[] = []
  const maxima: number[] = []
  for (let x = 1; x < width - 1; x++) {
    const [before, here, after] = [row[x - 1], row[x], row[x + 1]] as [number, number, number]
    if ((here < before && here <= after) || (here <= before && here < after)) minima.push(here)
    if ((here > before && here >= after) || (here >= before && here > after)) maxima.push(here)
  }
  const black = quantile(minima, 0.25, 0)
  const white = quantile(maxima, 0.75, 255)
  return { black, contrast: white > black ? (white - black) / 2 : 1 }
}

function leveled(data: Float32Array, width: number, height: number): Float32Array {
  const { black, contrast } = levelsOf(data, width, height)
  return data.map((value) => Math.max(-1, Math.min(1, (value - black) / contrast - 1)))
}

/** As Tesseract's histograms have it: whole greys, each as wide as it is frequent. */
function quantile(values: readonly number[], share: number, otherwise: number): number {
  if (values.length === 0) return otherwise
  const counts = new Float64Array(256)
  for (const value of values) (counts[value] as number)++
  const wanted = Math.max(1, share * values.length)
  let [sum, value] = [0, 0]
  while (value < 256 && sum < wanted) sum += counts[value++] as number
  return value - (sum - wanted) / (counts[value - 1] as number)
}
