// JSON as it comes out of a file: nothing of it is known before it is looked at.

/** Any JSON. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json
}

export function isObject(json: unknown): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

export function isList(json: Json | undefined): json is readonly Json[] {
  return Array.isArray(json)
}

/** An own field of an object; undefined for anything else. */
export function field(json: Json | undefined, key: string): Json | undefined {
  return isObject(json) && Object.hasOwn(json, key) ? json[key] : undefined
}

/**
 * The first key that stands twice in one object of a JSON text, or undefined. `JSON.parse` silently
 * keeps the last of them. The text must already be known to be valid JSON.
 */
export function duplicateKey(text: string): string | undefined {
  // The keys seen in each open object; undefined for an open list.
  const open: (Set<string> | undefined)[] = []
  let last = ''
  let stringBegin = -1 // where the string begins that is open now; -1 outside strings
  // Outside strings only brackets and colons matter. Whole strings are not matched: they may be megabytes
  // long, and the engine's stack of ways back would run over.
  for (const { 0: token, index } of text.matchAll(/\\.|["{}[\]:]/g)) {
    if (token === '"') {
      if (stringBegin >= 0) last = text.slice(stringBegin, index + 1)
      stringBegin = stringBegin >= 0 ? -1 : index
    } else if (stringBegin >= 0) continue
    else if (token === '{') open.push(new Set())
    else if (token === '[') open.push(undefined)
    else if (token === '}' || token === ']') open.pop()
    else {
      const key = JSON.parse(last) as string
      const keys = open.at(-1)
      if (keys?.has(key)) return key
      keys?.add(key)
    }
  }
  return undefined
}
