// Makes what the page loads: of each .traineddata file the network, its characters and their codes alone, without dictionaries (English: 0.4 or 1.5 MB
// of 4 or 5). They are .traineddata files still.
// Networks come from the npm packages of examples/ocr/models/package.json, and from Debian's tesseract-ocr-eng and so on where those are installed.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { readTraineddata } from 'lstm-wasm/tesseract'

const MODELS = new URL('models/', import.meta.url)
const PACKAGES = new URL('node_modules/@tesseract.js-data/', MODELS)
const DEBIAN = new URL('file:///usr/share/tesseract-ocr/5/tessdata/')

/** Components of a file: the network, its characters, their codes. */
const KEPT = [17, 21, 22]
const COMPONENTS = 24

const found = [
  ...(await namesIn(DEBIAN)).flatMap((name) => {
    // osd has no network; vertical lines want pictures that were turned.
    const [, code] = /^(\w+)\.traineddata$/.exec(name) ?? []
    return code === undefined || code === 'osd' || code.endsWith('_vert') ? [] : [{ code, kind: 'fast', file: new URL(name, DEBIAN) }]
  }),
  ...(await namesIn(PACKAGES)).map((code) => ({ code, kind: 'best_int', file: new URL(`${code}/4.0.0_best_int/${code}.traineddata.gz`, PACKAGES) })),
]
if (found.length === 0) throw new Error('there is no network: npm ci --prefix examples/ocr/models')

for (const name of await namesIn(MODELS)) if (name.endsWith('.traineddata')) await rm(new URL(name, MODELS))
const models = []
for (const { code, kind, file } of found) {
  const packed = await readFile(file)
  const bytes = trimmed(packed[0] === 0x1f ? gunzipSync(packed) : packed)
  readTraineddata(bytes)
  const name = `${code}-${kind}.traineddata`
  await writeFile(new URL(name, MODELS), bytes)
  models.push({ file: name, code, kind, bytes: bytes.length })
}
// English first, the smaller of two first.
models.sort((a, b) => Number(b.code === 'eng') - Number(a.code === 'eng') || a.code.localeCompare(b.code) || a.bytes - b.bytes)
await writeFile(new URL('models.json', MODELS), JSON.stringify(models, null, 2))
console.log(`${models.length} networks in examples/ocr/models: ${models.map(({ code, kind, bytes }) => `${code} ${kind} ${(bytes / 1e6).toFixed(2)} MB`).join(', ')}`)

/** A file: u32 count, an i64 offset for each component (-1: absent), then the components. */
function trimmed(file) {
  const offsets = Array.from({ length: file.readUInt32LE(0) }, (_, n) => Number(file.readBigInt64LE(4 + 8 * n)))
  const header = Buffer.alloc(4 + 8 * COMPONENTS, 0xff)
  header.writeUInt32LE(COMPONENTS, 0)
  const parts = [header]
  let end = header.length
  for (const n of KEPT) {
    const part = file.subarray(offsets[n], offsets.slice(n + 1).find((offset) => offset >= 0) ?? file.length)
    header.writeBigInt64LE(BigInt(end), 4 + 8 * n)
    parts.push(part)
    end += part.length
  }
  return Buffer.concat(parts)
}

/** Names of files and folders there, none where there is no such folder. */
async function namesIn(folder) {
  return readdir(folder).catch(() => [])
}
