// The panel that trains: drawn digits, tables, text; Stop; what cannot be trained; the trained model as files; its code, run as it is pasted.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { load } from '../../../dist/index.js'
import { readNpy } from '../../../dist/npy.js'
import { quantize } from '../../../dist/quantization.js'
import { ROOT } from '../paths.mjs'
import { BROWSERS } from './browsers.mjs'
import { serveSite } from './built.mjs'
import { AXE } from './figures.mjs'
import { downloaded, folderWithPackage, openPlayground } from './playground-page.mjs'

const csv = (name, rows) => ({ name, mimeType: 'text/csv', buffer: Buffer.from(rows.join('\n')) })
const WAVE = csv('load.csv', ['load', ...Array.from({ length: 400 }, (_, n) => Math.sin(n / 5).toFixed(5))])

const site = await serveSite()
after(() => site.close())

for (const name of BROWSERS) {
  describe(name, () => {
    let browser, page, errors, hasText, watched
    before(async () => {
      ({ browser, page, errors, hasText, watched } = await openPlayground(name, site.origin))
    })
    after(() => browser.close())

    /** Opens one of the models that ship, and its panel. */
    const begin = async (title) => {
      await page.click(`#shelf >> text=${title}`)
      await page.waitForFunction((title) => document.querySelector('#shelf [aria-pressed="true"]')?.textContent.startsWith(title), title)
      await watched()
      await page.click('#train-begin')
      await page.waitForFunction(() => document.getElementById('train') !== null || /: /.test(document.getElementById('train-message').textContent))
    }
    const train = async (pattern = /^\d+ epochs, /) => {
      await page.click('#train')
      await hasText('#train-state', pattern)
    }
    /** Loss or metric, before and after. */
    const numbers = (row) => page.locator('#trained table tbody tr').nth(row).locator('.number').allTextContents().then((texts) => texts.map(parseFloat))
    /** Number fields: Firefox takes no typing into them from here. */
    const set = (id, value) => page.evaluate(({ id, value }) => (document.getElementById(id).value = value), { id, value })
    const draw = async (...points) => {
      await page.locator('#training .pad').scrollIntoViewIfNeeded()
      const { x, y, width, height } = await page.locator('#training .pad').boundingBox()
      const [first, ...others] = points.map(([across, down]) => [x + across * width, y + down * height])
      await page.mouse.move(...first)
      await page.mouse.down()
      for (const point of others) await page.mouse.move(...point, { steps: 5 })
      await page.mouse.up()
    }

    test('drawn digits with a label are learned; before and after are compared', async () => {
      await begin('Digits')
      assert.equal(await page.inputValue('#train-loss'), 'sparseCategoricalCrossentropy')
      assert.ok(await page.isDisabled('#train'))
      await page.click('[aria-label="It is 7"]')
      await hasText('#train-about', /Draw something on the board first/)
      // What stands upright is called a seven here, and what lies down a zero.
      await draw([0.5, 0.15], [0.5, 0.85])
      await page.click('[aria-label="It is 7"]')
      await hasText('#train-count', /^1 example$/)
      await draw([0.15, 0.5], [0.85, 0.5])
      await page.click('[aria-label="It is 0"]')
      await hasText('#train-count', /^2 examples$/)
      await train()
      const [loss, right] = [await numbers(0), await numbers(1)]
      assert.ok(loss[1] < loss[0] / 10, `loss ${loss}`)
      assert.deepEqual(right, [0, 100])
      assert.equal(await page.locator('#trained .beside .bars').count(), 2)
      const colours = await page.evaluate(() => {
        const canvas = document.querySelector('#train-chart canvas')
        return new Set(new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size
      })
      assert.ok(colours > 5, `a curve has ${colours} colours`)
    })

    test('its code runs as it is pasted, with the same numbers, and the files are the trained model', async () => {
      const folder = await folderWithPackage()
      try {
        await page.click('#tabs >> text=Training')
        const text = await page.textContent('#code pre')
        await writeFile(join(folder, 'train.mjs'), text)
        await writeFile(join(folder, 'digits.safetensors'), await readFile(join(ROOT, 'examples', 'digits.safetensors')))
        for (const file of ['examples-rows.npy', 'examples-targets.npy']) await writeFile(join(folder, file), await downloaded(page, `Download ${file}`))
        const { status, stdout, stderr } = spawnSync(process.execPath, ['train.mjs'], { cwd: folder, encoding: 'utf8' })
        assert.equal(status, 0, stderr)
        const here = [.../loss ([\d.e-]+)/g[Symbol.matchAll](text)].map(([, value]) => Number(value))
        const there = [...stdout.matchAll(/loss: ([\d.e-]+)/g)].map(([, value]) => Number(value))
        assert.equal(here.length, 2, text)
        here.forEach((value, n) => assert.ok(Math.abs(value - there[n]) < 0.01 * value, `${stdout} ${text}`)) // browser and Node may have different binaries
        const rows = await readNpy(join(ROOT, 'examples', 'digits.npy'))
        const { probs: expected } = (await load(join(folder, 'trained.safetensors'))).run({ rows })
        for (const ending of ['safetensors', 'keras', 'onnx']) {
          const model = await load(await downloaded(page, `Download digits-trained.${ending}`))
          const [probs] = Object.values(model.run({ [model.inputs[0].name]: rows }))
          assert.deepEqual(probs.shape, [3, 10])
          probs.data.forEach((value, n) => assert.ok(Math.abs(value - expected.data[n]) < 0.01, `${ending}: ${value}, ${expected.data[n]}`))
        }
      } finally {
        await rm(folder, { recursive: true })
      }
    })

    test('the trained model takes the place of the other', async () => {
      await page.click('text=Open the trained model')
      await hasText('#message', /^digits-trained\.safetensors is open/)
      await watched()
      assert.ok((await page.locator('#downloads button').allTextContents()).includes('Download digits-trained.safetensors'))
      assert.equal(await page.textContent('#trained'), '')
    })

    test('a table of timesteps: the next line is the target; some are kept back', async () => {
      await begin('Forecast')
      await page.setInputFiles('#train-files', WAVE)
      await hasText('#train-count', /^6 examples$/)
      await set('train-timesteps', 20)
      await page.setInputFiles('#train-files', WAVE)
      await hasText('#train-about', /SHAPE: examples: expected \[64, 1\] as those before, got \[20, 1\]/)
      await page.click('#training >> text=Clear')
      await page.setInputFiles('#train-files', WAVE)
      await hasText('#train-count', /^19 examples$/)
      await set('train-kept', 20)
      await train()
      const [before, after] = await numbers(0)
      assert.ok(after < before / 5, `${before}, ${after}`)
      assert.equal(await page.locator('#train-chart .legend li').count(), 2)
    })

    test('Stop stops, and what has been learned stays', async () => {
      await set('train-epochs', 10000)
      await page.click('#train')
      await hasText('#train-state', /^epoch \d+ of 10000, loss/)
      await page.click('#train-stop')
      await hasText('#train-state', /^stopped in epoch \d+, /)
      const [before, after] = await numbers(0)
      assert.ok(after < before)
      assert.ok(await page.isVisible('#train'))
    })

    test('text is learned; what is wrong is told in the words of the library', async () => {
      await begin('Moby-Dick')
      await page.fill('[aria-label="Text to learn from"]', 'It was the best of times, it was the worst of times. '.repeat(5))
      await page.click('text=Add this text')
      await hasText('#train-count', /^4 examples$/)
      await set('train-epochs', 8)
      await train()
      const [before, after] = await numbers(0)
      assert.ok(after < before / 2, `${before}, ${after}`)
      await set('train-rate', -1)
      await page.click('#train')
      await hasText('#train-error', /VALUE: adam: .*learningRate/)
      await page.setInputFiles('#train-files', csv('x.csv', ['1', 'two', '3']))
      await hasText('#train-about', /FORMAT: x\.csv: line 2: expected numbers, got "two"/)
      await begin('Digits')
      await page.setInputFiles('#train-files', csv('digits.csv', [[...new Array(784).fill(0.5), 12].join(',')]))
      await hasText('#train-count', /^1 example$/)
      await page.click('#train')
      await hasText('#train-error', /VALUE: .*12/)
    })

    test('what cannot be trained says why', async () => {
      const { model } = await quantize(await load(join(ROOT, 'examples', 'digits.safetensors')))
      await page.setInputFiles('#files', { name: 'small.safetensors', mimeType: 'application/octet-stream', buffer: Buffer.from(model.save()) })
      await hasText('#message', /^small\.safetensors is open/)
      await page.click('#train-begin')
      await hasText('#train-message', /^UNSUPPORTED: training: the weights .* are quantised; train the model they were made of/)
      assert.equal(await page.locator('#train').count(), 0)
    })

    test('axe objects to nothing, and no window is too narrow', async () => {
      await begin('Digits')
      await draw([0.5, 0.15], [0.5, 0.85])
      await page.click('[aria-label="It is 1"]')
      await train()
      await page.evaluate(AXE)
      for (const [width, theme] of [[390, 'light'], [1280, 'dark'], [3840, 'light']]) {
        await page.setViewportSize({ width, height: 900 })
        await page.evaluate((theme) => (document.documentElement.dataset.theme = theme), theme)
        const { violations } = await page.evaluate(() => globalThis.axe.run({ resultTypes: ['violations'] }))
        assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(' | ')}`), [])
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, `at ${width}`)
      }
    })

    test('nothing went wrong behind it', () => assert.deepEqual(errors, []))
  })
}
