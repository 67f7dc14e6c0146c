// The pages of the examples, used as a person would.
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { createDetector, detectAll, findSpeech } from '../../examples/vad/detector.mjs'
import { makeVoice } from '../../examples/vad/voice.mjs'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))

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
  await page.click('#riff')
  assert.equal(await page.getAttribute('#riff', 'aria-pressed'), 'false')
}

async function vad({ page, origin }) {
  await page.goto(`${origin}/examples/vad/`)
  await page.click('#example')
  const seconds = (frame) => `${(frame * 512 / 16000).toFixed(2)} s`
  const expected = findSpeech(detectAll(await createDetector(), makeVoice(16000))).map(([from, to]) => `speech from ${seconds(from)} to ${seconds(to)}`)
  await page.waitForSelector('#speech li')
  assert.deepEqual(await page.locator('#speech li').allTextContents(), expected)
  assert.equal(expected.length, 3)
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
  await page.fill('#prompt', 'The whale')
  await page.fill('#pace', '4')
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

export const PAGE_CHECKS = [
  ['examples/amp plays, and opens files', amp],
  ['examples/vad finds the speech that Node finds', vad],
  ['examples/charrnn writes', charrnn],
]
