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

/** Versions of the library and of the packages installed beside it. */
export async function readPeerVersions(packages) {
  const read = (path) => fetch(path).then((response) => (response.ok ? response.json() : {}), () => ({}))
  const { dependencies = {} } = await read('../../bench/peers/package.json')
  return Object.fromEntries(packages.filter((name) => name in dependencies).map((name) => [name, dependencies[name]]))
}
