// The line as the network sees it, and aligned under it what it says of each step.
import { colourOf } from '../canvas.mjs'

/** In units of the page. */
const ROW = 15
const NARROWEST_STEP = 3
const MOST_ROWS = 60
/** Outputs that never reach it have no row. */
const LEAST = 0.04

/** The colours of a map, from nothing to certain: those of the page. */
function ramp() {
  const canvas = new OffscreenCanvas(256, 1)
  const context = canvas.getContext('2d', { willReadFrequently: true })
  const gradient = context.createLinearGradient(0, 0, 256, 0)
  for (const [at, name] of [[0, 'sunk'], [0.5, 'half'], [1, 'warm']]) gradient.addColorStop(at, colourOf(name))
  context.fillStyle = gradient
  context.fillRect(0, 0, 256, 1)
  return context.getImageData(0, 0, 256, 1).data
}

/** Outputs that were thought of, in the order of where; what means nothing comes last. */
function rowsOf({ data, shape: [, steps, outputs] }, nullCode) {
  const best = Array.from({ length: outputs }, (_, output) => {
    let at = 0
    for (let step = 1; step < steps; step++) if (data[step * outputs + output] > data[at * outputs + output]) at = step
    return { output, at, most: data[at * outputs + output] }
  })
  const thought = best.filter(({ output, most }) => output !== nullCode && most >= LEAST).sort((a, b) => b.most - a.most).slice(0, MOST_ROWS)
  return [...thought.sort((a, b) => a.at - b.at).map(({ output }) => output), nullCode]
}

/** Greys of the network's input as a picture: -1 is black, 1 is white. */
function drawCrop(canvas, { data, shape: [, height, width] }) {
  Object.assign(canvas, { width, height })
  const picture = new ImageData(width, height)
  for (let n = 0; n < width * height; n++) {
    const grey = Math.round((data[n] + 1) * 127.5)
    picture.data.set([grey, grey, grey, 255], 4 * n)
  }
  canvas.getContext('2d').putImageData(picture, 0, 0)
}

/**
 * @param elements { figure, labels, scroller, aligned, crop, map }
 * @param labels the character of each output, '' for none
 */
export function drawFigure(elements, { pixels, probs, labels, nullCode }) {
  const { figure, scroller, aligned, crop, map } = elements
  const [, height, width] = pixels.shape
  const [, steps, outputs] = probs.shape
  const rows = rowsOf(probs, nullCode)
  figure.hidden = false
  // Both have one scale; long lines scroll inside the figure.
  const shown = Math.min(Math.max(scroller.clientWidth, steps * NARROWEST_STEP), width * 3)
  const cropHeight = Math.round(shown * height / width)
  aligned.style.width = `${shown}px`
  crop.style.width = `${shown}px`
  crop.style.height = `${cropHeight}px`
  drawCrop(crop, pixels)

  const colours = ramp()
  // A pixel for each probability; the browser makes them larger.
  Object.assign(map, { width: steps, height: rows.length })
  // Columns that make no whole step are cut off by the network.
  map.style.width = `${shown * steps * Math.floor(width / steps) / width}px`
  map.style.height = `${rows.length * ROW}px`
  map.style.imageRendering = 'pixelated'
  const picture = new ImageData(steps, rows.length)
  rows.forEach((output, row) => {
    for (let step = 0; step < steps; step++) {
      // The root shows also what was hardly thought of.
      const colour = Math.round(255 * Math.sqrt(probs.data[step * outputs + output]))
      picture.data.set(colours.subarray(4 * colour, 4 * colour + 4), 4 * (row * steps + step))
    }
  })
  map.getContext('2d').putImageData(picture, 0, 0)
  showLabels(elements.labels, rows.map((output) => (output === nullCode ? '∅' : labels[output] ?? `#${output}`)), cropHeight + 4)
}

function showLabels(element, texts, top) {
  element.style.paddingTop = `${top}px`
  element.replaceChildren(...texts.map((text) => Object.assign(document.createElement('div'), { textContent: text === ' ' ? '␣' : text, style: `height: ${ROW}px; line-height: ${ROW}px` })))
}
