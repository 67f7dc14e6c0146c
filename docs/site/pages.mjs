// Which pages there are, in the order of the menu. Pages of docs/ that nobody has put in their place are at the end of the guides.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './paths.mjs'

/** Where each source lands. Links in sources are paths of the repository, so that they work there and in the package, too. */
export const SECTIONS = [
  {
    title: 'Start',
    pages: [
      { path: 'index.html', title: 'Home' },
      { source: 'README.md', path: 'start.html', title: 'Getting started' },
      { path: 'playground/index.html', title: 'Playground' },
      { source: 'docs/words.md', path: 'words.html', title: 'Words: units, gates, timesteps' },
    ],
  },
  {
    title: 'Examples',
    pages: [
      { example: 'amp', path: 'examples/amp/index.html', title: 'Guitar amplifier' },
      { example: 'vad', path: 'examples/vad/index.html', title: 'Voice activity' },
      { example: 'charrnn', path: 'examples/charrnn/index.html', title: 'Text generation' },
      { example: 'forecast', path: 'examples/forecast/index.html', title: 'Training: a forecast' },
      { example: 'capture', path: 'examples/capture/index.html', title: 'Training: an amplifier' },
      { example: 'benchmark', path: 'examples/benchmark/index.html', title: 'Benchmark, here' },
    ],
  },
  {
    title: 'From training to here',
    pages: [
      { source: 'docs/guides/from-pytorch.md', path: 'guides/from-pytorch.html', title: 'Coming from PyTorch' },
      { source: 'docs/guides/keras.md', path: 'guides/keras.html', title: 'From Keras' },
      { source: 'docs/guides/from-tfjs.md', path: 'guides/from-tfjs.html', title: 'Coming from TensorFlow.js' },
      { source: 'docs/guides/from-onnxruntime-web.md', path: 'guides/from-onnxruntime-web.html', title: 'ONNX, from onnxruntime-web' },
      { source: 'docs/guides/tensorflow1.md', path: 'guides/tensorflow1.html', title: 'From TensorFlow 1' },
      { source: 'docs/guides/audio.md', path: 'guides/audio.html', title: 'Amplifiers, effects, voices' },
    ],
  },
  {
    title: 'Guides',
    pages: [
      { source: 'docs/formats.md', path: 'formats.html', title: 'Model files' },
      { source: 'docs/streams.md', path: 'streams.html', title: 'Streams and sessions' },
      { source: 'docs/training.md', path: 'training.html', title: 'Training' },
      { source: 'docs/export.md', path: 'export.html', title: 'Export: ONNX, Keras, PyTorch' },
      { source: 'docs/quantization.md', path: 'quantization.html', title: 'Quantisation' },
      { source: 'docs/score.md', path: 'score.html', title: 'Scoring tables' },
      { source: 'docs/sessions.md', path: 'sessions.html', title: 'Many sessions' },
      { source: 'docs/threads.md', path: 'threads.html', title: 'Threads' },
      { source: 'docs/audio-worklets.md', path: 'audio-worklets.html', title: 'Audio worklets' },
      { source: 'docs/places.md', path: 'places.html', title: 'Bundlers, edge, pages' },
      { source: 'docs/tesseract.md', path: 'tesseract.html', title: 'Tesseract' },
    ],
  },
  {
    title: 'Reference',
    pages: [
      { source: 'docs/api.md', path: 'api.html', title: 'API at a glance' },
      { api: true, path: 'api/index.html', title: 'API in full' },
      { source: 'docs/troubleshooting.md', path: 'troubleshooting.html', title: 'Troubleshooting' },
      { source: 'docs/errors.md', path: 'errors.html', title: 'Errors' },
      { source: 'docs/compatibility.md', path: 'compatibility.html', title: 'Compatibility' },
      { source: 'docs/accuracy.md', path: 'accuracy.html', title: 'Accuracy of functions' },
      { source: 'docs/benchmark.md', path: 'benchmark.html', title: 'Benchmark' },
    ],
  },
  {
    title: 'Project',
    pages: [
      { source: 'CHANGELOG.md', path: 'changelog.html', title: 'Changelog' },
      { source: 'CONTRIBUTING.md', path: 'contributing.html', title: 'Contributing' },
      { source: 'SECURITY.md', path: 'security.html', title: 'Security' },
      { source: 'docs/kernels.md', path: 'kernels.html', title: 'How the kernels work' },
      { source: 'docs/adding-an-operator.md', path: 'adding-an-operator.html', title: 'Adding an operator' },
      { source: 'docs/adding-a-format.md', path: 'adding-a-format.html', title: 'Adding a format' },
      { source: 'docs/adding-a-kernel.md', path: 'adding-a-kernel.html', title: 'Adding a kernel' },
    ],
  },
]

const listed = new Set(SECTIONS.flatMap(({ pages }) => pages.map(({ source }) => source)))
for (const name of readdirSync(join(ROOT, 'docs')).filter((file) => file.endsWith('.md') && !listed.has(`docs/${file}`))) {
  const [, title = name] = /^# (.*)$/m.exec(readFileSync(join(ROOT, 'docs', name), 'utf8')) ?? []
  SECTIONS.find((section) => section.title === 'Guides').pages.push({ source: `docs/${name}`, path: name.replace(/md$/, 'html'), title })
}

/** All of them in one list. */
export const PAGES = SECTIONS.flatMap(({ title: section, pages }) => pages.map((page) => ({ ...page, section })))

/** Links at the top of every page. */
export const TOP = [
  { path: 'start.html', title: 'Docs' },
  { path: 'playground/index.html', title: 'Playground' },
  { path: 'examples/amp/index.html', title: 'Examples' },
  { path: 'api.html', title: 'API' },
  { path: 'benchmark.html', title: 'Benchmark' },
]
