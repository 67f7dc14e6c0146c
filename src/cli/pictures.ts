// Pictures in files: PNG (RFC 2083, without interlacing) and PGM, PPM, PBM as numbers of bytes (P5, P6).
import { inflateSync } from 'node:zlib'
import { LstmError } from '../index.ts'

/** Grey or RGBA, row by row. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array
}

const MOST_PIXELS = 2 ** 27
const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
/** Channels by the colour type of a PNG: grey, colours, palette, grey and opacity, colours and opacity. */
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }

function broken(what: string): LstmError {
  return new LstmError('FORMAT', `picture: ${what}`)
}

function checkSizes(width: number, height: number): void {
  if (!(width >= 1 && height >= 1 && width * height <= MOST_PIXELS)) throw broken(`expected 1 to ${MOST_PIXELS} pixels, got ${width} x ${height}`)
}

/** @throws LstmError `FORMAT` for a broken picture, `UNSUPPORTED` for other formats, with the way on */
export function readPicture(bytes: Uint8Array): Picture {
  if (PNG.every((byte, n) => bytes[n] === byte)) return readPng(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
  const kind = Buffer.from(bytes.subarray(0, 2)).toString('latin1')
  if (kind === 'P5' || kind === 'P6') return readPnm(bytes, kind === 'P5' ? 1 : 3)
  throw new LstmError('UNSUPPORTED', 'picture: expected a PNG, PGM (P5) or PPM (P6) file: convert it first, magick IN OUT.png')
}

function readPnm(bytes: Uint8Array, channels: number): Picture {
  const header = /^P[56](?:\s|#[^\n]*\n)+(\d+)(?:\s|#[^\n]*\n)+(\d+)(?:\s|#[^\n]*\n)+(\d+)\s/.exec(Buffer.from(bytes.subarray(0, 4096)).toString('latin1'))
  if (header === null) throw broken('expected a width, a height and the largest value')
  const [width, height, most] = header.slice(1).map(Number) as [number, number, number]
  checkSizes(width, height)
  if (most !== 255) throw new LstmError('UNSUPPORTED', `picture: expected values up to 255, got ${most}`)
  const data = bytes.subarray(header[0].length, header[0].length + width * height * channels)
  if (data.length < width * height * channels) throw broken(`expected ${width * height * channels} bytes of pixels, got ${data.length}: it is cut off`)
  return { width, height, data: channels === 1 ? data : withOpacity(data, channels, width * height) }
}

/** Colours as RGBA. */
function withOpacity(data: Uint8Array, channels: number, pixels: number): Uint8Array {
  const result = new Uint8Array(4 * pixels).fill(255)
  for (let n = 0; n < pixels; n++) {
    for (let channel = 0; channel < 4; channel++) {
      // Of grey and opacity: grey three times.
      const from = channels === 2 ? Number(channel === 3) : channel
      if (from < channels) result[4 * n + channel] = data[n * channels + from] as number
    }
  }
  return result
}

function readPng(bytes: Buffer): Picture {
  const parts: Map<string, Buffer[]> = new Map()
  for (let at = 8; at + 12 <= bytes.length;) {
    const [length, type] = [bytes.readUInt32BE(at), bytes.toString('latin1', at + 4, at + 8)]
    if (at + 12 + length > bytes.length) break
    parts.set(type, [...parts.get(type) ?? [], bytes.subarray(at + 8, at + 8 + length)])
    at += 12 + length
  }
  const header = parts.get('IHDR')?.[0]
  if (header?.length !== 13 || !parts.has('IEND')) throw broken('expected the parts of a PNG file to its end: it is cut off')
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)]
  const [bits, colour, , , interlaced] = [...header.subarray(8)] as [number, number, number, number, number]
  checkSizes(width, height)
  const channels = CHANNELS[colour]
  if (channels === undefined || ![1, 2, 4, 8, 16].includes(bits) || (bits < 8 && channels > 1)) throw broken(`expected a PNG of known colours, got colour type ${colour} of ${bits} bits`)
  if (interlaced !== 0) throw new LstmError('UNSUPPORTED', 'picture: an interlaced PNG: save it without (magick IN.png -interlace none OUT.png)')
  const rowBytes = Math.ceil(width * channels * bits / 8)
  const rows = unfiltered(inflated(Buffer.concat(parts.get('IDAT') ?? []), height * (rowBytes + 1)), height, rowBytes, Math.max(1, channels * bits / 8))
  const samples = samplesOf(rows, width * channels, height, bits, rowBytes)
  if (colour === 3) return { width, height, data: coloured(samples, parts.get('PLTE')?.[0], parts.get('tRNS')?.[0]) }
  // The largest of 1, 2 and 4 bits is white, too.
  const grey = bits < 8 ? samples.map((value) => value * 255 / (2 ** bits - 1)) : samples
  return { width, height, data: channels === 1 ? grey : withOpacity(grey, channels, width * height) }
}

