// Builds a page and a program for Node; prints errors and warnings.
import { rspack } from '@rspack/core'

const common = { mode: 'production', context: import.meta.dirname, performance: { hints: false } }

rspack([
  { ...common, entry: './page.js', output: { path: `${import.meta.dirname}/page`, filename: 'page.js' } },
  {
    ...common,
    target: 'node',
    entry: './node.js',
    experiments: { outputModule: true },
    output: { path: `${import.meta.dirname}/node`, filename: 'node.mjs', module: true, chunkFormat: 'module' },
  },
], (error, stats) => {
  if (error) throw error
  const printed = stats.toString({ preset: 'errors-warnings' })
  if (printed !== '') console.error(printed)
  process.exitCode = stats.hasErrors() ? 1 : 0
})
