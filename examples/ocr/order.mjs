// Text of a script that is read from right to left, in the order in which it is read: the library is loaded only for such a line.

/** What Unicode's bidirectional algorithm does to a line in a paragraph from right to left, it undoes too: numbers and names keep their order. */
export async function readingOrder(text) {
  const { default: bidiFactory } = await import('../../node_modules/bidi-js/dist/bidi.min.mjs')
  const bidi = bidiFactory()
  return bidi.getReorderedString(text, bidi.getEmbeddingLevels(text, 'rtl'))
}
