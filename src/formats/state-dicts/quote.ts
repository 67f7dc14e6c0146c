/** A name of a file as it may stand in JavaScript: whatever it holds, it ends where it should. */
export function quote(name: string): string {
  return /^[\w. /-]*$/.test(name) ? `'${name}'` : JSON.stringify(name).replace(/[\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16)}`)
}

/** The argument that stands for a file in printed code: where it was loaded from, or `bytes`. */
export function sourceOf(location: string | undefined): string {
  return location === undefined ? 'bytes' : quote(location)
}
