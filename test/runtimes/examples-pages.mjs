// The pages of the examples, used as a person would.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { capture, forecast, writer } from './examples-learning.mjs'
import { ocr } from './examples-ocr.mjs'
import { units } from './examples-units.mjs'
import { createDetector, detectAll, findSpeech } from '../../examples/vad/detector.mjs'
import { makeVoice } from '../../examples/vad/voice.mjs'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))

const PAGES = ['amp', 'vad', 'charrnn', 'ocr', 'units', 'forecast', 'capture', 'writer', 'benchmark']

const hasText = (page, selector, pattern) => page.waitForFunction(
  ({ selector, source }) => new RegExp(source).test(document.querySelector(selector).textContent), { selector, source: pattern.source },
)

async function amp({ page, origin, name }) {
  await page.goto(`${origin}/examples/amp/`)
  await hasText(page, '#about', /6,761.*faster than real time/)
  await page.setInputFiles('#file', at('../golden/amp/amp.json'))
  await hasText(page, '#about', /amp\.json/)
  await page.setInputFiles('#file', at('README.md'))
  await hasText(page, '#message', /expected|no model/)
  assert.match(await page.textContent('#about'), /amp\.json/, 'a file that is no model changes nothing')
  await page.click('#own')
  await hasText(page, '#about', /built in/)
  await page.fill('#gain', '12')
  assert.equal(await page.textContent('#gain-value'), '12 dB')
  // Firefox has no sound in a headless window.
  if (name === 'firefox') return
  await page.click('#riff')
  await hasText(page, '#load-value', /\d %/)
  await page.waitForFunction(() => document.getElementById('out').value > -40)
  await page.setInputFiles('#file', at('../golden/amp/amp.json'))
  await hasText(page, '#about', /amp\.json/)
  assert.equal(await page.textContent('#riff'), 'Stop')
  await page.click('#riff')
  assert.equal(await page.getAttribute('#riff', 'aria-pressed'), 'false')
  assert.equal(await page.textContent('#riff'), 'Play the riff')
}

async function vad({ page, origin }) {
  await page.goto(`${origin}/examples/vad/`)
  await page.click('#example')
  const seconds = (frame) => `${(frame * 512 / 16000).toFixed(2)} s`
  const expected = findSpeech(detectAll(await createDetector(), makeVoice(16000))).map(([from, to]) => `speech from ${seconds(from)} to ${seconds(to)}`)
  await page.waitForSelector('#speech li')
  assert.deepEqual(await page.locator('#speech li').allTextContents(), expected)
  assert.equal(expected.length, 3)
  assert.equal(await page.textContent('#example'), 'Stop')
  await page.click('#example')
  assert.equal(await page.textContent('#example'), 'Play the example')
  const drawn = await page.evaluate(() => {
    const { width, height } = document.getElementById('plot')
    return document.getElementById('plot').getContext('2d').getImageData(0, 0, width, height).data.some((value) => value > 0)
  })
  assert.ok(drawn, 'nothing is drawn')
  await page.setInputFiles('#file', at('README.md'))
  await hasText(page, '#message', /README\.md: the browser knows no sound/)
}

async function charrnn({ page, origin }) {
  await page.goto(`${origin}/examples/charrnn/`)
  await page.fill('#prompt', 'The whale ж ø')
  await hasText(page, '#unknown', /has no “ж”, “ø”: left out/)
  await page.fill('#prompt', 'The whale')
  assert.equal(await page.textContent('#unknown'), '')
  // 1000 characters a second: as fast as it can, it may have come to its end before the button is pressed again.
  await page.fill('#pace', '3')
  await page.click('#go')
  await hasText(page, '#speed', /characters; it could write [\d,]+ a second/)
  await page.waitForFunction(() => document.getElementById('text').textContent.length > 400)
  await page.click('#go')
  const text = await page.textContent('#text')
  assert.match(text, /^The whale/)
  assert.equal(await page.textContent('#go'), 'Write')
  // At the model's own temperature about one character in six is a space: it writes words.
  const spaces = text.split(' ').length / text.length
  assert.ok(spaces > 0.1 && spaces < 0.3, `${spaces} of the text are spaces`)
}

