// What all charts have in common: colours of the engines, letters, light and dark backgrounds.
import { UsageError } from '../command.ts'
import { loadPeer } from '../peers/load.ts'

/** Middle tones, legible on white and on black. */
export const COLOURS: Record<string, string> = {
  'lstm-wasm': '#e8590c', 'onnxruntime-web': '#228be6', 'tfjs-wasm': '#12a36d', 'onnxruntime-node': '#8f63f4', 'plain-js': '#8a929c', 'tfjs-cpu': '#c2a01c',
  'PyTorch': '#d6336c',
}

const STYLE = `
svg { background: #ffffff; color: #24292f; font: 13px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; }
text:not(.coloured) { fill: currentColor; }
@media (prefers-color-scheme: dark) { svg { background: #0d1117; color: #d6dde6; } }`

/**
 * Observable Plot, and a document to draw in.
 * @param what asks for it, in front of an error
 * @throws UsageError where they are not installed
 */
export async function openDrawing(what: string = ''): Promise<{ Plot: any, document: any }> {
  const [Plot, { parseHTML }] = await Promise.all([loadPeer('@observablehq/plot'), loadPeer('linkedom')]).catch((error: unknown) => {
    throw new UsageError(`${what}the charts' library is ${error instanceof Error ? error.message : String(error)}`)
  })
  return { Plot, document: parseHTML('<!doctype html><html><body></body></html>').document }
}

/**
 * A drawn plot as a file of its own.
 * @param words for people who do not see it
 */
export function toFile(svg: any, { title, description }: { title: string, description: string }) {
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  svg.setAttribute('role', 'img')
  svg.setAttribute('aria-label', `${title}. ${description}`)
  for (const style of svg.querySelectorAll('style')) style.remove()
  // The style is written into the text, because a DOM would escape it as it stands. A hundredth of a pixel is enough.
  const text = String(svg.outerHTML).replace(/ class="plot-[^"]*"/, '').replace(/^<svg([^>]*)>/, `<svg$1><style>${STYLE}</style>`)
    .replace(/ (?!aria-label)[\w-]+="[^"]*"/g, (attribute) => attribute.replace(/\d+\.\d{3,}/g, (number) => String(Number(Number(number).toFixed(2)))))
  return `${text}\n`
}

interface Label {
  readonly x: number
  readonly y: number
  readonly text: string
  readonly fill?: string | undefined
  readonly size?: number
  readonly weight?: number
  readonly anchor?: 'start' | 'middle' | 'end'
}

/** Text on a plot, in its own coordinates. */
export function write(svg: any, { x, y, text, fill, size = 13, weight = 400, anchor = 'start' }: Label) {
  const element = svg.ownerDocument.createElementNS('http://www.w3.org/2000/svg', 'text')
  const attributes = { x, y, 'font-size': size, 'font-weight': weight, 'text-anchor': anchor, ...(fill !== undefined && { fill, class: 'coloured' }) }
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value))
  element.textContent = text
  svg.append(element)
}

/** Positions at least `gap` apart, as near as may be to those wished for, none below `bottom`. */
export function apart(wished: readonly number[], gap: number, bottom: number) {
  const order = wished.map((_, n) => n).sort((a, b) => wished[a] - wished[b])
  const placed = [...wished]
  order.forEach((n, position) => {
    if (position > 0) placed[n] = Math.max(placed[n], placed[order[position - 1]] + gap)
  })
  // Pushed beyond the bottom, they move up together.
  for (let position = order.length - 1, limit = bottom; position >= 0; position--, limit -= gap) {
    placed[order[position]] = Math.min(placed[order[position]], limit)
  }
  return placed
}
