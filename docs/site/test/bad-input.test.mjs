// What strangers drop, and where they open the playground: folders, files that change or are too large, Cancel, no workers, fingers, no other server.
import assert from 'node:assert/strict'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { ROOT } from '../paths.mjs'
import { BROWSERS, launch } from './browsers.mjs'
import { serveSite } from './built.mjs'
import { openPlayground, PATIENCE } from './playground-page.mjs'

const AMPLIFIER = join(ROOT, 'examples', 'amp', 'valve.safetensors')
const DIGITS = join(ROOT, 'examples', 'digits.safetensors')

const site = await serveSite()
after(() => site.close())

for (const name of BROWSERS) {
  describe(name, () => {
    let browser, page, errors, hasText, open, folder
    before(async () => {
      ({ browser, page, errors, hasText, open } = await openPlayground(name, site.origin))
      folder = await mkdtemp(join(tmpdir(), 'lstm-wasm-site-'))
    })
    after(async () => {
      await browser.close()
      await rm(folder, { recursive: true })
    })

    /** Drops files that are made in the page: `makeFiles` is the source of a function that gives `{ files, items }`. */
    const drop = (makeFiles, ...given) => page.evaluate(({ source, given }) => {
      const { files = [], items = [] } = (0, eval)(`(${source})`)(...given)
      document.dispatchEvent(Object.assign(new Event('drop', { cancelable: true }), { dataTransfer: { files, items } }))
    }, { source: String(makeFiles), given })

    test('a file that has changed since it was chosen', async () => {
      const [first, second] = ['valve.safetensors', 'digits.safetensors'].map((file) => join(folder, file))
      await cp(AMPLIFIER, first)
      await cp(DIGITS, second)
      await open([first, second], /(valve|digits)\.safetensors is open/)
      const other = /^valve/.test(await page.textContent('#message')) ? second : first
      await new Promise((resolve) => setTimeout(resolve, 1100)) // the time of a change is told in seconds
      await writeFile(other, (await readFile(other)).subarray(0, 900))
      await page.click('#others button')
      await hasText('#message', /safetensors (has changed or is gone|has become shorter) since it was chosen: choose it again\.[^]*is still open below\.$/)
    })

    test('a file that is gone', async () => {
      const [first, second] = ['a.safetensors', 'b.safetensors'].map((file) => join(folder, file))
      await cp(AMPLIFIER, first)
      await cp(AMPLIFIER, second)
      await open([first, second], /(a|b)\.safetensors is open/)
      await rm(/^a/.test(await page.textContent('#message')) ? second : first)
      await page.click('#others button')
      await hasText('#message', /safetensors has changed or is gone since it was chosen/)
    })

    test('a folder: the model in it, and the files beside it; an empty one', async () => {
      await drop((content) => {
        const entry = (file) => ({ isFile: true, file: (resolve) => resolve(file) })
        const files = [new File(['notes'], 'notes.txt'), new File([new Uint8Array(content)], 'inner.safetensors')]
        // Browsers give what is in a folder in pieces.
        const pieces = [[entry(files[0])], [{ isFile: false, createReader: () => ({ readEntries: (resolve) => resolve(inner.splice(0)) }) }], []]
        const inner = [entry(files[1])]
        return { files: [new File([], 'folder')], items: [{ webkitGetAsEntry: () => ({ isFile: false, createReader: () => ({ readEntries: (resolve) => resolve(pieces.shift()) }) }) }] }
      }, [...await readFile(AMPLIFIER)])
      await hasText('#message', /inner\.safetensors is open/)
      await drop(() => ({ files: [new File([], 'folder')], items: [{ webkitGetAsEntry: () => ({ isFile: false, createReader: () => ({ readEntries: (resolve) => resolve([]) }) }) }] }))
      await hasText('#message', /^The folder is empty\.$/)
      await drop(() => {
        const many = Array.from({ length: 600 }, (_, n) => ({ isFile: true, file: (resolve) => resolve(new File(['x'], `${n}.txt`)) }))
        return { files: [new File([], 'folder')], items: [{ webkitGetAsEntry: () => ({ isFile: false, createReader: () => ({ readEntries: (resolve) => resolve(many.splice(0, 100)) }) }) }] }
      })
      await hasText('#message', /more than 500 files/)
    })

    test('a folder from the desktop', { skip: name === 'firefox' }, async () => {
      await mkdir(join(folder, 'dropped', 'weights'), { recursive: true })
      await cp(DIGITS, join(folder, 'dropped', 'weights', 'found.safetensors'))
      const session = await page.context().newCDPSession(page)
      const data = { items: [], files: [join(folder, 'dropped')], dragOperationsMask: 1 }
      for (const type of ['dragEnter', 'dragOver', 'drop']) await session.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data })
      await hasText('#message', /found\.safetensors is open/)
    })

    test('a file that no page can hold', async () => {
      await drop(() => ({ files: [Object.defineProperty(new File(['x'], 'huge.onnx'), 'size', { value: 3e9 })] }))
      await hasText('#message', /^huge\.onnx has 3\.0 GB, more than a page can hold/)
    })

    test('Cancel ends what takes long, and the page goes on', async () => {
      await drop(() => {
        const file = Object.defineProperty(new File(['x'], 'slow.onnx'), 'size', { value: 1e6 })
        file.stream = () => new ReadableStream({
          async pull(controller) {
            await new Promise((resolve) => setTimeout(resolve, 50))
            controller.enqueue(new Uint8Array(1000))
          },
        })
        return { files: [file] }
      })
      await page.waitForFunction(() => document.getElementById('progress').value > 0.002)
      await page.click('#cancel')
      await hasText('#message', /^Cancelled\.\n.* is still open below\.$/)
      await open(DIGITS, /digits\.safetensors is open/)
      assert.equal(await page.locator('#working').evaluate((element) => getComputedStyle(element).visibility), 'hidden')
    })

    test('the one that was chosen last is opened', async () => {
      await page.evaluate(() => {
        for (const button of document.querySelectorAll('#shelf button')) button.click()
        document.querySelector('#shelf button').click()
      })
      await hasText('#message', /^digits\.safetensors is open/)
      assert.equal(await page.textContent('#shelf [aria-pressed="true"] strong'), 'Digits')
    })

    test('options of load are tried on the same file', async () => {
      const silero = await readFile(join(ROOT, 'node_modules', '@ricky0123', 'vad-web', 'dist', 'silero_vad_v5.onnx'))
      await open({ name: 'vad.onnx', mimeType: 'application/octet-stream', buffer: silero }, /UNSUPPORTED: [^]*constants/)
      await page.fill('#options', '{ "constants": { "sr": 16000 } }')
      await page.click('#reopen')
      await hasText('#message', /^vad\.onnx is open/)
      await page.fill('#options', '')
    })

    test('nothing went wrong behind it', () => assert.deepEqual(errors, []))
  })
}

