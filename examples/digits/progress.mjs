const WIDTH = 30
const MILLISECONDS_BETWEEN = 50

/** A bar on a terminal, drawn in place; where there is no terminal, a line whenever the work has a new name. */
export function progressBar(total, stream = process.stderr) {
  let lastTime = -Infinity
  let lastName = ''
  return {
    show(done, name) {
      if (!stream.isTTY) {
        if (name !== lastName) stream.write(`${name} ...\n`)
        lastName = name
        return
      }
      const now = performance.now()
      if (now - lastTime < MILLISECONDS_BETWEEN && done < total) return
      lastTime = now
      const filled = Math.round((done / total) * WIDTH)
      stream.write(`\r[${'#'.repeat(filled)}${'-'.repeat(WIDTH - filled)}] ${Math.floor((done / total) * 100)} %  ${name}  `)
    },
    clear() {
      if (stream.isTTY) stream.write('\r\u001b[2K')
    },
  }
}
