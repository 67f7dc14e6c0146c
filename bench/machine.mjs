// Where the figures come from: machine, runtime and versions, for the results. Node, Deno and Bun.
import { readFile } from 'node:fs/promises'
import os from 'node:os'

/** Where the system does not tell: the size that most processors of servers and laptops have, or less than theirs. */
const USUAL_L2 = 1024 * 1024

/** `1024K` -> 1048576 */
const bytesOf = (/** @type {string} */ text) => Number.parseInt(text, 10) * (text.includes('M') ? 1024 * 1024 : 1024)

/** @returns {Promise<Record<string, number>>} bytes of the data caches of one core, by level; empty where the system does not tell */
async function readCaches() {
  const caches = /** @type {Record<string, number>} */ ({})
  for (let index = 0; index < 5; index++) {
    const read = (/** @type {string} */ name) => (
      readFile(`/sys/devices/system/cpu/cpu0/cache/index${index}/${name}`, 'utf8').then((text) => text.trim(), () => '')
    )
    const [level, type, size] = await Promise.all(['level', 'type', 'size'].map(read))
    if (level !== '' && size && type !== 'Instruction') caches[`l${level}Bytes`] = bytesOf(size)
  }
  return caches
}

/** @returns {Promise<{ cpu: string, cores: number, memoryBytes: number, os: string, arch: string, caches: Record<string, number> }>} */
export async function describeMachine() {
  const [cpu] = os.cpus()
  return {
    cpu: cpu?.model.trim() ?? 'unknown',
    cores: os.cpus().length,
    memoryBytes: os.totalmem(),
    os: `${os.type()} ${os.release()}`,
    arch: os.arch(),
    caches: await readCaches(),
  }
}

/** @param {{ caches: Record<string, number> }} machine */
export const l2BytesOf = ({ caches }) => caches['l2Bytes'] ?? USUAL_L2

/** @returns {{ name: string, version: string, engine: string }} */
export function describeRuntime() {
  const { Bun, Deno } = /** @type {any} */ (globalThis)
  if (Bun !== undefined) return { name: 'bun', version: Bun.version, engine: 'JavaScriptCore' }
  if (Deno !== undefined) return { name: 'deno', version: Deno.version.deno, engine: `V8 ${Deno.version.v8.split('-')[0]}` }
  return { name: 'node', version: process.versions.node, engine: `V8 ${process.versions.v8.split('-')[0]}` }
}

/**
 * Versions of the library and of the packages that the engines run.
 * @param {readonly string[]} packages
 * @returns {Promise<Record<string, string>>}
 */
export async function readVersions(packages) {
  const version = async (/** @type {string} */ path) => JSON.parse(await readFile(new URL(path, import.meta.url), 'utf8')).version
  const versions = /** @type {Record<string, string>} */ ({ 'lstm-wasm': await version('../package.json') })
  for (const name of packages) {
    const found = await version(`peers/node_modules/${name}/package.json`).catch(() => undefined)
    if (found !== undefined) versions[name] = found
  }
  return versions
}
