// The code that the playground hands over runs as it is pasted: Node, a page, a worker, Python.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { load, saveGraph } from '../../../dist/index.js'
import { ROOT } from '../paths.mjs'
import { serveFolder } from '../serve.mjs'
import { BROWSERS } from './browsers.mjs'
import { serveSite } from './built.mjs'
import { downloaded, folderWithPackage, openPlayground } from './playground-page.mjs'

const python = [process.env.PYTHON, 'python3'].find((command) => command && spawnSync(command, ['-c', 'import torch, onnx, safetensors'], { stdio: 'ignore' }).status === 0)

const site = await serveSite()
after(() => site.close())

for (const name of BROWSERS) {
  describe(name, () => {
    let browser, page, hasText
    before(async () => {
      ({ browser, page, hasText } = await openPlayground(name, site.origin))
    })
    after(() => browser.close())

    test('its code runs as it is pasted: Node, page, worker', async () => {
      await page.click('#shelf >> text=Digits')
      await hasText('#message', /digits\.safetensors is open/)
      await hasText('#took', /ran in/)
      await page.waitForSelector('#downloads button >> text=Download rows.npy')
      const folder = await folderWithPackage()
      try {
        await writeFile(join(folder, 'digits.safetensors'), await readFile(join(ROOT, 'examples', 'digits.safetensors')))
        for (const file of ['rows.npy', 'described.safetensors']) {
          await writeFile(join(folder, file), await downloaded(page, `Download ${file}`))
        }
        await runsAsPasted(page, browser, folder, await page.textContent('#outputs .number'))
      } finally {
        await rm(folder, { recursive: true })
      }
    })

    test('where PyTorch has no such layers, Python runs an ONNX file that was made here', async () => {
      const weights = Array.from({ length: 48 + 12 + 6 + 4 }, (_, n) => Math.sin(7 * n) / 2)
      const nam = { version: '0.5.4', architecture: 'LSTM', sample_rate: 48000, config: { num_layers: 1, input_size: 1, hidden_size: 3 }, weights }
      await page.setInputFiles('#files', { name: 'amplifier.nam', mimeType: 'application/octet-stream', buffer: Buffer.from(JSON.stringify(nam)) })
      await hasText('#message', /amplifier\.nam is open/)
      await hasText('#downloads', /model\.onnx/)
      await page.click('#tabs >> text=Python')
      assert.match(await page.textContent('#code pre'), /InferenceSession\("model\.onnx"\)/)
      const [made, own] = [await load(await downloaded(page, 'Download model.onnx')), await load(new TextEncoder().encode(JSON.stringify(nam)))]
      const given = (model) => Object.fromEntries(model.inputs.map(({ name: input, shape }) => {
        const sizes = shape.map((size) => (typeof size === 'number' ? size : size === 'batch' ? 1 : 9))
        const data = Float32Array.from({ length: sizes.reduce((product, size) => product * size, 1) }, (_, n) => Math.cos(n))
        return [input, { dtype: 'float32', shape: sizes, data }]
      }))
      const [here, there] = [made, own].map((model) => Object.values(model.run(given(model))))
      assert.equal(here.length, there.length)
      for (const [n, { data }] of here.entries()) data.forEach((value, at) => assert.ok(Math.abs(value - there[n].data[at]) < 1e-6))
    })

    test('constants of a graph are buffers of the module in PyTorch', async () => {
      const graph = (await load(join(ROOT, 'examples', 'digits.safetensors'))).toGraph()
      const [{ name: input }] = graph.inputs
      const scale = { dtype: 'float32', shape: [1, 1, 28], data: Float32Array.from({ length: 28 }, (_, n) => 1 + n / 28) }
      const nodes = graph.nodes.map((node) => ({ ...node, inputs: node.inputs.map((value) => (value === input ? 'scaled' : value)) }))
      const mul = { name: 'scaling', op: 'mul', inputs: [input, 'scale'], outputs: ['scaled'], parameters: {}, attributes: {} }
      const bytes = saveGraph({ ...graph, nodes: [mul, ...nodes], constants: new Map([...graph.constants, ['scale', scale]]) })
      await page.setInputFiles('#files', { name: 'scaled.safetensors', mimeType: 'application/octet-stream', buffer: Buffer.from(bytes) })
      await hasText('#message', /scaled\.safetensors is open/)
      await hasText('#took', /ran in/)
      await page.waitForSelector('#downloads button >> text=Download rows.npy')
      await page.click('#tabs >> text=Python')
      const script = await page.textContent('#code pre')
      assert.match(script, /register_buffer\('constant_0'[^]*model\.constant_0\.copy_\(weights\["scale"\]\)/)
      if (python === undefined) return
      const folder = await folderWithPackage()
      try {
        await writeFile(join(folder, 'model.py'), script)
        for (const file of ['rows.npy', 'described.safetensors']) await writeFile(join(folder, file), await downloaded(page, `Download ${file}`))
        const { status, stdout, stderr } = spawnSync(python, ['model.py'], { cwd: folder, encoding: 'utf8' })
        assert.equal(status, 0, stderr)
        const [there, here] = [/^probs \[.*?\] (.*)$/m.exec(stdout), /it was: probs (.*)$/m.exec(script)].map(([, numbers]) => numbers.split(' ').map(Number))
        here.forEach((value, n) => assert.ok(Math.abs(value - there[n]) < 1e-5, `${stdout}: expected ${here}`))
      } finally {
        await rm(folder, { recursive: true })
      }
    })
  })
}

/** Each tab's code gives the numbers of the playground. */
async function runsAsPasted(page, browser, folder, largest) {
  const blocksOf = async (tab) => {
    await page.click(`#tabs >> text=${tab}`)
    const names = await page.locator('#code h3').evaluateAll((titles) => titles.map((title) => title.firstChild.textContent))
    const texts = await page.locator('#code pre').allTextContents()
    for (const [n, file] of names.entries()) await writeFile(join(folder, file), texts[n])
    return texts
  }
  const [script] = await blocksOf('Node')
  const [, expected] = /here it printed: (probs \[1, 10\] .*)/.exec(script)
  assert.ok(Number(largest) > 0.5)
  const close = (printed) => {
    const [words, wanted] = [printed.trim(), expected].map((line) => line.replace(/[[\],]/g, '').split(' '))
    assert.deepEqual(words.slice(0, 3), wanted.slice(0, 3), printed)
    for (let n = 3; n < wanted.length; n++) assert.ok(Math.abs(words[n] - wanted[n]) < 1e-6, `${printed}: expected ${expected}`)
    assert.equal(words.length, wanted.length)
  }
  const { status, stdout, stderr } = spawnSync(process.execPath, ['run.mjs'], { cwd: folder, encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  close(stdout)

  const server = await serveFolder(folder, 0)
  try {
    for (const tab of ['Page', 'Worker']) {
      await blocksOf(tab)
      const other = await browser.newPage()
      await other.goto(`http://127.0.0.1:${server.address().port}/`)
      await other.waitForFunction(() => document.getElementById('printed').textContent !== '')
      close(await other.textContent('#printed'))
      await other.close()
    }
  } finally {
    server.close()
  }
  await blocksOf('Python')
  if (python === undefined) return
  const run = spawnSync(python, ['model.py'], { cwd: folder, encoding: 'utf8' })
  assert.equal(run.status, 0, run.stderr)
  close(run.stdout.split('\n').find((line) => line.startsWith('probs')))
  const { load } = await import('../../../dist/index.js')
  const { readNpy } = await import('../../../dist/npy.js')
  const exported = await load(join(folder, 'model.onnx'))
  const { probs } = exported.run({ rows: await readNpy(join(folder, 'rows.npy')) })
  close(`probs [1, 10] ${[...probs.data.slice(0, 5)].join(' ')}`)
}
