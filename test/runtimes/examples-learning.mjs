// The pages that learn from a file of one's own, used as a person would.
import assert from 'node:assert/strict'

const hasText = (page, selector, pattern) => page.waitForFunction(
  ({ selector, source }) => new RegExp(source).test(document.querySelector(selector).textContent), { selector, source: pattern.source }, { timeout: 180_000 },
)

async function fits(page) {
  for (const [width, height] of [[390, 844], [1280, 900]]) {
    await page.setViewportSize({ width, height })
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    assert.equal(overflow, 0, `at ${width} pixels the page is ${overflow} wider than the window`)
  }
}

/** Errors as the table of examples/forecast tells them: of the LSTM, then of the naive forecasts. */
const errors = async (page) => (await page.locator('#errors td:nth-child(2)').allTextContents()).map(Number)

export async function forecast({ page, origin }) {
  await page.goto(`${origin}/examples/forecast/`)
  await hasText(page, '#about', /load, in megawatts: 5,040 rows/)
  await page.selectOption('#past', '24')
  await page.selectOption('#epochs', '2')
  await page.click('#train')
  await hasText(page, '#state', /^trained/)
  const [lstm, last] = await errors(page)
  assert.ok(lstm < 0.8 * last, `two epochs are better than the last value known: ${lstm} beside ${last}`)
  // What is stopped forecasts with what it has learnt.
  await page.selectOption('#epochs', '30')
  await page.selectOption('#past', '48')
  assert.deepEqual(await errors(page), [], 'errors are those of the settings')
  await page.click('#train')
  await hasText(page, '#state', /^epoch 1: loss/)
  await page.click('#train')
  await hasText(page, '#state', /^trained/)
  assert.equal((await errors(page)).length, 4)
  assert.equal(await page.textContent('#train'), 'Train')
  // A file of one's own: semicolons, commas in numbers, a column of text. A sine of 24 rows: what was 24 rows before is right, but for rounding.
  const lines = Array.from({ length: 900 }, (_, n) => `day ${n};${(10 + Math.sin(n * Math.PI / 12)).toFixed(4).replace('.', ',')};${n}`)
  const file = (text) => ({ name: 'own.csv', mimeType: 'text/csv', buffer: Buffer.from(text) })
  await page.setInputFiles('#file', file(['when;height;number', ...lines].join('\n')))
  await hasText(page, '#about', /number: 900 rows, own\.csv/)
  await page.selectOption('#column', { label: 'height' })
  await page.selectOption('#epochs', '10')
  await page.click('#train')
  await hasText(page, '#state', /^trained/)
  const [sine, constant, day] = await errors(page)
  assert.ok(day < 1e-3 && constant > 0.5 && sine < 0.3, `${sine} beside ${constant} and ${day}`)
  await page.setInputFiles('#file', file('a,b\n1,2\n3\n'))
  await hasText(page, '#message', /own\.csv: line 3: expected 2 fields, got 1/)
  await page.setInputFiles('#file', file(Array.from({ length: 40 }, (_, n) => n).join('\n')))
  await page.click('#train')
  await hasText(page, '#message', /40 rows are too few/)
  await fits(page)
}

export async function writer({ page, origin }) {
  await page.goto(`${origin}/examples/writer/`)
  await hasText(page, '#about', /Moby-Dick.*: 1,\d\d\d,\d\d\d characters, \d\d different ones\. Left out/)
  // A text of one's own, with a character that it has once. What it repeats is soon learnt by heart.
  const file = (text) => ({ name: 'own.txt', mimeType: 'text/plain', buffer: Buffer.from(text) })
  await page.setInputFiles('#file', file(`${'the sea, the ship, the whale. '.repeat(900)}ж`))
  await hasText(page, '#about', /own\.txt: 27,000 characters, 13 different ones\. Left out, because they hardly occur: “ж”/)
  await page.fill('#beginning', 'the Xship')
  await hasText(page, '#unknown', /The text has no “X”: left out/)
  await page.selectOption('#units', '64')
  await page.click('#train')
  await hasText(page, '#state', /^trained/)
  const nats = parseFloat(await page.textContent('#held'))
  assert.ok(nats < 0.3, `it learns by heart: ${nats} nats a character`)
  assert.match(await page.locator('#samples p').first().textContent(), /^the ship, the whale\. the sea, the ship/)
  assert.ok(await page.locator('#samples article').count() >= 10, 'a sample after each epoch')
  // The novel: a sample before the epoch ends; what is stopped writes once more.
  await page.click('#own')
  await hasText(page, '#about', /Moby-Dick/)
  await page.click('#train')
  await hasText(page, '#state', /^epoch 1: .* nats a character/)
  await page.waitForFunction(() => document.querySelectorAll('#samples article').length === 1)
  await page.click('#train')
  await hasText(page, '#state', /^trained/)
  assert.equal(await page.locator('#samples article').count(), 2)
  await page.setInputFiles('#file', file('too short'))
  await hasText(page, '#message', /the text has \d+ characters: expected [\d]+ or more/)
  await fits(page)
}
