import resolve from '@rollup/plugin-node-resolve'

export default [
  { input: 'page.js', output: { dir: 'page' }, plugins: [resolve({ browser: true })] },
  { input: 'node.js', output: { dir: 'node', entryFileNames: '[name].mjs' }, plugins: [resolve()], external: /^node:/ },
]
