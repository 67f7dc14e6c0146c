// Paths within the site: all links are relative, so that the folder works wherever it is put.
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The project's folder. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** A link from one page of the site to a file of it: `start.html` from `api/index.html` is `../start.html`. */
export function relativeLink(from, to) {
  const link = posix.relative(posix.dirname(from), to.replace(/(^|\/)index\.html$/, '$1'))
  return to.endsWith('index.html') ? `${link === '' ? '.' : link}/` : link
}

/** Words of a heading as GitHub makes anchors of them. */
export function anchorOf(title) {
  return title.toLowerCase().replace(/[^\w -]/g, '').replaceAll(' ', '-')
}

export function escapeHtml(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
