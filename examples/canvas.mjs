/** A clean canvas with as many pixels as the screen shows, and what draws on it in units of the page. */
export function clearCanvas(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas
  const scale = globalThis.devicePixelRatio
  canvas.width = Math.round(width * scale)
  canvas.height = Math.round(height * scale)
  const picture = canvas.getContext('2d')
  picture.scale(scale, scale)
  return { picture, width, height }
}

const known = new Map()
const forget = () => known.clear()
globalThis.matchMedia?.('(prefers-color-scheme: dark)').addEventListener('change', forget)
globalThis.addEventListener?.('themechange', forget)

/** A colour of docs/playground/theme.css by its name there (`warm`), light or dark as the page is. */
export function colourOf(name) {
  if (!known.has(name)) {
    const probe = document.body.appendChild(document.createElement('span'))
    probe.style.color = `var(--${name})`
    known.set(name, getComputedStyle(probe).color)
    probe.remove()
  }
  return known.get(name)
}
