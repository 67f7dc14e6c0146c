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

export const SEARCH_OPTIONS = {
  fields: ['title', 'page', 'text'],
  storeFields: ['path', 'page', 'title', 'section'],
  tokenize: wordsOf,
  searchOptions: {
    boost: { title: 4, page: 2 }, prefix: (word) => word.length > 2, fuzzy: (word) => (word.length > 4 ? 0.2 : 0), combineWith: 'AND',
    boostDocument: (_id, _word, { section }) => (section === 'API in full' ? 0.5 : section === 'Project' ? 0.6 : 1),
  },
}
