// The index that the search box loads: every heading with the text below it.
import MiniSearch from 'minisearch'
import { SEARCH_OPTIONS } from './assets/search-options.mjs'

const MOST_CHARACTERS = 2000

/** @returns the index as JSON */
export function searchIndex(pages) {
  const search = new MiniSearch(SEARCH_OPTIONS)
  let id = 0
  for (const { path, page, section, sections } of pages) {
    for (const { id: anchor, title, text } of sections) {
      const words = text.join(' ').replace(/\s+/g, ' ').slice(0, MOST_CHARACTERS)
      if (title === '' && words === '') continue
      search.add({ id: id++, path: anchor === '' ? path : `${path}#${anchor}`, page, section, title: title || page, text: words })
    }
  }
  return JSON.stringify(search)
}
