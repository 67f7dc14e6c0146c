// The page that reads lines, used as a person would; what it reads is what the program on a terminal reads of the same pictures.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const at = (path) => fileURLToPath(new URL(path, import.meta.url))

/** What `lstm-wasm read` says of a PNG file. */
async function readInTerminal(png, network) {
  const folder = await mkdtemp(join(tmpdir(), 'lstm-wasm-'))
  try {
    await writeFile(join(folder, 'line.png'), png)
    const { stdout } = await run(process.execPath, [at('../../dist/cli.js'), 'read', join(folder, 'line.png'), '--model', at(`../../examples/ocr/models/${network}`)])
    return stdout.slice(0, -1)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Lines of examples one below the other, as a PNG file. */
async function pictureOf(page, language, examples) {
  const base64 = await page.evaluate(async ({ language, examples }) => {
    const { exampleLine } = await import('/examples/ocr/examples.mjs')
    const lines = examples.map((n) => exampleLine(language, n))
    const canvas = new OffscreenCanvas(Math.max(...lines.map(({ width }) => width)), lines.reduce((sum, { height }) => sum + height, 0))
    const context = canvas.getContext('2d')
    context.fillStyle = '#f4efe4'
    context.fillRect(0, 0, canvas.width, canvas.height)
    let y = 0
    for (const line of lines) {
      context.drawImage(line, 0, y)
      y += line.height
    }
    const bytes = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
  }, { language, examples })
  return Buffer.from(base64, 'base64')
}

const textIs = (page, text) => page.waitForFunction((expected) => document.getElementById('text').textContent === expected, text)

/** A file as the clipboard, or the pointer, brings it. */
async function bring(page, type, png) {
  await page.evaluate(({ type, base64 }) => {
    const transfer = new DataTransfer()
    transfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], 'line.png', { type: 'image/png' }))
    // Not all browsers let a program make such events with files in them.
    const event = new Event(type, { bubbles: true, cancelable: true })
    document.dispatchEvent(Object.defineProperty(event, type === 'paste' ? 'clipboardData' : 'dataTransfer', { value: transfer }))
  }, { type, base64: png.toString('base64') })
}

/** The pen, from point to point; shares of the sheet's width and height. */
async function pull(page, ...points) {
  const { x, y, width, height } = await page.locator('#sheet').boundingBox()
  const [first, ...more] = points.map(([across, down]) => [x + across * width, y + down * height])
  await page.mouse.move(...first)
  await page.mouse.down()
  for (const point of more) await page.mouse.move(...point, { steps: 6 })
  await page.mouse.up()
}

async function checkFigure(page) {
  const { crop, map, labels, coloured, characters } = await page.evaluate(() => {
    const boxOf = (id) => {
      const { left, width } = document.getElementById(id).getBoundingClientRect()
      return { left, width }
    }
    const map = document.getElementById('map')
    const { data } = map.getContext('2d').getImageData(0, 0, map.width, map.height)
    return {
      crop: boxOf('crop'), map: { ...boxOf('map'), steps: map.width, rows: map.height },
      labels: [...document.querySelectorAll('#labels div')].map(({ textContent }) => textContent),
      coloured: new Set(new Uint32Array(data.buffer)).size,
      characters: [...document.querySelectorAll('#characters li')].map((item) => item.getAttribute('aria-label')),
    }
  })
  assert.equal(map.left, crop.left)
  assert.ok(map.width <= crop.width + 0.1 && map.width > crop.width * (1 - 1 / map.steps), `the map is ${map.width} wide, the line ${crop.width}`)
  assert.equal(labels.length, map.rows)
  assert.equal(labels.at(-1), '∅')
  assert.ok(coloured > 20, `the map has ${coloured} colours`)
  assert.ok(characters.every((text) => /^.+, \d+ %$/.test(text)), characters.join(' | '))
  return { labels, characters }
}

