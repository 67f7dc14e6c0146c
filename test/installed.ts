// The package as a user has it: packed, and installed in a folder of its own without network.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
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

/** Where all is that is packed. */
const FOLDERS = ['.', 'dist', 'dist/commonjs', 'docs', 'docs/playground', 'docs/benchmark', 'examples']

/** Changes when one of those files does. */
function state(): string {
  const hash = createHash('sha256')
  for (const path of FOLDERS.flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(root, folder, name))).sort()) {
    const stat = statSync(path)
    if (stat.isFile()) hash.update(`${path} ${stat.mtimeMs} ${stat.size}\n`)
  }
  return hash.digest('hex').slice(0, 16)
}

/** What `npm pack` packs of the working tree, and the names of the files in it. Kept for the test files that ask next; dist must be built. */
export function packPackage(): { readonly archive: string, readonly files: readonly string[] } {
  const packs = join(root, 'build', 'packed')
  const pack = join(packs, state())
  if (!existsSync(pack)) {
    mkdirSync(packs, { recursive: true })
    for (const name of readdirSync(packs).filter((name) => !name.startsWith('new-'))) rmSync(join(packs, name), { recursive: true, force: true })
    const folder = mkdtempSync(join(packs, 'new-'))
    const { status, stdout, stderr } = spawnSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { cwd: root, encoding: 'utf8', shell: process.platform === 'win32' })
    expect(status, stderr).toBe(0)
    const [{ filename, files }] = JSON.parse(stdout) as [{ filename: string, files: { path: string }[] }]
    renameSync(join(folder, filename), join(folder, 'package.tgz'))
    writeFileSync(join(folder, 'files.json'), JSON.stringify(files.map(({ path }) => path)))
    // Another process may have been faster.
    if (!existsSync(pack)) renameSync(folder, pack)
  }
  return { archive: join(pack, 'package.tgz'), files: JSON.parse(readFileSync(join(pack, 'files.json'), 'utf8')) as string[] }
}

/** `npm install lstm-wasm` in an empty folder. */
export function installPackage(): Installed {
  const { archive } = packPackage()
  const folder = mkdtempSync(join(tmpdir(), 'lstm-wasm-installed-'))
  const modules = join(folder, 'node_modules')
  mkdirSync(modules)
  const unpacked = spawnSync('tar', ['-xzf', archive, '-C', modules], { encoding: 'utf8' })
  expect(unpacked.status, unpacked.stderr).toBe(0)
  renameSync(join(modules, 'package'), join(modules, 'lstm-wasm'))
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
