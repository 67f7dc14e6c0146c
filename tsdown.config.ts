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
})

export default config
