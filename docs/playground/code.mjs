// The code for what somebody did in the playground: it runs as it is pasted, in a folder with the files that it names.
import { writeNpy } from 'lstm-wasm/npy'
import { pythonFor } from './python.mjs'

/** Longer inputs come from files. */
const MOST_NUMBERS = 24
const SHOWN = 5
const DIST = './node_modules/lstm-wasm/dist'

/** The file of an input that is too long to be written down. */
const fileOf = (name) => `${name.replace(/\W+/g, '-')}.npy`
const isLong = ({ data }) => data.length > MOST_NUMBERS

/** Inputs that the code reads from files: their names, and what makes their bytes. */
export function inputFiles(inputs) {
  return Object.entries(inputs).filter(([, array]) => isLong(array)).map(([name, array]) => ({ file: fileOf(name), bytes: () => writeNpy(array) }))
}

/** Files of the examples that a model was trained with. */
export function trainingFiles({ x, y }) {
  return [...Object.entries({ ...x, targets: y })].map(([name, array]) => ({ file: exampleFileOf(name), bytes: () => writeNpy(array) }))
}

const exampleFileOf = (name) => `examples-${fileOf(name)}`

/**
 * @param run `name` of the model's file; `inputs` and `outputs` of the run; `lines` that made the model of a state dict, or `options` of load;
 *   the `model` and its `graph`; `training`: what `TrainView.last` gives
 * @returns for each tab its blocks: `{ file, text }`, the file's name being what they call each other; `bytes` of model.onnx, where a block reads that
 */
export async function codeFor({ name, inputs, outputs, lines, options, model, graph, training }) {
  const printed = Object.entries(outputs).map(([output, { shape, data }]) => `// here it printed: ${output} [${shape.join(', ')}] ${[...data.slice(0, SHOWN)].join(' ')}`)
  const body = [...openingLines(name, lines, options), '', ...runningLines(inputs), ...printed]
  const names = importsOf(body)
  return [
    { title: 'Node', blocks: [{ about: 'npm install lstm-wasm, then node run.mjs', file: 'run.mjs', text: scriptOf(body) }] },
    { title: 'Page', blocks: [{ about: 'beside node_modules, served by any server: npx vite', file: 'index.html', text: pageOf(names, body) }] },
    {
      title: 'Worker', blocks: [
        { about: 'in a worker, so that the page never waits', file: 'worker.mjs', text: workerOf(name, lines, options) },
        { about: 'the page', file: 'index.html', text: workerPageOf(inputs, printed) },
      ],
    },
    { title: 'Python', blocks: [await pythonFor({ name, model, inputs, outputs, graph, fileOf, isLong })] },
    ...(training === undefined ? [] : [{ title: 'Training', blocks: [{ about: 'npm install lstm-wasm, then node train.mjs', file: 'train.mjs', text: trainingOf(name, lines, options, training) }] }]),
  ]
}

function trainingOf(name, lines, options, { x, y, settings: { loss, metric, seed, learningRate, fit }, before, after, stoppedIn }) {
  const numbers = (values) => Object.entries(values).map(([number, value]) => `${number} ${value}`).join(', ')
  return scriptOf([
    "import { writeFile } from 'node:fs/promises'", "import { readNpy } from 'lstm-wasm/npy'", "import { adam, createTrainer } from 'lstm-wasm/training'",
    ...openingLines(name, lines, options), '',
    `const x = { ${Object.keys(x).map((input) => `${quoted(input)}: await readNpy(${quoted(exampleFileOf(input))})`).join(', ')} }`,
    `const y = await readNpy(${quoted(exampleFileOf('targets'))})`, '',
    `const trainer = await createTrainer(model, { loss: '${loss}', optimizer: adam({ learningRate: ${learningRate} }), metrics: ['${metric}'], seed: ${seed} })`,
    "console.log('before', await trainer.evaluate(x, y))",
    `await trainer.fit(x, y, { ${Object.entries(fit).map(([option, value]) => `${option}: ${value}`).join(', ')} })`,
    "console.log('after', await trainer.evaluate(x, y))", '',
    'const trained = await trainer.model()',
    "await writeFile('trained.safetensors', trained.save()) // load('trained.safetensors') reads it; lstm-wasm/export writes .keras and .onnx",
    `// here it was, before: ${numbers(before)}; after: ${numbers(after)}${stoppedIn === undefined ? '' : `; it was stopped in epoch ${stoppedIn}`}`,
  ])
}

