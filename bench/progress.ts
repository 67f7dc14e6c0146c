const WIDTH = 24
const MILLISECONDS_BETWEEN = 80

/** A line drawn in place on a terminal; elsewhere, a line a case. */
export function progressLine(stream: { isTTY?: boolean, columns?: number, write(text: string): unknown }) {
  const begin = performance.now()
  let lastTime = -Infinity
  let lastTitle = ''
  return {
    /**
     * @param share of the whole run that is done
     * @param title of the case
     * @param what is going on
     */
    show(share: number, title: string, what: string) {
      if (!stream.isTTY) {
        if (title !== lastTitle) stream.write(`${title} ...\n`)
        lastTitle = title
        return
      }
      const now = performance.now()
      if (now - lastTime < MILLISECONDS_BETWEEN) return
      lastTime = now
      const filled = Math.round(share * WIDTH)
      const left = share > 0.03 ? `, ${formatSeconds((now - begin) / share * (1 - share))} left` : ''
      const line = `[${'#'.repeat(filled)}${'-'.repeat(WIDTH - filled)}] ${title}: ${what}${left}`
      stream.write(`\r\u001b[2K${line.slice(0, (stream.columns ?? 80) - 1)}`)
    },
    clear() {
      if (stream.isTTY) stream.write('\r\u001b[2K')
    },
  }
}

function formatSeconds(milliseconds: number) {
  const seconds = Math.ceil(milliseconds / 1000)
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}
