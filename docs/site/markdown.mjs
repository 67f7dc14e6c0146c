// Markdown to HTML: highlighted code, anchors, and links from files of the repository to pages of the site.
import { posix } from 'node:path'
import MarkdownIt from 'markdown-it'
import { createHighlighter } from 'shiki'
import { anchorOf, escapeHtml, relativeLink } from './paths.mjs'

const LANGUAGES = ['js', 'ts', 'html', 'python', 'sh', 'json', 'toml']
/** Lines end there for nobody: code has other tags. */
const AFTER_BLOCK = /(<\/?(?:table|thead|tbody|tr|t[dh]|[uo]l|li|p|h\d)\b[^>]*>)\n/g
const THEMES = { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' }

/** @returns `render(markdown, place)`, and `styles()`: the colours of all code that has been rendered, as CSS */
export async function createRenderer() {
  const highlighter = await createHighlighter({ langs: LANGUAGES, themes: Object.values(THEMES) })
  const classes = new Map()
  const markdown = new MarkdownIt({
    html: true,
    linkify: false,
    highlight(code, language) {
      if (language === '' || language === 'text') return `<pre class="shiki" tabindex="0"><code>${escapeHtml(code)}</code></pre>`
      const html = highlighter.codeToHtml(code.trimEnd(), { lang: language === 'jsonc' ? 'json' : language, themes: THEMES, defaultColor: 'light-dark()' })
      // Its style on every block and every word would be most of the page.
      const nameOf = (style) => {
        if (!classes.has(style)) classes.set(style, `k${classes.size}`)
        return classes.get(style)
      }
      return html.replace(/<pre class="shiki [^"]*" style="([^"]*)"/, (_all, style) => `<pre class="shiki ${nameOf(style)}"`)
        .replace(/<span class="line">(.*)<\/span>(?=\n|<\/code>)/g, '$1')
        .replace(/<span style="([^"]*)">/g, (_all, style) => `<span class="${nameOf(style)}">`)
    },
  })
  const { rules } = markdown.renderer
  const fence = rules.fence
  rules.fence = (...args) => `<div class="code">${fence(...args)}</div>\n`
  rules.code_block = (tokens, n) => `<div class="code"><pre class="shiki" tabindex="0"><code>${escapeHtml(tokens[n].content)}</code></pre></div>\n`
  // What is wider than the page scrolls by itself, also by keys.
  rules.table_open = (_tokens, _n, _options, env) => {
    env.tables = (env.tables ?? 0) + 1
    return `<div class="table" tabindex="0" role="region" aria-label="Table ${env.tables}"><table>`
  }
  rules.table_close = () => '</table></div>'
  return {
    render: (text, place) => render(markdown, text, place),
    styles: () => [...classes].map(([style, name]) => `.${name} { ${style} }\n`).join(''),
  }
}

/**
 * @param place `source`: the file's path in the repository; `path`: the page's in the site; `pathOf`: from one to the other;
 *   `titleOf`: what a link leads to is called; `sizeOf`: of a picture, so that nothing moves when it comes
 * @returns the HTML; the title; the headings; the text below each heading, for the search; links that lead nowhere
 */
function render(markdown, text, { source, path, pathOf, titleOf, sizeOf }) {
  const tokens = markdown.parse(text, {})
  const headings = []
  const sections = [{ id: '', title: '', text: [] }]
  const broken = []
  const used = new Map()
  let title = ''
  tokens.forEach((token, n) => {
    if (token.type === 'heading_open') {
      const { content, children } = tokens[n + 1]
      const plain = plainText(children)
      const level = Number(token.tag.slice(1))
      if (level === 1 && title === '') title = plain
      const anchor = anchorOf(content.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1'))
      const count = used.get(anchor) ?? 0
      used.set(anchor, count + 1)
      const id = count === 0 ? anchor : `${anchor}-${count}`
      token.attrSet('id', id)
      headings.push({ level, id, title: plain })
      sections.push({ id: level === 1 ? '' : id, title: plain, text: [] })
    } else if (token.type === 'inline' && tokens[n - 1]?.type !== 'heading_open') {
      sections.at(-1).text.push(plainText(token.children))
    } else if (token.type === 'fence') {
      sections.at(-1).text.push(token.content)
    }
    // A column without a name has no header.
    if (token.type === 'th_open' && tokens[n + 1].content === '') for (const at of [n, n + 2]) tokens[at].tag = 'td'
    for (const [at, child] of (token.children ?? []).entries()) {
      const attribute = child.type === 'link_open' ? 'href' : child.type === 'image' ? 'src' : undefined
      if (attribute === undefined) continue
      const link = child.attrGet(attribute)
      const target = targetOf(link, { source, path, pathOf })
      if (target === undefined) broken.push(link)
      else child.attrSet(attribute, target)
      if (attribute === 'src') for (const [name, value] of Object.entries(sizeOf(link, source))) child.attrSet(name, value)
      nameTarget(token.children, at, titleOf(link, source))
    }
  })
  return { html: markdown.renderer.render(tokens, markdown.options, {}).replace(AFTER_BLOCK, '$1'), title, headings, sections, broken }
}

function plainText(children) {
  return children.map(({ type, content, children: inner }) => (type === 'softbreak' ? ' ' : inner?.length > 0 ? plainText(inner) : type === 'html_inline' ? '' : content)).join('')
}

/** `errors.md` is a name for people with files; here it is the title of the page. */
function nameTarget(children, at, title) {
  const [, text, close] = children.slice(at)
  if (title !== undefined && text?.type === 'text' && close?.type === 'link_close' && /^[\w/-]+\.md$/.test(text.content)) text.content = title
}

function targetOf(link, { source, path, pathOf }) {
  if (/^(https?:|mailto:|#)/.test(link)) return link
  const [file, anchor] = link.split('#')
  const target = pathOf(posix.join(posix.dirname(source), file))
  if (target === undefined) return undefined
  return `${relativeLink(path, target)}${anchor === undefined ? '' : `#${anchor}`}`
}
