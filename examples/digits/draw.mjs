const SIDE = 28
const SHADES = ' .:-=+*#%@'
const GAP = '   '

/** Images of 28 x 28 pixels side by side (two rows of pixels a line), and the probabilities below each. */
export function drawDigits(digits) {
  const lines = []
  for (let row = 0; row < SIDE; row += 2) lines.push(digits.map(({ pixels }) => drawLine(pixels, row)).join(GAP))
  const bars = digits.map(({ label, probabilities }) => describe(label, probabilities))
  for (let n = 0; n < bars[0].length; n++) lines.push(bars.map((text) => text[n].padEnd(SIDE)).join(GAP))
  return lines.map((line) => line.trimEnd()).filter((line, n) => line !== '' || n >= SIDE / 2).join('\n')
}

function drawLine(pixels, row) {
  let line = ''
  for (let column = 0; column < SIDE; column++) {
    const ink = (pixels[row * SIDE + column] + pixels[(row + 1) * SIDE + column]) / 2
    line += SHADES[Math.min(SHADES.length - 1, Math.floor(ink * SHADES.length))]
  }
  return line
}

/** The label, and the three likeliest digits with a bar each. */
function describe(label, probabilities) {
  const likeliest = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]).slice(0, 3)
  return [
    `is ${label}`,
    ...likeliest.map((digit) => {
      const share = probabilities[digit]
      return `${digit} ${(share * 100).toFixed(1).padStart(5)} % ${'#'.repeat(Math.round(share * 16))}`
    }),
  ]
}