function inflated(bytes: Buffer, size: number): Buffer {
  let data: Buffer
  try {
    data = inflateSync(bytes, { maxOutputLength: size + 1 })
  } catch (cause) {
    throw new LstmError('FORMAT', `picture: the pixels of the PNG are broken: ${String(cause)}`, { cause })
  }
  if (data.length !== size) throw broken(`expected ${size} bytes of pixels, got ${data.length}`)
  return data
}

/** Rows are written as differences from what is left of them and above: a filter in front of each says how. */
function unfiltered(data: Buffer, height: number, rowBytes: number, pixelBytes: number): Uint8Array {
  const rows = new Uint8Array(height * rowBytes)
  for (let y = 0; y < height; y++) {
    const filter = data[y * (rowBytes + 1)] as number
    if (filter > 4) throw broken(`expected filters 0 to 4, got ${filter} in row ${y}`)
    for (let x = 0; x < rowBytes; x++) {
      const at = y * rowBytes + x
      const left = x < pixelBytes ? 0 : rows[at - pixelBytes] as number
      const above = y === 0 ? 0 : rows[at - rowBytes] as number
      const aboveLeft = x < pixelBytes || y === 0 ? 0 : rows[at - rowBytes - pixelBytes] as number
      const guess = [0, left, above, (left + above) >> 1, paeth(left, above, aboveLeft)][filter] as number
      rows[at] = (data[y * (rowBytes + 1) + 1 + x] as number) + guess
    }
  }
  return rows
}

/** Of the three the one nearest to left + above - aboveLeft. */
function paeth(left: number, above: number, aboveLeft: number): number {
  const [a, b, c] = [Math.abs(above - aboveLeft), Math.abs(left - aboveLeft), Math.abs(left + above - 2 * aboveLeft)]
  return a <= b && a <= c ? left : b <= c ? above : aboveLeft
}

/** A byte for each sample: of 16 bits the upper half. */
function samplesOf(rows: Uint8Array, rowSamples: number, height: number, bits: number, rowBytes: number): Uint8Array {
  if (bits === 8) return rows
  const samples = new Uint8Array(rowSamples * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < rowSamples; x++) {
      const byte = rows[y * rowBytes + Math.floor(x * bits / 8)] as number
      samples[y * rowSamples + x] = bits === 16 ? byte : (byte >> (8 - bits - x * bits % 8)) & (2 ** bits - 1)
    }
  }
  return samples
}

function coloured(samples: Uint8Array, palette: Buffer | undefined, opacity: Buffer | undefined): Uint8Array {
  const data = new Uint8Array(4 * samples.length)
  samples.forEach((sample, n) => {
    if (palette === undefined || 3 * sample + 2 >= palette.length) throw broken(`expected the colour ${sample} in the palette`)
    data.set(palette.subarray(3 * sample, 3 * sample + 3), 4 * n)
    data[4 * n + 3] = opacity?.[sample] ?? 255
  })
  return data
}
