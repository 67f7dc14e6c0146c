/** The package's folder: these files are in bench/, or compiled in build/bench/. */
export const ROOT = new URL(import.meta.url.includes('/build/bench/') ? '../../' : '../', import.meta.url)
