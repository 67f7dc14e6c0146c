// What every page of the site can do: light and dark, the menu, the search, and copying code.
import { SEARCH_OPTIONS, unpacked } from './search-options.mjs'

const element = (id) => document.getElementById(id)
const ROOT = new URL('../', import.meta.url)
const MOST_FOUND = 12

element('theme').addEventListener('click', () => {
  const { dataset } = document.documentElement
  const isDark = dataset.theme === undefined ? matchMedia('(prefers-color-scheme: dark)').matches : dataset.theme === 'dark'
  dataset.theme = isDark ? 'light' : 'dark'
  try {
    localStorage.setItem('theme', dataset.theme)
  } catch {
    // No storage: the choice holds for this page.
  }
  dispatchEvent(new Event('themechange'))
})

element('menu').addEventListener('click', () => {
  const isOpen = element('side').classList.toggle('open')
  element('menu').setAttribute('aria-expanded', String(isOpen))
  if (isOpen) scrollTo(0, 0)
})

const [here] = element('side').querySelectorAll('[aria-current]')
if (here !== undefined && here.offsetTop > element('side').clientHeight) element('side').scrollTop = here.offsetTop - element('side').clientHeight / 2

for (const block of document.querySelectorAll('.code')) {
  const button = Object.assign(document.createElement('button'), { type: 'button', className: 'copy', textContent: 'Copy' })
  button.addEventListener('click', async () => {
    const isCopied = await navigator.clipboard.writeText(block.querySelector('pre').textContent).then(() => true, () => false)
    button.textContent = isCopied ? 'Copied' : 'Not allowed'
    button.classList.add('done')
    setTimeout(() => {
      button.textContent = 'Copy'
      button.classList.remove('done')
    }, 1500)
  })
  block.append(button)
}

// The index is fetched when somebody wants to search.
let index
const box = element('search')
const list = element('found')

async function loadIndex() {
  const [{ default: MiniSearch }, response] = await Promise.all([import('./minisearch.js'), fetch(new URL('search.json', ROOT))])
  return MiniSearch.loadJS(unpacked(await response.text()), SEARCH_OPTIONS)
}

async function search() {
  index ??= loadIndex()
  const words = box.value.trim()
  if (words === '') return close()
  let found
  try {
    found = (await index).search(words)
  } catch {
    index = undefined
    return show([Object.assign(document.createElement('p'), { textContent: 'The index cannot be loaded.' })])
  }
  if (box.value.trim() !== words) return // typed on meanwhile
  show(found.length === 0 ? [Object.assign(document.createElement('p'), { textContent: 'Nothing found.' })] : found.slice(0, MOST_FOUND).map(entryOf))
}

function entryOf({ path, page, title, section }, n) {
  const link = Object.assign(document.createElement('a'), { href: new URL(path, ROOT).href, id: `found-${n}`, role: 'option', tabIndex: -1, textContent: title })
  link.setAttribute('aria-selected', 'false')
  link.append(Object.assign(document.createElement('small'), { textContent: title === page ? section : `${section}: ${page}` }))
  return link
}

function show(children) {
  list.replaceChildren(...children)
  list.hidden = false
  box.setAttribute('aria-expanded', 'true')
  select(list.querySelector('a'))
}

function close() {
  list.hidden = true
  box.setAttribute('aria-expanded', 'false')
  box.removeAttribute('aria-activedescendant')
}

function select(link) {
  for (const other of list.querySelectorAll('a')) other.setAttribute('aria-selected', String(other === link))
  if (link === null) return box.removeAttribute('aria-activedescendant')
  box.setAttribute('aria-activedescendant', link.id)
  link.scrollIntoView({ block: 'nearest' })
}

box.addEventListener('input', search)
box.addEventListener('focus', () => {
  index ??= loadIndex()
  index.catch(() => (index = undefined))
})
box.addEventListener('keydown', (event) => {
  const links = [...list.querySelectorAll('a')]
  const at = links.findIndex((link) => link.getAttribute('aria-selected') === 'true')
  if (event.key === 'Escape') close()
  else if (event.key === 'Enter' && at >= 0 && !list.hidden) links[at].click()
  else if (event.key === 'ArrowDown' && links.length > 0) select(links[(at + 1) % links.length])
  else if (event.key === 'ArrowUp' && links.length > 0) select(links[(at + links.length - 1) % links.length])
  else return
  event.preventDefault()
})
document.addEventListener('keydown', (event) => {
  if (event.key !== '/' || event.ctrlKey || event.metaKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.target.isContentEditable) return
  event.preventDefault()
  box.focus()
})
document.addEventListener('click', ({ target }) => {
  if (!list.contains(target) && target !== box) close()
})
list.addEventListener('click', close)
