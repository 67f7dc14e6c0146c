// Where the figures come from: machine, runtime and versions, for the results. Node, Deno and Bun.
import { readFile } from 'node:fs/promises'
import os from 'node:os'
import { ROOT } from './places.ts'

/** Where the system does not tell: the size that most processors of servers and laptops have, or less than theirs. */
const USUAL_L2 = 1024 * 1024

/** `1024K` -> 1048576 */
const bytesOf = (text: string) => Number.parseInt(text, 10) * (text.includes('M') ? 1024 * 1024 : 1024)

/** @returns bytes of the data caches of one core, by level; empty where the system does not tell */
async function readCaches(): Promise<Record<string, number>> {
  const caches = {} as Record<string, number>
  for (let index = 0; index < 5; index++) {
    const read = (name: string) => (
      readFile(`/sys/devices/system/cpu/cpu0/cache/index${index}/${name}`, 'utf8').then((text) => text.trim(), () => '')
    )
    const [level, type, size] = await Promise.all(['level', 'type', 'size'].map(read))
    if (level !== '' && size && type !== 'Instruction') caches[`l${level}Bytes`] = bytesOf(size)
  }
  return caches
}

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryBytes: number
  readonly os: string
  readonly arch: string
  /** Bytes of the data caches of one core, by level: `l2Bytes`. */
  readonly caches: Record<string, number>
}

export async function describeMachine(): Promise<Machine> {
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

export const l2BytesOf = ({ caches }: { caches: Record<string, number> }) => caches.l2Bytes ?? USUAL_L2

export function describeRuntime(): { name: string, version: string, engine: string } {
  const { Bun, Deno } = globalThis as any
  if (Bun !== undefined) return { name: 'bun', version: Bun.version, engine: 'JavaScriptCore' }
  if (Deno !== undefined) return { name: 'deno', version: Deno.version.deno, engine: `V8 ${Deno.version.v8.split('-')[0]}` }
  return { name: 'node', version: process.versions.node, engine: `V8 ${process.versions.v8.split('-')[0]}` }
}

/** Versions of the library and of the packages that the engines run. */
export async function readVersions(packages: readonly string[]): Promise<Record<string, string>> {
  const version = async (path: string) => JSON.parse(await readFile(new URL(path, ROOT), 'utf8')).version
  const versions = { 'lstm-wasm': await version('package.json') } as Record<string, string>
  for (const name of packages) {
    const found = await version(`bench/peers/node_modules/${name}/package.json`).catch(() => undefined)
    if (found !== undefined) versions[name] = found
  }
  return versions
}