/** What a character was read from is framed when the pointer is over it: in the middle of a line of equal halves, the middle. */
async function checkMark(page) {
  const count = await page.locator('#characters li').count()
  const middles = []
  for (const n of [1, count]) {
    await page.hover(`#characters li:nth-child(${n})`)
    const { left, width } = await page.locator('#mark').boundingBox()
    const line = await page.locator('#aligned').boundingBox()
    middles.push((left ?? 0) + width / 2, (await page.locator('#mark').evaluate((mark) => parseFloat(mark.style.left))))
    assert.ok(width > 1 && width < line.width / 4)
  }
  assert.ok(middles[1] < 10 && middles[3] > 90, `the first character is at ${middles[1]} %, the last at ${middles[3]} %`)
}

export async function ocr({ page, origin, name }) {
  await page.goto(`${origin}/examples/ocr/`)
  await page.waitForFunction(() => document.getElementById('network').options.length >= 5 && !document.getElementById('example').disabled)
  const network = 'eng-best_int.traineddata'
  await page.selectOption('#network', network)
  await page.click('#example')
  const first = await readInTerminal(await pictureOf(page, 'eng', [0]), network)
  assert.match(first, /quick brown fox/)
  await textIs(page, first)
  const { characters, labels } = await checkFigure(page)
  assert.equal(characters.map((text) => text.replace(/^space/, ' ').replace(/, \d+ %$/, '')).join(''), first)
  for (const letter of new Set(first.replaceAll(' ', ''))) assert.ok(labels.includes(letter), `no row for ${letter}`)
  await checkMark(page)

  // Two lines: the pointer chooses one of them.
  await page.setInputFiles('#picture', { name: 'two.png', mimeType: 'image/png', buffer: await pictureOf(page, 'eng', [1, 3]) })
  await page.waitForFunction((before) => document.getElementById('text').textContent !== before, first)
  await pull(page, [0.01, 0.52], [0.99, 0.98])
  const second = await readInTerminal(await pictureOf(page, 'eng', [3]), network)
  assert.match(second, /bridges/)
  await textIs(page, second)

  for (const [type, n] of [['paste', 2], ['drop', 1]]) {
    const png = await pictureOf(page, 'eng', [n])
    await bring(page, type, png)
    await textIs(page, await readInTerminal(png, network))
  }
  await page.setInputFiles('#picture', at('README.md'))
  await page.waitForFunction(() => /README\.md: the browser knows no picture/.test(document.getElementById('message').textContent))

  // Written by hand: T, H, E in print letters.
  await page.click('#clear')
  await textIs(page, '')
  assert.equal(await page.isVisible('#figure'), false)
  for (const stroke of [
    [[0.3, 0.2], [0.37, 0.2]], [[0.335, 0.2], [0.335, 0.8]],
    [[0.4, 0.2], [0.4, 0.8]], [[0.47, 0.2], [0.47, 0.8]], [[0.4, 0.5], [0.47, 0.5]],
    [[0.57, 0.2], [0.51, 0.2], [0.51, 0.8], [0.57, 0.8]], [[0.51, 0.5], [0.56, 0.5]],
  ]) await pull(page, ...stroke)
  await textIs(page, 'THE')

  // From right to left, in the order in which it is read. The example is asked for before the network is there.
  let letThrough
  const isAsked = new Promise((resolve) => (letThrough = resolve))
  await page.route('**/ara-best_int.traineddata', (route) => isAsked.then(() => route.continue()))
  await page.selectOption('#network', 'ara-best_int.traineddata')
  await page.click('#example')
  letThrough()
  // القراءة في 2026 سهلة: the number keeps its order, the words are turned.
  await page.waitForFunction(() => /^\p{Script=Arabic}[\p{Script=Arabic} ]+ 2026 \p{Script=Arabic}+$/u.test(document.getElementById('text').textContent))
  assert.match(await page.textContent('#facts'), /characters stand as they are seen, from left to right$/)

  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme })
    for (const [width, height] of [[390, 844], [360, 740], [1280, 900]]) {
      await page.setViewportSize({ width, height })
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
      assert.equal(overflow, 0, `at ${width} pixels the page is ${overflow} wider than the window`)
    }
    // Firefox is not told of colours here.
    if (name === 'firefox') continue
    const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    const brightness = ground.match(/\d+/g).slice(0, 3).reduce((sum, value) => sum + Number(value), 0) / 3
    assert.ok(colorScheme === 'light' ? brightness > 200 : brightness < 60, `${colorScheme}: the page is ${ground}`)
  }
}
