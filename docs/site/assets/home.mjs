// The first example, in an editor: what is written there runs as a module of this page.
const element = (id) => document.getElementById(id)

const FIRST = `import { load } from 'lstm-wasm'
import { readNpy } from 'lstm-wasm/npy'

const model = await load('examples/digits.safetensors') // a path, URL, bytes, Blob or Response
const images = await readNpy('examples/digits.npy') // [3, 28, 28]: each row of pixels is a timestep

const { probs } = model.run({ rows: images }) // synchronous; batch and timesteps may change from call to call
for (const image of probs.toArray()) {
  const best = Math.max(...image)
  console.log(\`a \${image.indexOf(best)} (\${(100 * best).toFixed(1)} %)\`)
}
`

const code = element('code')
code.value = FIRST

/** Paths and URLs in the code are those of the page; a module made of text would have none. */
async function run() {
  const printed = element('printed')
  printed.textContent = ''
  printed.classList.remove('bad')
  element('run').disabled = true
  const { log } = console
  console.log = (...values) => {
    printed.textContent += `${values.map((value) => (typeof value === 'string' ? value : wordsOf(value))).join(' ')}\n`
    log(...values)
  }
  const url = URL.createObjectURL(new Blob([code.value], { type: 'text/javascript' }))
  const begin = performance.now()
  try {
    await import(url)
    element('took').textContent = `done in ${Math.max(1, Math.round(performance.now() - begin))} ms`
  } catch (error) {
    printed.classList.add('bad')
    printed.textContent += `${error.name}${error.code === undefined ? '' : ` ${error.code}`}: ${error.message}\n`
    element('took').textContent = ''
  } finally {
    URL.revokeObjectURL(url)
    console.log = log
    element('run').disabled = false
  }
}

function wordsOf(value) {
  if (value === null || typeof value !== 'object' || String(value) !== '[object Object]') return ArrayBuffer.isView(value) ? `[${Array.from(value).join(', ')}]` : String(value)
  return JSON.stringify(value, (_key, inner) => (ArrayBuffer.isView(inner) ? Array.from(inner) : inner), 2)
}

element('run').addEventListener('click', run)
element('again').addEventListener('click', () => {
  code.value = FIRST
  void run()
})
code.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void run()
})
void run()