async function benchmark({ page, origin }) {
  // Shortened: two rounds of a step and of a sequence, by every engine that is installed.
  await page.goto(`${origin}/examples/benchmark/?rounds=2&case=B1%20T1%20F1%20H32&case=B1%20T100%20F64%20H64`)
  await page.click('#run')
  await hasText(page, '#message', /^done: \d+ figures/)
  const results = JSON.parse(await page.evaluate(() => {
    Object.defineProperty(navigator, 'clipboard', { value: { writeText: () => Promise.reject(new Error('no')) } })
    document.getElementById('copy-json').click()
    return new Promise((resolve) => setTimeout(() => resolve(document.getElementById('text').value), 100))
  }))
  for (const engine of ['lstm-wasm', 'plain-js']) {
    const rows = results.rows.filter((row) => row.engine === engine)
    assert.ok(rows.length >= 2, `${engine} was not run`)
    assert.ok(rows.every(({ checked, medianUs }) => checked && medianUs > 0), `${engine}: ${JSON.stringify(rows)}`)
  }
  // What is installed must run here, and be right.
  assert.deepEqual(results.rows.filter(({ checked }) => !checked), [])
  assert.deepEqual(results.skipped, [])
  const missing = await page.locator('#engines input:disabled').evaluateAll((boxes) => boxes.map(({ value, checked }) => `${value} ${checked}`))
  assert.deepEqual(missing, existsSync(at('../../bench/peers/node_modules')) ? [] : ['onnxruntime-web false', 'tfjs-wasm false'])
  assert.ok(results.rows.every(({ engine, peakShare }) => engine !== 'lstm-wasm' || peakShare > 0))
  assert.equal(await page.locator('#results article').count(), 2)
  assert.equal(await page.locator('#results .ours .bar').count(), 4)
  await page.click('#copy-markdown')
  assert.match(await page.inputValue('#text'), /\| B1 T100 F64 H64 \| lstm-wasm/)
  // A run that is cancelled ends, and says so.
  await page.click('#all')
  await page.click('#run')
  await page.waitForSelector('#results article')
  await page.click('#cancel')
  await hasText(page, '#message', /^cancelled: \d+ figures/)
  for (const [width, height] of [[360, 740], [1280, 900]]) {
    await page.setViewportSize({ width, height })
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    assert.equal(overflow, 0, `at ${width} pixels the page is ${overflow} wider than the window`)
  }
}

/** Clicks that nobody listens to are lost; a form that nobody listens to leaves the page. Words may be typed before. */
async function early({ page, origin }) {
  await page.route('**/page.mjs', (route) => route.abort())
  for (const example of PAGES) {
    await page.goto(`${origin}/examples/${example}/`)
    const open = await page.locator(':is(button, input:not([type=text], [type=range]), select):enabled').evaluateAll((controls) => (
      controls.filter((control) => control.closest('[inert], [hidden]') === null).map(({ id }) => id)
    ))
    assert.deepEqual(open, [], example)
  }
}

export const PAGE_CHECKS = [
  ['pages take no click before their scripts listen', early],
  ['examples/amp plays, and opens files', amp],
  ['examples/vad finds the speech that Node finds', vad],
  ['examples/charrnn writes', charrnn],
  ['examples/ocr reads what a terminal reads, of examples, pictures and handwriting', ocr],
  ['examples/units trains, shows how, and recognises what is drawn', units],
  ['examples/forecast learns a series, forecasts rows that it has not seen, and opens files', forecast],
  ['examples/capture learns an amplifier of recordings, plays it, and saves it', capture],
  ['examples/writer learns a text, and writes while it learns', writer],
  ['examples/benchmark checks and times, and can be stopped', benchmark],
]
