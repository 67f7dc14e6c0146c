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
  await hasText(page, '#state', /^epoch \d+: loss/)
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

/** A WAV file with one channel of floats. */
function wav(samples, sampleRate) {
  const header = Buffer.alloc(44)
  header.write('RIFF')
  header.writeUInt32LE(36 + 4 * samples.length, 4)
  header.write('WAVEfmt ', 8)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(3, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(sampleRate, 24)
  header.writeUInt32LE(4 * sampleRate, 28)
  header.writeUInt16LE(4, 32)
  header.writeUInt16LE(32, 34)
  header.write('data', 36)
  header.writeUInt32LE(4 * samples.length, 40)
  return Buffer.concat([header, Buffer.from(Float32Array.from(samples).buffer)])
}

/** What a link of the page saves. */
const saved = (page, selector) => page.evaluate(async (id) => [...new Uint8Array(await (await fetch(document.querySelector(id).href)).arrayBuffer())], selector)

export async function capture({ page, origin, name }) {
  await page.goto(`${origin}/examples/capture/`)
  await hasText(page, '#about', /made of formulas: 12\.8 s at 48,000 Hz; the amplified one is 17\d samples late/)
  await page.selectOption('#units', '8')
  await page.selectOption('#epochs', '4')
  await page.click('#train')
  await hasText(page, '#state', /^trained/)
  const ratio = async () => parseFloat(/ratio ([\d.]+)/.exec(await page.textContent('#ratio'))[1])
  assert.ok(await ratio() < 0.6, `it learns: ${await ratio()}`)
  // What it saves is read by the reader of each format, and is the model that was trained.
  const files = await Promise.all(['#save-json', '#save-nam'].map((selector) => saved(page, selector)))
  const { load } = await import('../../dist/index.js')
  const x = { dtype: 'float32', shape: [1, 200, 1], data: Float32Array.from({ length: 200 }, (_, n) => Math.sin(n / 9)) }
  const outputs = await Promise.all(files.map(async (bytes) => (await load(Uint8Array.from(bytes))).run({ input: x }).output.data))
  assert.ok(outputs[0].every((value, n) => Math.abs(value - outputs[1][n]) < 1e-6) && outputs[0].some((value) => Math.abs(value) > 0.01))
  // Headless Firefox has no sound device to wait for.
  if (name === 'chromium') {
    await page.click('#play-model')
    await page.waitForSelector('#play-model[aria-pressed="true"]')
    await page.click('#play-amplified')
    await page.waitForSelector('#play-amplified[aria-pressed="true"]')
    assert.equal(await page.getAttribute('#play-model', 'aria-pressed'), 'false')
    await page.click('#play-amplified')
  }
  // Recordings of one's own: the second is 40 samples late, and upside down. What is stopped is judged.
  let seed = 1
  const noise = Float32Array.from({ length: 3 * 44100 }, () => (seed = (Math.imul(seed, 1664525) + 1013904223) | 0) / 2 ** 32)
  const late = noise.map((_, n) => (n < 40 ? 0 : -0.7 * noise[n - 40]))
  const file = (own, samples, rate = 44100) => ({ name: own, mimeType: 'audio/wav', buffer: wav(samples, rate) })
  await page.setInputFiles('#clean', file('di.wav', noise))
  await hasText(page, '#about', /di\.wav: now the amplified recording/)
  await page.setInputFiles('#amplified', file('amp.wav', late))
  await hasText(page, '#about', /di\.wav and amp\.wav: 3\.0 s at 44,100 Hz; the amplified one is 39 samples late/)
  await page.selectOption('#epochs', '150')
  await page.click('#train')
  await hasText(page, '#state', /^epoch \d+: loss/)
  await page.click('#train')
  await hasText(page, '#state', /^trained/)
  assert.ok(await ratio() > 0)
  await page.setInputFiles('#amplified', file('amp.wav', late, 48000))
  await hasText(page, '#message', /expected one sample rate, got 44100 Hz of di\.wav and 48000 Hz of amp\.wav/)
  await page.setInputFiles('#amplified', { name: 'x.wav', mimeType: 'audio/wav', buffer: Buffer.from('no sound') })
  await hasText(page, '#message', /x\.wav: this is no WAV file/)
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
  await page.waitForFunction(() => document.querySelectorAll('#samples article').length >= 1)
  const before = await page.locator('#samples article').count()
  await page.click('#train')
  await hasText(page, '#state', /^trained/)
  assert.ok(await page.locator('#samples article').count() > before)
  await page.setInputFiles('#file', file('too short'))
  await hasText(page, '#message', /the text has \d+ characters that occur more than a few times: expected [\d]+ or more/)
  await fits(page)
}
