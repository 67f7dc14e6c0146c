// dist/, by tsdown.config.ts, where it is not what it would be already.
import { spawnSync } from 'node:child_process'
import { record } from './up-to-date.mjs'

const { isUpToDate, keep } = record('build/package.sha256', [
  'src/', '.ci/build/', 'tsdown.config.ts', 'tsconfig.json', 'package.json', 'package-lock.json', 'LICENSE', 'build/', 'dist/',
], (file) => /^build\/(?![\w-]+\.wasm$)/.test(file))

if (await isUpToDate()) {
  process.stdout.write('package: up to date\n')
} else {
  const { status } = spawnSync(process.execPath, ['node_modules/tsdown/dist/run.mjs', '--log-level', 'warn'], { stdio: 'inherit' })
  if (status === 0) await keep()
  process.exitCode = status ?? 1
}
