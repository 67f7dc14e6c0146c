// The playground, used as a person would: models opened, drawn on, watched, quantised; and what is no model.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { writeSafetensors } from '../../../dist/safetensors.js'
import { ROOT } from '../paths.mjs'
import { BROWSERS, launch } from './browsers.mjs'
import { serveSite } from './built.mjs'
import { AXE } from './figures.mjs'
import { openPlayground, PATIENCE } from './playground-page.mjs'

const GOLDEN = join(ROOT, 'test', 'golden')
const REAL = process.env.REAL_MODELS ?? join(ROOT, '..', 'shared', 'models')

const site = await serveSite()
after(() => site.close())

for (const name of BROWSERS) {
  describe(name, () => {
    let browser, page, errors, hasText, open, watched
    before(async () => {
      ({ browser, page, errors, hasText, open, watched } = await openPlayground(name, site.origin))
    })
    after(() => browser.close())

    test('the model that comes first has run, and is watched', async () => {
      await hasText('#message', /^digits\.safetensors is open/)
      assert.match(await page.textContent('#outputs .bars li'), /^70\.99/)
      assert.match(await page.textContent('#layers'), /4 gates x \(28 x 8 input \+ 8 x 8 recurrent \+ 2 x 8 bias\) = 1216 parameters/)
      assert.equal(await page.locator('.gate').count(), 4)
      assert.equal(await page.locator('.map').count(), 6)
      assert.match(await page.textContent('#watch-message'), /differs from the model's by at most \d(\.\d)?e-[78]\./)
    })

    test('timesteps and units are looked at by keys and by pointing', async () => {
      await page.focus('#watch-t')
      await page.keyboard.press('Home')
      await hasText('.equation', /the initial state/)
      await page.keyboard.press('ArrowRight')
      await page.waitForFunction(() => document.querySelector('label[for="watch-t"]').textContent === 'Timestep 1')
      const before = await page.textContent('.equation')
      await page.locator('.map canvas').first().click({ position: { x: 3, y: 140 } })
      await page.waitForFunction(() => document.querySelector('label[for="watch-unit"]').textContent === 'Unit 7')
      assert.notEqual(await page.textContent('.equation'), before)
      const colours = await page.evaluate(() => {
        const { width, height } = document.querySelector('.map canvas')
        const { data } = document.querySelector('.map canvas').getContext('2d').getImageData(0, 0, width, height)
        return new Set(Array.from({ length: 500 }, (_, n) => data.slice(4 * n * 53, 4 * n * 53 + 3).join())).size
      })
      assert.ok(colours > 20, `${colours} colours`)
    })

    test('input comes from files: arrays of NumPy, text; what fits none is told, and the input stays', async () => {
      const given = '.input input[type="file"]'
      await page.setInputFiles(given, join(ROOT, 'examples', 'digits.npy'))
      await hasText('.input .about', /^digits\.npy, 4\.8 kB: \[3, 28, 28\]$/)
      await hasText('#outputs', /probs float32 \[3, 10\]/)
      const text = (name, content) => ({ name, mimeType: 'text/csv', buffer: Buffer.from(content) })
      await page.setInputFiles(given, text('one.csv', Array.from({ length: 28 }, (_, row) => Array.from({ length: 28 }, (_, column) => Number(column === 14 && row > 3 && row < 24)).join()).join('\n')))
      await hasText('.input .about', /^one\.csv, .*: \[1, 28, 28\]$/)
      await hasText('#outputs', /probs float32 \[1, 10\]/)
      await page.setInputFiles(given, text('short.csv', '1,2,3'))
      await hasText('.input .about', /got 3 numbers, which do not fill it/)
      assert.match(await page.textContent('#outputs'), /probs float32 \[1, 10\]/)
    })

    test('a drawn one is a one', async () => {
      await page.click('text=Draw')
      const { x, y, width, height } = await page.locator('.pad').boundingBox()
      await page.mouse.move(x + width * 0.55, y + height * 0.2)
      await page.mouse.down()
      for (let step = 0; step <= 10; step++) await page.mouse.move(x + width * (0.55 - 0.01 * step), y + height * (0.2 + 0.06 * step))
      await page.mouse.up()
      await page.waitForFunction(() => document.querySelector('#outputs .bars li code').textContent === '1')
      await page.click('text=Clean the board')
    })

    test('numbers are typed, and mistakes in them are told', async () => {
      await page.fill('.values', 'one two')
      await page.click('#run')
      await hasText('#run-message', /VALUE: input 'rows': expected numbers, got 'one' at position 1/)
      await page.fill('.values', '1 2 3')
      await page.click('#run')
      await hasText('#run-message', /SHAPE: input 'rows': .* got 3 numbers/)
      await page.fill('.values', Array.from({ length: 28 * 28 }, (_, n) => Math.sin(n)).join(' '))
      await page.click('#run')
      await hasText('#took', /ran in/)
      await page.waitForFunction(() => document.getElementById('run-message').textContent === '')
    })

    test('it is timed beside a plain loop, quantised, and the difference shown', async () => {
      await page.click('#time')
      await hasText('#times', /One run of the whole model.*lstm, 28 timesteps.*times/)
      await page.click('#float16')
      await hasText('#quantised', /probs moved by at most/)
      await page.click('#int8')
      await hasText('#quantised', /Weights: .* → .*probs moved by at most .*Download digits-int8\.safetensors/)
    })

    test('all that ship open and run', async () => {
      for (const [title, pattern] of [['Moby-Dick', /moby-dick\.safetensors is open/], ['Guitar amplifier', /valve\.safetensors is open/], ['Silero VAD', /silero_vad_v5\.onnx is open/], ['Forecast', /forecast\.safetensors is open/], ['Thai words', /thai\.safetensors is open/]]) {
        await page.click(`#shelf >> text=${title}`)
        await hasText('#message', pattern)
        await hasText('#took', /ran in/)
        await watched()
        assert.match(await page.textContent('#watch-message'), /at most (0|0\.00000\d+|[\d.]+e-\d+)\./, title)
      }
      assert.equal(await page.locator('#shelf button').count(), 6)
      const divided = await page.locator('.divided').evaluate((element) => [...element.childNodes].filter(({ nodeType }) => nodeType === 3).map(({ data }) => data))
      assert.equal(divided.join(' '), 'วันนี้ อากาศ ดี มาก เรา ไป เดิน เล่น ที่ สวน กัน ไหม')
      await page.click('#shelf >> text=Moby-Dick')
      await hasText('#message', /moby-dick\.safetensors is open/)
      await hasText('#outputs', /" "|"\w"/)
      await page.fill('[aria-label="Text for input"]', 'The whale ø')
      await hasText('#inputs', /The model does not know “ø”: left out/)
      await page.waitForFunction(() => document.getElementById('size-timesteps').value === '10')
    })

    test('a microphone is heard, or the lack of it told', async () => {
      await page.click('#shelf >> text=Guitar amplifier')
      await hasText('#message', /valve/)
      if (name === 'chromium') {
        await page.click('text=Record 3 s')
        await hasText('#inputs', /the recording: \[1, \d{5}, 1\]/)
        await hasText('#took', /ran in/)
      }
      await page.evaluate(() => {
        navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotFoundError'))
      })
      await page.click('text=Record 3 s')
      await hasText('#inputs', /There is no microphone/)
    })

    test('a state dict shows its lines, which run', async () => {
      await page.click('#shelf >> text=Digits')
      await hasText('#message', /digits/)
      await open(join(GOLDEN, 'lines', 'conv_norm_gru_linear.pt'), /holds weights, but not how they are connected/)
      assert.match(await page.inputValue('#lines'), /readTorch\(bytes\)/)
      await page.fill('#lines', 'nonsense(')
      await page.click('#run-lines')
      await hasText('#message', /missing \) after argument list/)
      await open(join(GOLDEN, 'lines', 'conv_norm_gru_linear.pt'), /holds weights/)
      await page.click('#run-lines')
      await hasText('#message', /conv_norm_gru_linear\.pt is open/)
      await watched()
      assert.equal(await page.locator('.map').count(), 4)
    })

    test('what is no model has a clear word, and the page goes on', async () => {
      const made = (file, content) => ({ name: file, mimeType: 'application/octet-stream', buffer: Buffer.from(content) })
      const real = await readFile(join(GOLDEN, 'keras3', 'lstm-3-sequences.keras'))
      for (const [file, pattern] of [
        [made('empty.onnx', ''), /FORMAT: /],
        [made('notes.txt', 'Dear diary, today I trained a network.'), /(FORMAT|UNSUPPORTED): /],
        [made('photo.png', Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ', 'base64')), /(FORMAT|UNSUPPORTED): /],
        [made('cut.keras', real.subarray(0, real.length / 2)), /FORMAT: /],
        [made('model.json', '{ "format": "layers-model", "modelTopology": 1 }'), /FORMAT: /],
      ]) await open(file, pattern)
      await page.click('summary >> text=Options of load')
      await page.fill('#options', '{ "forgetbias": 1')
      await open(join(GOLDEN, 'keras3', 'lstm-3-sequences.keras'), /Options of load: expected JSON[^]*\.\w+ is still open below\.$/)
      await page.fill('#options', '{ "forgetbias": 1 }')
      await open(join(GOLDEN, 'keras3', 'lstm-3-sequences.keras'), /VALUE: .*forgetbias.*forgetBias/)
      await page.fill('#options', '')
      await open(join(GOLDEN, 'keras3', 'lstm-3-sequences.keras'), /lstm-3-sequences\.keras is open/)
    })

    test('options that came with a model are not for the next one', async () => {
      await page.click('#shelf >> text=Silero VAD')
      await hasText('#message', /silero_vad_v5\.onnx is open/)
      assert.match(await page.inputValue('#options'), /constants/)
      await open(join(GOLDEN, 'keras3', 'lstm-3-sequences.keras'), /lstm-3-sequences\.keras is open/)
      assert.equal(await page.textContent('#model-title'), 'Model: lstm-3-sequences.keras')
    })

    test('of several files the likeliest is opened, and the others are offered', async () => {
      await open([join(ROOT, 'LICENSE'), join(ROOT, 'examples', 'digits.safetensors'), join(GOLDEN, 'keras3', 'lstm-3-sequences.keras')], /lstm-3-sequences\.keras is open/)
      await page.click('text=Open digits.safetensors instead')
      await hasText('#message', /digits\.safetensors is open/)
    })

    test('a dropped file opens; something dropped that is no file is told', async () => {
      const bytes = [...await readFile(join(ROOT, 'examples', 'amp', 'valve.safetensors'))]
      await page.evaluate((content) => {
        const data = new DataTransfer()
        data.items.add(new File([new Uint8Array(content)], 'dropped.safetensors'))
        document.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }))
      }, bytes)
      await hasText('#message', /dropped\.safetensors is open/)
      await page.evaluate(() => document.dispatchEvent(new DragEvent('drop', { dataTransfer: new DataTransfer(), bubbles: true, cancelable: true })))
      await hasText('#message', /That is no file/)
    })

    test('a model of 50 MB opens', async (context) => {
      const units = 1750
      const shapes = { weight_ih_l0: [4 * units, 1], weight_hh_l0: [4 * units, units], bias_ih_l0: [4 * units], bias_hh_l0: [4 * units] }
      const bytes = writeSafetensors(new Map(Object.entries(shapes).map(([tensor, shape]) => [tensor, {
        dtype: 'float32', shape, data: new Float32Array(shape.reduce((all, size) => all * size, 1)).fill(0.001),
      }])))
      const folder = await mkdtemp(join(tmpdir(), 'lstm-wasm-site-'))
      await writeFile(join(folder, 'large.safetensors'), bytes)
      await open(join(folder, 'large.safetensors'), /large\.safetensors is open: 49\.\d MB/)
      context.diagnostic(`${name}: ${await page.textContent('#message')}`)
      await hasText('#took', /ran in/)
      await rm(folder, { recursive: true })
    })

    test('a long run can be stopped', async () => {
      await page.click('#shelf >> text=Moby-Dick')
      await hasText('#message', /moby-dick/)
      await watched()
      await page.click('text=Random')
      await page.evaluate(() => {
        const field = document.getElementById('size-timesteps')
        field.value = 100000
        field.dispatchEvent(new Event('change'))
      })
      await page.click('#run')
      await page.click('#stop')
      await hasText('#run-message', /ABORTED: the run was aborted/)
    })

    test('five real files show their numbers', { skip: !existsSync(REAL) }, async (context) => {
      for (const file of ['system-identification/lstm.pt', 'aircraft/lstm_model.onnx', 'text-classifier/sentiment_model.h5', 'actuator-torchscript/model.pt', 'sentence-boundary/model.onnx']) {
        const begin = performance.now()
        await open(join(REAL, file), new RegExp(`${basename(file).replace('.', '\\.')} is open`))
        await hasText('#took', /ran in/)
        await watched()
        context.diagnostic(`${name}: ${file}: numbers after ${((performance.now() - begin) / 1000).toFixed(1)} s; ${await page.textContent('#watch-message')}`)
        assert.ok(await page.locator('#outputs details').count() > 0)
      }
    })

    test('with a model open, axe objects to nothing, and no window is too narrow, light and dark', async () => {
      await page.evaluate(AXE)
      for (const [width, colorScheme] of [[390, 'light'], [1280, 'dark'], [3840, 'light']]) {
        await page.setViewportSize({ width, height: 900 })
        await page.evaluate((theme) => (document.documentElement.dataset.theme = theme), colorScheme)
        const { violations } = await page.evaluate(() => globalThis.axe.run({ resultTypes: ['violations'] }))
        assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(' | ')}`), [])
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
        assert.equal(wider, 0, `${wider} pixels wider than ${width}`)
      }
    })

    test('nothing went wrong behind it', () => assert.deepEqual(errors, []))
  })
}

test('lstm-wasm serve gives the same page, with the model of the command line and the files beside it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lstm-wasm-site-'))
  await writeFile(join(folder, 'model.json'), JSON.stringify(tfjsModel()))
  await writeFile(join(folder, 'shard 1.bin'), new Uint8Array(new Float32Array(4 * 2 * (3 + 2) + 8).fill(0.1).buffer))
  const command = spawn(process.execPath, [join(ROOT, 'dist', 'cli.js'), 'serve', join(folder, 'model.json'), '--port', '0'])
  const browser = await launch('chromium')
  try {
    const address = await new Promise((resolve) => command.stdout.on('data', (data) => resolve(/http:\S+/.exec(String(data))[0])))
    const page = await browser.newPage()
    const errors = []
    page.on('pageerror', ({ message }) => errors.push(message))
    page.on('response', (response) => response.status() >= 400 && errors.push(`${response.status()} ${response.url()}`))
    await page.goto(address)
    await page.waitForFunction(() => /^model\.json is open/.test(document.getElementById('message').textContent), undefined, { timeout: PATIENCE })
    await page.waitForFunction(() => /at most/.test(document.getElementById('watch-message').textContent), undefined, { timeout: PATIENCE })
    assert.deepEqual(errors, [])
  } finally {
    command.kill('SIGINT')
    await browser.close()
    await rm(folder, { recursive: true })
  }
})

/** A layers model of TensorFlow.js: an LSTM of 2 units over 3 features, its weights in a file of their own. */
function tfjsModel() {
  const layer = { class_name: 'LSTM', config: { name: 'lstm', units: 2, activation: 'tanh', recurrent_activation: 'sigmoid', use_bias: true, return_sequences: true, batch_input_shape: [null, null, 3], dtype: 'float32' } }
  const weights = [['lstm/kernel', [3, 8]], ['lstm/recurrent_kernel', [2, 8]], ['lstm/bias', [8]]].map(([name, shape]) => ({ name, shape, dtype: 'float32' }))
  return {
    format: 'layers-model', generatedBy: 'keras v2.15.0', modelTopology: { model_config: { class_name: 'Sequential', config: { name: 'model', layers: [layer] } }, keras_version: '2.15.0' },
    weightsManifest: [{ paths: ['shard 1.bin'], weights }],
  }
}

test('an engine without SIMD is told, and the page stays', async () => {
  const browser = await launch('chromium', ['--js-flags=--no-enable-sse4-1'])
  try {
    const page = await browser.newPage()
    await page.goto(`${site.origin}/playground/`)
    await page.waitForFunction(() => /ENVIRONMENT: .*SIMD/.test(document.getElementById('message').textContent), undefined, { timeout: PATIENCE })
    await page.setInputFiles('#files', join(ROOT, 'LICENSE'))
    await page.waitForFunction(() => /(FORMAT|UNSUPPORTED): /.test(document.getElementById('message').textContent), undefined, { timeout: PATIENCE })
  } finally {
    await browser.close()
  }
})