/** Lines that open the model; those that people have written for a state dict stay as they are, but for the file. */
function openingLines(name, lines, options = {}) {
  if (lines !== undefined) return lines.replace(/\(bytes\b/g, `(${JSON.stringify(name)}`).replaceAll('"', '\'').split('\n')
  const more = Object.keys(options).length > 0 ? `, ${JSON.stringify(options)}` : ''
  return ["import { load } from 'lstm-wasm'", `const model = await load(${quoted(name)}${more})`]
}

const quoted = (text) => (text.includes('\'') ? JSON.stringify(text) : `'${text}'`)

function inputText(name, array) {
  if (isLong(array)) return `await readNpy(${quoted(fileOf(name))})`
  const { dtype, shape, data } = array
  const type = { float32: 'Float32Array', int32: 'Int32Array', uint8: 'Uint8Array' }[dtype]
  return `{ dtype: '${dtype}', shape: [${shape.join(', ')}], data: new ${type}([${[...data].map((value) => Number(value.toPrecision(9))).join(', ')}]) }`
}

/** Sets the inputs. */
function inputLines(inputs) {
  return [
    ...(Object.values(inputs).some(isLong) ? ["import { readNpy } from 'lstm-wasm/npy'"] : []),
    'const inputs = {', ...Object.entries(inputs).map(([name, array]) => `  ${quoted(name)}: ${inputText(name, array)},`), '}',
  ]
}

const PRINT = `for (const [name, { shape, data }] of Object.entries(outputs)) console.log(name, \`[\${shape.join(', ')}]\`, ...data.slice(0, ${SHOWN}))`

const runningLines = (inputs) => [...inputLines(inputs), 'const outputs = model.run(inputs)', PRINT]

const isImport = (line) => line.startsWith('import ')
const importsOf = (lines) => [...new Set(lines.filter(isImport).map((line) => /from ['"](.*)['"]/.exec(line)[1]))]
const addressOf = (name) => `${DIST}/${name === 'lstm-wasm' ? 'index' : name.slice('lstm-wasm/'.length)}.js`

/** Imports first. */
function scriptOf(lines) {
  return `${[...new Set(lines.filter(isImport)), '', ...lines.filter((line) => !isImport(line))].join('\n').replace(/\n{3,}/g, '\n\n')}\n`
}

function importMapOf(names) {
  return `<script type="importmap">\n  { "imports": { ${names.map((name) => `"${name}": "${addressOf(name)}"`).join(', ')} } }\n</script>`
}

/** In pages, what is printed is shown. */
const SHOW = "const show = (...words) => document.getElementById('printed').append(words.join(' '), '\\n')"

function pageOf(names, body) {
  const script = scriptOf(body).replace('console.log(', 'show(')
  const at = script.indexOf('\n\n') + 1
  return `<!doctype html>
<meta charset="utf-8">
${importMapOf(names)}
<pre id="printed"></pre>
<script type="module">
${script.slice(0, at)}${SHOW}
${script.slice(at + 1)}</script>
`
}

/** Workers have no import maps: addresses instead. */
function workerOf(name, lines, options) {
  const script = scriptOf([
    ...openingLines(name, lines, options), '',
    'self.onmessage = ({ data: inputs }) => {',
    '  const outputs = model.run(inputs)',
    '  self.postMessage(Object.fromEntries(Object.entries(outputs).map(([name, { dtype, shape, data }]) => [name, { dtype, shape, data }])))',
    '}',
    "self.postMessage('ready')",
  ])
  return script.replace(/from ['"](lstm-wasm[\w/-]*)['"]/g, (_all, module) => `from '${addressOf(module)}'`)
}

function workerPageOf(inputs, printed) {
  const body = [
    ...inputLines(inputs),
    "const worker = new Worker('worker.mjs', { type: 'module' })",
    "worker.onerror = ({ message }) => show('the worker failed:', message)",
    'worker.onmessage = ({ data: outputs }) => {',
    "  if (outputs === 'ready') return worker.postMessage(plain(inputs))",
    `  ${PRINT}`,
    '}',
    '/** Arrays of the library, as what messages can carry. */',
    'function plain(arrays) {',
    '  return Object.fromEntries(Object.entries(arrays).map(([name, { dtype, shape, data }]) => [name, { dtype, shape, data }]))',
    '}',
    ...printed,
  ]
  return pageOf(importsOf(body), body)
}
