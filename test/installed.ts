// The package as a user has it: packed, and installed in a folder of its own without network.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

interface Installed {
  /** A folder with node_modules/lstm-wasm in it. */
  readonly folder: string
  /** Runs Node there. */
  node(...args: readonly string[]): { readonly status: number | null, readonly stdout: string, readonly stderr: string }
  remove(): void
}

/** `npm install lstm-wasm` in an empty folder, of what `npm pack` packs of the working tree; dist must be built. */
export function installPackage(): Installed {
  const folder = mkdtempSync(join(tmpdir(), 'lstm-wasm-installed-'))
  const shell = process.platform === 'win32'
  const packed = spawnSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { cwd: root, encoding: 'utf8', shell })
  expect(packed.status, packed.stderr).toBe(0)
  const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }]
  const modules = join(folder, 'node_modules')
  mkdirSync(modules)
  const unpacked = spawnSync('tar', ['-xzf', join(folder, filename), '-C', modules], { encoding: 'utf8' })
  expect(unpacked.status, unpacked.stderr).toBe(0)
  renameSync(join(modules, 'package'), join(modules, 'lstm-wasm'))
  rmSync(join(folder, filename))
  const { dependencies = {} } = JSON.parse(readFileSync(join(modules, 'lstm-wasm', 'package.json'), 'utf8')) as { dependencies?: Record<string, string> }
  for (const name of Object.keys(dependencies)) cpSync(join(root, 'node_modules', name), join(modules, name), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n')
  return {
    folder,
    node(...args) {
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
      return { status, stdout, stderr }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
