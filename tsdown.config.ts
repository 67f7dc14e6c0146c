import { defineConfig, type UserConfig } from 'tsdown'

const config: UserConfig = defineConfig({
  entry: { index: 'src/index.ts', layers: 'src/layers/index.ts', cli: 'src/cli/main.ts' },
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  fixedExtension: false,
  minify: { compress: true, mangle: false, codegen: { removeWhitespace: false } },
  dts: true,
  sourcemap: false,
  copy: ['build/simd.wasm', 'build/relaxed-simd.wasm'].map((from) => ({ from, to: 'dist' })),
  deps: { neverBundle: [/^node:/] },
  plugins: [{
    // The command is a customer of index.js, not a part of it: index.js stays one file.
    name: 'cli-over-index',
    resolveId: (id, importer = '') => (id === '../index.ts' && /[/\\]src[/\\]cli[/\\]/.test(importer) ? { id: './index.js', external: true } : undefined),
  }],
})

export default config
