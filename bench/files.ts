/** The bytes of a file of this repository, where there are files and in browsers. */
export async function readBytes(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  if (url.protocol === 'file:') {
    const { readFile } = await import('node:fs/promises')
    return new Uint8Array(await readFile(url))
  }
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url.href}: ${response.status} ${response.statusText}`)
  return new Uint8Array(await response.arrayBuffer())
}
