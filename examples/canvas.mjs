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
