// Code of the pages that is for browsers, run there as it stands: the audio thread, pages without a bundler.
import assert from 'node:assert/strict'
import { copyFile, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { ROOT } from '../paths.mjs'
import { serveFolder } from '../serve.mjs'
import { BROWSERS, launch } from './browsers.mjs'
import { folderWithPackage, PATIENCE } from './playground-page.mjs'

const blocksOf = async (page, language) => [...(await readFile(join(ROOT, page), 'utf8')).matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'))].map(([, code]) => code)
const IMPORTS = `<script type="importmap">{ "imports": { ${['', '/npy', '/worklet'].map((path) => (
  `"lstm-wasm${path}": "./node_modules/lstm-wasm/dist/${path.slice(1) || 'index'}.js"`
)).join(', ')} } }</script>`

const folder = await folderWithPackage()
const server = await serveFolder(folder, 0)
after(async () => {
  server.close()
  await rm(folder, { recursive: true })
})

for (const name of BROWSERS) {
  describe(name, () => {
    let browser
    before(async () => {
      browser = await launch(name)
    })
    after(() => browser.close())

    /** Opens a page of the folder. @returns what `printed` becomes, and what the console has got */
    async function run(html) {
      await writeFile(join(folder, 'index.html'), html)
      const page = await browser.newPage()
      const [errors, logged] = [[], []]
      page.on('pageerror', ({ message }) => errors.push(message))
      page.on('console', (message) => message.type() === 'log' && logged.push(message.text()))
      await page.goto(`http://127.0.0.1:${server.address().port}/`)
      const printed = await page.waitForFunction(() => globalThis.printed, undefined, { timeout: PATIENCE })
        .then((value) => value.jsonValue(), (error) => error.message)
      await page.close()
      assert.deepEqual(errors, [])
      return { printed, logged }
    }

    test('audio-worklets.md: one node, and a processor of one\'s own', async () => {
      const [one, own, processor, ...others] = await blocksOf('docs/audio-worklets.md', 'js')
      assert.deepEqual(others, [])
      // 4 gates x 3 units: weights of 1 + 3 inputs, biases; h and c at first; a line.
      const weights = Array.from({ length: 48 + 12 + 6 + 4 }, (_, n) => Math.sin(7 * n) / 2)
      await writeFile(join(folder, 'amplifier.nam'), JSON.stringify({
        version: '0.5.4', architecture: 'LSTM', sample_rate: 48000, config: { num_layers: 1, input_size: 1, hidden_size: 3 }, weights,
      }))
      // Worklets have no import maps, as the page says.
      await writeFile(join(folder, 'my-processor.js'), processor.replace("'lstm-wasm/processor'", "'./node_modules/lstm-wasm/dist/processor.js'"))
      // Both hear a second of the same sound, into a context that is not played.
      const { printed } = await run(`${IMPORTS}<script>
const heard = []
globalThis.AudioContext = class extends OfflineAudioContext {
  constructor({ sampleRate }) { super(1, sampleRate / 4, sampleRate) }
}
</script>
<script type="module">
const sourceOf = (context) => {
  const source = new ConstantSourceNode(context, { offset: 0.25 })
  source.start()
  return source
}
const source = { connect: (node) => sourceOf(node.context).connect(node) }
{
${one.replace(/^import .*$/gm, '').replace('node.port.', 'globalThis.model = model\nheard.push(await context.startRendering())\nnode.port.')}
}
globalThis.context = new OfflineAudioContext(1, 12000, 48000)
{
${own.replace(/^import .*$/gm, '')}
sourceOf(context).connect(node).connect(context.destination)
heard.push(await context.startRendering())
}
globalThis.printed = heard.map((sound) => [sound.length, ...sound.getChannelData(0).slice(5000, 5003)])
${[one, own].flatMap((code) => [...code.matchAll(/^import .*$/gm)].map(([line]) => line)).join('\n')}
</script>`)
      assert.equal(printed.length, 2, printed)
      assert.deepEqual(printed[0], printed[1])
      assert.ok(printed[0][1] !== 0)
    })

    test('README: the first example in a page', async () => {
      const [html] = await blocksOf('README.md', 'html')
      const [first] = await blocksOf('README.md', 'js')
      await writeFile(join(folder, 'first.mjs'), `${first}\nglobalThis.printed = 'done'\n`)
      const { logged } = await run(html)
      assert.deepEqual(logged, [...first.matchAll(/^\/\/ prints: (.*)$/gm)].map(([, line]) => line))
    })

    test('places.md: the whole package as one module', async () => {
      const [html] = await blocksOf('docs/places.md', 'html')
      await copyFile(join(ROOT, 'dist', 'lstm-wasm.js'), join(folder, 'lstm-wasm.js'))
      const { printed } = await run(html.replace('</script>', 'globalThis.printed = [typeof load, typeof layers.lstm]\n</script>'))
      assert.deepEqual(printed, ['function', 'function'])
    })
  })
}
