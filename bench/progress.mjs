const WIDTH = 24
const MILLISECONDS_BETWEEN = 80

/**
 * A line drawn in place on a terminal; elsewhere, a line a case.
 * @param {{ isTTY?: boolean, columns?: number, write(text: string): unknown }} stream
 */
export function progressLine(stream) {
  const begin = performance.now()
  let lastTime = -Infinity
  let lastTitle = ''
  return {
    /**
     * @param {number} share of the whole run that is done
     * @param {string} title of the case
     * @param {string} what is going on
     */
    show(share, title, what) {
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

/** @param {number} milliseconds */
function formatSeconds(milliseconds) {
  const seconds = Math.ceil(milliseconds / 1000)
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}
