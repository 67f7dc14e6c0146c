import { defineConfig, type ViteUserConfig } from 'vitest/config'

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/runtimes/**', '**/node_modules/**'],
    setupFiles: ['test/equal-arrays.ts'],
    testTimeout: 60_000,
    // All cores: no test asserts a time.
    maxWorkers: '100%',
    coverage: {
      reportOnFailure: true, include: ['src/**'], exclude: ['src/contract/**', 'src/runtime/binaries/**'],
      // Of the whole of src: what the command and worklets run in processes of their own is not seen.
      thresholds: { lines: 93, statements: 91, functions: 92, branches: 87 },
    },
  },
})

export default config
