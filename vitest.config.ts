import { defineConfig, type ViteUserConfig } from 'vitest/config'

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/runtimes/**', '**/node_modules/**'],
    setupFiles: ['test/equal-arrays.ts'],
    testTimeout: 60_000,
    // All cores: no test asserts a time.
    maxWorkers: '100%',
    coverage: { include: ['src/**'], exclude: ['src/contract/**', 'src/runtime/binaries/**'] },
  },
})

export default config
