// What every part of the page draws with.

export const element = (id) => document.getElementById(id)

/** A new element: properties (`class`, `on...` and attributes with a dash or `role` too), then children. */
export function make(tag, properties = {}, ...children) {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'class') made.className = value
    else if (name.startsWith('on')) made.addEventListener(name.slice(2), value)
    else if (name.includes('-') || name === 'role' || name === 'for') made.setAttribute(name, value)
    else made[name] = value
  }
  made.append(...children.filter((child) => child !== undefined && child !== false))
  return made
}

const known = new Map()
const forget = () => known.clear()
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', forget)
addEventListener('themechange', forget)

/** A colour of theme.css by its name there (`warm`), as [red, green, blue]. */
export function colourOf(name) {
  if (!known.has(name)) {
    const probe = document.body.appendChild(make('span'))
    probe.style.color = `var(--${name})`
    known.set(name, getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3).map(Number))
    probe.remove()
  }
  return known.get(name)
}

export const cssColour = (name) => `rgb(${colourOf(name).join(' ')})`

/** Calls back when the page turns light or dark. */
export function onTheme(draw) {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw)
  addEventListener('themechange', draw)
}

/** A clean canvas with as many pixels as the screen shows, and what draws on it in units of the page. */
export function clearCanvas(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas
  canvas.width = Math.round(width * devicePixelRatio)
  canvas.height = Math.round(height * devicePixelRatio)
  const picture = canvas.getContext('2d')
  picture.scale(devicePixelRatio, devicePixelRatio)
  return { picture, width, height }
}

export const grouped = (value) => value.toLocaleString('en')

/** Bytes as people say them. */
export function bytesText(bytes) {
  return bytes < 1000 ? `${bytes} bytes` : bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}

/** A number in few figures. */
export function short(value, figures = 4) {
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return String(value)
  const text = value.toPrecision(figures)
  return text.includes('e') ? text : String(Number(text))
}

export const shapeText = (shape) => `[${shape.join(', ')}]`

/** Lets the browser draw. */
export const pause = () => new Promise((resolve) => setTimeout(resolve))

/** Hands bytes or text over as a file. */
export function download(name, content) {
  const url = URL.createObjectURL(new Blob([content]))
  make('a', { href: url, download: name }).click()
  setTimeout(() => URL.revokeObjectURL(url), 1000)
}

/** Says in an element what went well, or wrong. */
export function say(id, text, bad = false) {
  element(id).textContent = text
  element(id).classList.toggle('bad', bad)
}

/** What went wrong, in the library's own words. */
export function wordsOf(error) {
  return error.code === undefined || error.name !== 'LstmError' ? error.message : `${error.code}: ${error.message}`
}
