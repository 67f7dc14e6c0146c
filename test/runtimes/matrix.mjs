// The runtimes, where they are found, and what is expected of them.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inChromium, inFirefox, inWebKitPage } from './in-browser.mjs'
import { inProcess } from './in-process.mjs'
import { inWorkerd } from './in-workerd.mjs'
import { MINI_BROWSERS } from './in-webkit.mjs'
import { NODE_MODULES } from './paths.mjs'

const ARM64_NODE = join(NODE_MODULES, '../arm64/node_modules/node24-arm64/bin/node')

export const VARIANTS = ['simd', 'relaxed-simd']

/** A runtime from test/runtimes/node_modules: its version is that of the package. */
function installed(name, executable) {
  const manifest = join(NODE_MODULES, name, 'package.json')
  return {
    paths: [join(NODE_MODULES, name, executable)],
    version: existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).version : undefined,
  }
}

/** A browser from the system: it tells its version when it runs. */
function system(variable, paths) {
  const own = process.env[variable]
  return { paths: own === undefined ? paths : [own] }
}

/** Node 24 with options of V8 that take instructions of the processor away. */
function node24With(name, ...args) {
  return { ...node(24), name, run: (cell) => inProcess({ ...cell, args }) }
}

function node(major) {
  return {
    name: `node${major}`,
    ...installed(`node${major}`, 'bin/node'),
    run: inProcess,
    isItself: ({ node, deno, bun }, version) => node === version && node.startsWith(`${major}.`) && deno === undefined && bun === undefined,
  }
}

/**
 * `isItself` tells from what the engine says of itself whether it is the runtime of the row.
 * `threads`: how many it has where two are asked for. Default 2.
 * `notAccepted` lists variants that the engine must reject; it must run all others.
 */
export const RUNTIMES = [
  { ...node(20), notAccepted: ['relaxed-simd'] },
  node(22),
  node(24),
  node(26),
  node24With('no-fma', '--no-enable-fma3'),
  node24With('no-vnni', '--no-enable-avx-vnni', '--no-enable-avx-vnni-int8'),
  node24With('no-avx', '--no-enable-avx'),
  { ...node24With('no-simd', '--no-enable-sse4-1'), notAccepted: VARIANTS },
  node24With('baseline', '--liftoff-only'),
  node24With('optimized', '--no-liftoff'),
  {
    name: 'arm64',
    ...installed('node24', 'bin/node'),
    paths: ['/usr/bin/qemu-aarch64-static'],
    run: (cell) => inProcess({ ...cell, args: [ARM64_NODE], env: { QEMU_LD_PREFIX: '/usr/aarch64-linux-gnu' } }),
    timeoutSeconds: 600,
    isItself: ({ node: version, arch }, expected) => version === expected && arch === 'arm64',
  },
  {
    name: 'deno',
    ...installed('deno', 'deno'),
    run: (cell) => inProcess({ ...cell, args: ['run', '--no-lock', '--allow-read'] }),
    isItself: ({ deno }, version) => deno === version,
  },
  {
    name: 'bun',
    ...installed('bun', 'bin/bun.exe'),
    run: inProcess,
    isItself: ({ bun }, version) => bun === version,
  },
  {
    name: 'workerd',
    ...installed('workerd', 'bin/workerd'),
    run: inWorkerd,
    threads: 1,
    isItself: ({ userAgent, node }) => userAgent === 'Cloudflare-Workers' && node === undefined,
  },
  {
    name: 'chromium',
    ...system('CHROMIUM_BIN', ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/snap/bin/chromium']),
    run: inChromium,
    isItself: ({ userAgent }, version) => userAgent.includes(`Chrome/${parseInt(version)}.`),
  },
  {
    name: 'firefox',
    ...system('FIREFOX_BIN', ['/usr/bin/firefox-esr', '/usr/bin/firefox', '/snap/bin/firefox']),
    run: inFirefox,
    isItself: ({ userAgent }, version) => userAgent.includes(`Firefox/${parseInt(version)}.`),
  },
  {
    name: 'webkit',
    ...system('WEBKIT_BIN', MINI_BROWSERS),
    run: inWebKitPage,
    // MiniBrowser has no SharedArrayBuffer.
    threads: 1,
    notAccepted: ['relaxed-simd'],
    isItself: ({ userAgent }) => userAgent.includes('AppleWebKit') && !userAgent.includes('Chrome'),
  },
]
