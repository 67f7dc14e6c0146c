// A picture of a line as a network takes it: cropped to its ink, scaled to the network's height, black and white where Tesseract has them.
import { LstmError } from '../../errors.ts'
import { checkKind, count, having, type Kind } from '../../options.ts'
import { NdArray } from '../../values/ndarray.ts'
import { tagOf } from '../../values/realm.ts'
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

const PIXELS: Kind = { expected: 'a Uint8Array of pixels', test: (value) => /^Uint8(Clamped)?Array$/.test(tagOf(value)) }

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
  const crop = new Float32Array(box.width * box.height)
  for (let y = 0; y < box.height; y++) {
    const begin = (top + y) * grey.width + left
    crop.set(grey.data.subarray(begin, begin + box.width), y * box.width)
  }
  const { data } = resized({ ...box, data: ink.inverted ? crop.map((value) => 255 - value) : crop }, width, height)
  const { black, contrast } = levelsOf(data, width, height)
  const pixels = data.map((value) => Math.max(-1, Math.min(1, (value - black) / contrast - 1)))
  return { pixels: new NdArray(pixels, [1, height, width, 1]), box, inverted: ink.inverted }
}

function greyOf(image: LineImage): Grey {
  checkKind(image, having('a picture, { width, height, data }'), 'recognizeLine')
  const { width, height, data } = image
  checkKind(width, count(1), 'recognizeLine', 'image.width')
  checkKind(height, count(1), 'recognizeLine', 'image.height')
  checkKind(data, PIXELS, 'recognizeLine', 'image.data')
  const pixels = width * height
  if (pixels > MOST_PIXELS) throw new LstmError('VALUE', `recognizeLine: expected at most ${MOST_PIXELS} pixels, got ${width} x ${height}`)
  if (data.length === pixels) return { width, height, data: new Float32Array(data) }
  if (data.length !== 4 * pixels) {
    throw new LstmError('SHAPE', `recognizeLine: expected ${pixels} bytes (grey) or ${4 * pixels} (RGBA) for ${width} x ${height} pixels, got ${data.length}`)
  }
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

/** Where the ink is: the smaller of the two classes of greys whose means differ most (Otsu). */
function inkOf({ width, height, data }: Grey, given: boolean | undefined): Ink | undefined {
  const counts = new Float64Array(256)
  for (const grey of data) (counts[Math.round(grey)] as number)++
  const sum = counts.reduce((all, count, grey) => all + count * grey, 0)
  let [largest, below, sumBelow, threshold, contrast, inverted] = [-1, 0, 0, 0, 0, false]
  counts.forEach((count, grey) => {
    below += count
    sumBelow += grey * count
    const above = data.length - below
    // Not a number where a class is empty.
    const difference = (sum - sumBelow) / above - sumBelow / below
    const between = below * above * difference ** 2
    if (between > largest) [largest, threshold, contrast, inverted] = [between, grey, difference, given ?? below > above]
  })
  if (contrast < LEAST_CONTRAST) return undefined
  const isInk = (x: number, y: number): boolean => (
    x >= 0 && y >= 0 && x < width && y < height && ((data[y * width + x] as number) > threshold + 0.5) === inverted
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

/**
 * Black and half the way to white as Tesseract estimates them, on the middle row: a quarter of its local minima are darker than black, a
 * quarter of its local maxima lighter than white.
 */
export function levelsOf(data: Float32Array, width: number, height: number): { readonly black: number, readonly contrast: number } {
  const row = data.subarray(Math.floor(height / 2) * width, (Math.floor(height / 2) + 1) * width)
  // Not a number at the ends, which are none.
  const extremes = (sign: number): Float32Array => row.filter((here, x) => {
    const [before, after] = [sign * (here - (row[x - 1] as number)), sign * (here - (row[x + 1] as number))]
    return before >= 0 && after >= 0 && before + after > 0
  })
  const black = quantile(extremes(-1), 0.25, 0)
  const white = quantile(extremes(1), 0.75, 255)
  return { black, contrast: white > black ? (white - black) / 2 : 1 }
}

/** As Tesseract's histograms have it: whole greys, each as wide as it is frequent. */
function quantile(values: Float32Array, share: number, otherwise: number): number {
  if (values.length === 0) return otherwise
  const counts = new Float64Array(256)
  for (const value of values) (counts[value] as number)++
  const wanted = Math.max(1, share * values.length)
  let [sum, value] = [0, 0]
  while (value < 256 && sum < wanted) sum += counts[value++] as number
  return value - (sum - wanted) / (counts[value - 1] as number)
}
