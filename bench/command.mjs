// What the commands have in common: progress, Ctrl-C, and a wrong use of them.
import { progressLine } from './progress.mjs'

export const INTERRUPTED = 130

/** A wrong use of the command: its message is all there is to say. */
export class UsageError extends Error {}

/**
 * Runs a command: its result is the exit code.
 * @param {string} name
 * @param {(args: string[], tools: Tools) => Promise<number>} main
 *
 * @typedef {{ signal: AbortSignal, progress: ReturnType<typeof progressLine>,
 *   onProgress: (share: number, title: string, what: string) => Promise<void> }} Tools
 */
export async function runCommand(name, main) {
  const progress = progressLine(process.stderr)
  const controller = new AbortController()
  process.on('SIGINT', () => {
    if (controller.signal.aborted) process.exit(INTERRUPTED)
    controller.abort()
    progress.clear()
    console.error('stopping after this turn; once more stops at once')
  })
  const tools = {
    signal: controller.signal,
    progress,
    /** @param {number} share @param {string} title @param {string} what */
    async onProgress(share, title, what) {
      progress.show(share, title, what)
      await new Promise((resolve) => setImmediate(resolve)) // so that Ctrl-C is heard
    },
  }
  process.exit(await main(process.argv.slice(2), tools).catch((error) => {
    progress.clear()
    if (!(error instanceof UsageError)) throw error
    console.error(`${name}: ${error.message}`)
    return 2
  }))
}
