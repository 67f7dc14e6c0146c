export default {
  build: { outDir: 'page', rolldownOptions: { input: ['index.html', 'worker.html', 'worklet.html'] } },
  worker: { format: 'es' },
  ssr: { noExternal: ['lstm-wasm'] },
}
