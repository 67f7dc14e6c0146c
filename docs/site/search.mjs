// The index that the search box loads: every heading with the text below it.
import MiniSearch from 'minisearch'
import { SEARCH_OPTIONS } from './assets/search-options.mjs'

/** Of the text below a heading; the API says the most in its first sentence, and in its names. */
const MOST_CHARACTERS = 800
const MOST_OF_API = 100

/** Titles that every function of the API has: what stands below them belongs to the function. */
const EVERYWHERE = new Set([
  'Parameters', 'Returns', 'Throws', 'Extends', 'Constructor', 'Constructors', 'Properties', 'Methods', 'Accessors', 'Overrides', 'Inherited from', 'Implements',
  'Type Parameters', 'Type Declaration', 'Call Signature', 'Get Signature', 'Set Signature', 'Default Value', 'Classes', 'Interfaces', 'Functions', 'Variables',
  'Type Aliases',
])

/** @returns the index as JSON */
export function searchIndex(pages) {
  const search = new MiniSearch(SEARCH_OPTIONS)
  let id = 0
  for (const { path, page, section, sections } of pages) {
    for (const { id: anchor, title, text } of sections) {
      const words = text.join(' ').replace(/\s+/g, ' ').slice(0, path.startsWith('api/') ? MOST_OF_API : MOST_CHARACTERS)
      if ((title === '' && words === '') || (path.startsWith('api/') && EVERYWHERE.has(title))) continue
      search.add({ id: id++, path: anchor === '' ? path : `${path}#${anchor}`, page, section, title: title || page, text: words })
    }
  }
  return JSON.stringify(packed(search.toJSON()))
}

/** Ids count from 0 on, and what the sections of a page have in common stands once: a fifth less. `unpacked` makes it whole. */
function packed({ documentIds, storedFields, ...index }) {
  const stored = Object.keys(documentIds).map((id) => storedFields[id])
  const pages = Object.fromEntries(stored.map(({ path, page, section }) => [path.split('#', 1)[0], [page, section]]))
  return { ...index, pages, sections: stored.map(({ path, title }) => [path, title]) }
}
