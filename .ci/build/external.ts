// Imports that stay imports.

/** Binaries are imported as modules where a platform forbids compiling. */
export const binaries = {
  name: 'binaries',
  resolveId: (id: string): { id: string, external: true } | undefined => (/\.wasm(\?module)?$/.test(id) ? { id, external: true } : undefined),
}

const FILES: Readonly<Record<string, string>> = {
  '../index.ts': './index.js', '../streams/index.ts': './streams.js', '../readers/npy.ts': './npy.js', '../readers/safetensors.ts': './safetensors.js',
  '../export/index.ts': './export.js',
}

/** The command imports the built entry points, and is no part of them: index.js stays one file. */
export const cliOverEntryPoints = {
  name: 'cli-over-entry-points',
  resolveId(id: string, importer: string = ''): { id: string, external: true } | undefined {
    const file = /[/\\]src[/\\]cli[/\\]/.test(importer) ? FILES[id] : undefined
    return file === undefined ? undefined : { id: file, external: true }
  },
}
