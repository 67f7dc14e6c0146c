/**
 * The first key that stands twice in one object of a JSON text, or undefined. `JSON.parse` silently
 * keeps the last of them. The text must already be known to be valid JSON.
 */
export function duplicateKey(text: string): string | undefined {
  // The keys seen in each open object; undefined for an open list.
  const open: (Set<string> | undefined)[] = []
  let last: string | undefined
  // Outside strings only brackets and colons matter, so it is enough to find these and whole strings.
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:]/g)) {
    if (token === '{') open.push(new Set())
    else if (token === '[') open.push(undefined)
    else if (token === '}' || token === ']') open.pop()
    else if (token !== ':') last = token
    else {
      const key = JSON.parse(last as string) as string
      const keys = open.at(-1)
      if (keys?.has(key)) return key
      keys?.add(key)
    }
  }
  return undefined
}
