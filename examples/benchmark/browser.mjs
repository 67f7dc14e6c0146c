/** The smallest step of the clock, in milliseconds. */
export function clockResolution() {
  let smallest = Infinity
  for (let tries = 0; tries < 20; tries++) {
    const begin = performance.now()
    let now = begin
    while (now === begin) now = performance.now()
    smallest = Math.min(smallest, now - begin)
  }
  return smallest
}

/** Machine and runtime, as far as a browser tells. */
export function describeBrowser() {
  const { userAgent, hardwareConcurrency: cores } = navigator
  const [, name, version] = /(Firefox|Edg|Chrome|Version)\/([\d.]+)/.exec(userAgent) ?? [undefined, 'a browser', '']
  const [, os = 'unknown'] = /\(([^)]*)\)/.exec(userAgent) ?? []
  return {
    machine: { cpu: `${cores} cores`, cores, memoryBytes: 0, os, arch: '', caches: {} },
    runtime: { name: { Edg: 'Edge', Version: 'Safari' }[name] ?? name, version, engine: '' },
  }
}

const PEERS = '../../bench/peers'

/** What other engines may be there, by package: their versions. */
async function peers() {
  const { dependencies = {} } = await fetch(`${PEERS}/package.json`).then((response) => (response.ok ? response.json() : {}), () => ({}))
  return dependencies
}

/** Whether the packages of an engine are where this page comes from: `npm run bench:setup` installs them. */
export async function isInstalled(packages) {
  const dependencies = await peers()
  const isThere = (name) => fetch(`${PEERS}/node_modules/${name}/package.json`, { method: 'HEAD' }).then(({ ok }) => ok, () => false)
  return (await Promise.all(packages.map((name) => name in dependencies && isThere(name)))).every(Boolean)
}

/** Versions of the packages installed beside the library. */
export async function readPeerVersions(packages) {
  const dependencies = await peers()
  return Object.fromEntries(packages.filter((name) => name in dependencies).map((name) => [name, dependencies[name]]))
}
