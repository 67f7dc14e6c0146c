// What all pages of the site have around their content.
import { SECTIONS, TOP } from './pages.mjs'
import { escapeHtml, relativeLink } from './paths.mjs'

/** Chosen by the visitor, or else by the system; set before anything is drawn. */
export const THEME_SCRIPT = `<script>
  try { const theme = localStorage.getItem('theme'); if (theme) document.documentElement.dataset.theme = theme } catch { /* no storage: as the system has it */ }
</script>`

export function headOf(path, { title, description }) {
  return `<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}${title === 'lstm-wasm' ? '' : ' · lstm-wasm'}</title>
<meta name="description" content="${escapeHtml(description)}">
<link rel="icon" href="${relativeLink(path, 'assets/icon.svg')}" type="image/svg+xml">
<link rel="stylesheet" href="${relativeLink(path, 'playground/theme.css')}">
<link rel="stylesheet" href="${relativeLink(path, 'assets/site.css')}">
<link rel="stylesheet" href="${relativeLink(path, 'assets/code.css')}">
${THEME_SCRIPT}`
}

/** The last of the head: import maps must come before the first module. */
const scriptOf = (path) => `<script type="module" src="${relativeLink(path, 'assets/site.mjs')}"></script>`

const linkTo = (from, current) => ({ path, title }) => (
  `<a href="${relativeLink(from, path)}"${path === current ? ' aria-current="page"' : ''}>${escapeHtml(title)}</a>`
)

export function topOf(path) {
  return `<a class="skip" href="#content">To the content</a>
<header class="top">
  <a class="brand" href="${relativeLink(path, 'index.html')}">lstm-wasm</a>
  <nav class="places" aria-label="Main">${TOP.map(linkTo(path, path)).join('')}</nav>
  <div class="search" role="search">
    <input type="search" id="search" placeholder="Search" aria-label="Search the site (key /)" autocomplete="off" role="combobox" aria-expanded="false" aria-controls="found" aria-autocomplete="list">
    <div id="found" role="listbox" aria-label="Found" hidden></div>
  </div>
  <button type="button" id="theme" class="icon" aria-label="Light or dark">◐</button>
  <button type="button" id="menu" class="icon" aria-label="All pages" aria-expanded="false" aria-controls="side">☰</button>
</header>`
}

export function sideOf(path) {
  const sections = SECTIONS.map(({ title, pages }) => `<p class="group">${title}</p>\n<ul>${pages.map((page) => `<li>${linkTo(path, path)(page)}</li>`).join('')}</ul>`)
  return `<nav class="side" id="side" aria-label="All pages">${lean(sections.join('\n'))}</nav>`
}

function contentsOf(headings) {
  const shown = headings.filter(({ level }) => level === 2 || level === 3)
  if (shown.length < 2) return ''
  const items = shown.map(({ level, id, title }) => `<li class="level-${level}"><a href="#${id}">${escapeHtml(title)}</a></li>`)
  return `<nav class="contents" aria-label="On this page"><p class="group">On this page</p><ul>${items.join('')}</ul></nav>`
}

const FOOT = '<footer class="foot">lstm-wasm, MIT licence. Everything on this site runs on your computer; nothing is sent anywhere.</footer>'

/** End tags that HTML knows to be there by what comes next, and quotes around one word: a tenth of a page. */
const END_TAGS = new RegExp([
  '</li>\\s*(?=<li|</[uo]l>)', '</t[dh]>\\s*(?=<t[dh]|</tr>)', '</tr>\\s*(?=<tr|</t(?:body|head)>)', '</tbody>\\s*(?=</table>)', '</thead>\\s*(?=<tbody)',
  '</p>\\s*(?=<(?:p|ul|ol|div|h[1-6]|hr)[\\s>]|</(?:li|main|td)>)',
].join('|'), 'g')
const lean = (html) => html.replace(END_TAGS, '').replace(/(<span class|<pre class="[^"]*" tabindex)="(\w+)"/g, '$1=$2')

/** A page of text. */
export function textPage(path, { title, description, html, headings }) {
  return `<!doctype html>
<html lang="en">
<head>
${headOf(path, { title, description })}
${scriptOf(path)}
</head>
<body>
${topOf(path)}
<div class="frame">
${sideOf(path)}
<main id="content" class="text">
${lean(html)}
</main>
${contentsOf(headings)}
</div>
${FOOT}
</body>
</html>
`
}

/** A page that has a document of its own, put into the site: what stands in its `<head>`, and its `<main>`. */
export function ownPage(path, { title, description, head, main, wide = true }) {
  return `<!doctype html>
<html lang="en">
<head>
${headOf(path, { title, description })}
${head}
${scriptOf(path)}
</head>
<body>
${topOf(path)}
<div class="frame${wide ? ' wide' : ''}">
${sideOf(path)}
${main}
</div>
${FOOT}
</body>
</html>
`
}
