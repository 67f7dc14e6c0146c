// How the index of the search is made, and asked: by the build and by the page.
const EXPORTED = /[a-z0-9]+|[A-Z][a-z0-9]*/g

/** Words as they are written, and the parts of names: `returnSequences` is also found by `sequences`. */
function wordsOf(text) {
  const words = text.split(/[^\p{L}\p{N}_]+/u).filter(Boolean)
  return words.flatMap((word) => {
    const parts = word.replaceAll('_', ' ').match(EXPORTED) ?? []
    return parts.length > 1 && word.length > 5 ? [word, ...parts.filter((part) => part.length > 2)] : [word]
  })
}

/** Words that most sections have: they tell none from another, and took a tenth of the index. */
const COMMON = new Set([
  ...'a an and are as at be by for from has have in is it its of on one or that the their them there they this to what where'.split(' '),
  ...'which with if so can may do does than then when all each other but only more also into same'.split(' '),
])

/** What MiniSearch loads, of search.json. */
export function unpacked(text) {
  const { pages, sections, ...index } = JSON.parse(text)
  const stored = sections.map(([path, title]) => {
    const [page, section] = pages[path.split('#', 1)[0]]
    return { path, page, title, section }
  })
  return { ...index, documentIds: { ...[...stored.keys()] }, storedFields: { ...stored } }
}

export const SEARCH_OPTIONS = {
  fields: ['title', 'page', 'text'],
  storeFields: ['path', 'page', 'title', 'section'],
  tokenize: wordsOf,
  processTerm(term) {
    const word = term.toLowerCase()
    return COMMON.has(word) ? null : word
  },
  searchOptions: {
    boost: { title: 4, page: 2 }, prefix: (word) => word.length > 2, fuzzy: (word) => (word.length > 4 ? 0.2 : 0), combineWith: 'AND',
    boostDocument: (_id, _word, { section }) => (section === 'API in full' ? 0.5 : section === 'Project' ? 0.6 : 1),
  },
}
