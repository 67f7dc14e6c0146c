/** Names in an untrusted file may hold control characters, which a terminal would obey. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** The first line of a message, without words that announce the lines after it. */
export function headline(message: string): string {
  const [first = '', ...more] = message.split('\n')
  return more.length > 0 ? first.replace(/\s+[^.]*:$/, '') : first
}

/** Shows what is being done on the last line of the terminal, or nothing where stderr is none. */
export function showStatus(text: string): void {
  // Some terminals say they have 0 columns.
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${printable(text).slice(0, (process.stderr.columns || 80) - 1)}`)
}

/** How far work is, as a bar on the last line of the terminal. */
export function showBar(what: string, done: number, total: number, secondsLeft?: number): void {
  const width = 30
  const filled = total > 0 ? Math.round(width * done / total) : 0
  showStatus(`${what} [${'#'.repeat(filled)}${'.'.repeat(width - filled)}] ${total > 0 ? Math.floor(100 * done / total) : 0} %${timeLeft(secondsLeft)}, Ctrl-C stops`)
}

/** `, 12 s left`, or nothing where that is not known. */
export function timeLeft(seconds: number | undefined): string {
  if (seconds === undefined) return ''
  return `, ${seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`} left`
}

/** The `onProgress` of a download. */
export function showProgress({ loaded, total }: { readonly loaded: number, readonly total: number | undefined }): void {
  if (total === undefined) showStatus(`downloading ... ${grouped(loaded)} bytes`)
  else showBar(`downloading ${grouped(total)} bytes`, loaded, total)
}

export function clearStatus(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[2K')
}

/** 1234567 -> '1,234,567'. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',')
}
