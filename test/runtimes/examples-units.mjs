// The page that trains, used as a person would.
import assert from 'node:assert/strict'

const hasText = (page, selector, pattern) => page.waitForFunction(
  ({ selector, source }) => new RegExp(source).test(document.querySelector(selector).textContent), { selector, source: pattern.source },
)

/** Draws a one: a stroke from top to bottom. */
async function drawOne(page) {
  await page.locator('#pad').scrollIntoViewIfNeeded()
  const { x, y, width, height } = await page.locator('#pad').boundingBox()
  await page.mouse.move(x + width * 0.55, y + height * 0.15)
  await page.mouse.down()
  for (let n = 1; n <= 10; n++) await page.mouse.move(x + width * (0.55 - 0.008 * n), y + height * (0.15 + 0.07 * n))
  await page.mouse.up()
}

export async function units({ page, origin }) {
  await page.goto(`${origin}/examples/units/`)
  await page.uncheck('#units input[value="8"]')
  await page.click('#train')
  await hasText(page, '#state', /32 units: loss/)
  await page.waitForSelector('#results tr', { timeout: 180_000 })
  const [name, parameters, , accuracy] = await page.locator('#results td').allTextContents()
  assert.equal(name, '32')
  assert.equal(parameters, '8,266')
  assert.ok(parseFloat(accuracy) > 60, `it learns: ${accuracy}`)
  await hasText(page, '#train', /^Train$/)
  await drawOne(page)
  await hasText(page, '#answer', /^\d \(\d+\.\d %\)$/)
  await page.click('#train')
  await hasText(page, '#train', /^Stop$/)
  await page.click('#train')
  await hasText(page, '#train', /^Train$/)
  for (const [width, height] of [[390, 844], [1280, 900]]) {
    await page.setViewportSize({ width, height })
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    assert.equal(overflow, 0, `at ${width} pixels the page is ${overflow} wider than the window`)
  }
}