test('nothing is asked of another server, nothing is sent, and all goes on without a network', async () => {
  const browser = await launch('chromium')
  try {
    const context = await browser.newContext()
    const page = await context.newPage()
    const asked = []
    page.on('request', (request) => asked.push({ method: request.method(), url: request.url() }))
    await page.goto(`${site.origin}/playground/`)
    const message = (pattern) => page.waitForFunction((source) => new RegExp(source).test(document.getElementById('message').textContent), pattern, { timeout: PATIENCE })
    await message('digits')
    const finds = async (words, path) => {
      await page.fill('#search', words)
      await page.waitForFunction((path) => [...document.querySelectorAll('#found a')].some(({ href }) => href.includes(path)), path)
    }
    await finds('thousands of sessions', 'streams.html#thousands')
    // Readers and streams come with the first model that needs them.
    await page.setInputFiles('#files', AMPLIFIER)
    await message('^valve')
    await context.setOffline(true)
    await page.setInputFiles('#files', DIGITS)
    await message('^digits')
    await finds('forget bias', 'words.html')
    const own = new URL(site.origin).origin
    assert.deepEqual(asked.filter(({ method, url }) => method !== 'GET' || !(url.startsWith(own) || /^(blob|data):/.test(url))), [])
    assert.ok(asked.length > 20)
  } finally {
    await browser.close()
  }
})

test('without workers it opens, runs and trains', async () => {
  const browser = await launch('chromium')
  try {
    const page = await browser.newPage()
    page.setDefaultTimeout(PATIENCE)
    const errors = []
    page.on('pageerror', ({ message }) => errors.push(message))
    await page.addInitScript(() => {
      for (const missing of ['Worker', 'SharedWorker', 'SharedArrayBuffer']) delete globalThis[missing]
    })
    await page.goto(`${site.origin}/playground/`)
    await page.click('#shelf >> text=Moby-Dick')
    await page.waitForFunction(() => /^moby/.test(document.getElementById('message').textContent))
    await page.click('#train-begin')
    await page.fill('[aria-label="Text to learn from"]', 'It was the best of times, it was the worst of times. '.repeat(5))
    await page.click('text=Add this text')
    await page.fill('#train-epochs', '1')
    await page.click('#train')
    await page.waitForFunction(() => /^1 epochs/.test(document.getElementById('train-state').textContent))
    assert.deepEqual(errors, [])
  } finally {
    await browser.close()
  }
})

test('fingers draw a digit, look at a unit and a timestep, and still move the page', async () => {
  const browser = await launch('chromium')
  try {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true })
    const page = await context.newPage()
    page.setDefaultTimeout(PATIENCE)
    await page.goto(`${site.origin}/playground/`)
    await page.waitForSelector('.map canvas')
    const session = await context.newCDPSession(page)
    const finger = async (...points) => {
      for (const [n, [x, y]] of points.entries()) await session.send('Input.dispatchTouchEvent', { type: n === 0 ? 'touchStart' : 'touchMove', touchPoints: [{ x, y }] })
      await session.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] })
    }
    await page.tap('text=Draw')
    await page.locator('.pad').scrollIntoViewIfNeeded()
    const pad = await page.locator('.pad').boundingBox()
    await finger(...Array.from({ length: 11 }, (_, n) => [pad.x + pad.width * (0.55 - 0.01 * n), pad.y + pad.height * (0.2 + 0.06 * n)]))
    await page.waitForFunction(() => document.querySelector('#outputs .bars li code').textContent === '1')
    const map = page.locator('.map canvas').first()
    await map.scrollIntoViewIfNeeded()
    const { x, y, width, height } = await map.boundingBox()
    await page.touchscreen.tap(x + width * 0.99, y + height * 0.01)
    await page.waitForFunction(() => document.querySelector('label[for="watch-t"]').textContent === 'Timestep 27')
    assert.equal(await page.textContent('label[for="watch-unit"]'), 'Unit 0')
    const before = await page.evaluate(() => scrollY)
    await finger(...Array.from({ length: 12 }, (_, n) => [x + width / 2, y + height * 0.9 - 10 * n]))
    await page.waitForFunction((before) => scrollY > before + 40, before)
  } finally {
    await browser.close()
  }
})
