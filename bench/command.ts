// What the commands have in common: progress, Ctrl-C, and a wrong use of them.
import { progressLine } from './progress.ts'

export const INTERRUPTED = 130

/** A wrong use of the command: its message is all there is to say. */
export class UsageError extends Error {}

/** Numbers of things, by the names of their flags. @throws UsageError for what is no whole number >= 1 */
export function checkCounts(given: Readonly<Record<string, string>>) {
  for (const [name, value] of Object.entries(given)) {
    if (!/^[1-9]\d*$/.test(value)) throw new UsageError(`--${name}: expected a whole number >= 1, got '${value}'`)
  }
}

/** What a command works with. */
export interface Tools {
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
  readonly progress: ReturnType<typeof progressLine>
  readonly onProgress: (share: number, title: string, what: string) => Promise<void>
}

/** Runs a command: its result is the exit code. */
export async function runCommand(name: string, main: (args: string[], tools: Tools) => Promise<number>) {
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
    async onProgress(share: number, title: string, what: string) {
      progress.show(share, title, what)
      await new Promise((resolve) => setImmediate(resolve)) // so that Ctrl-C is heard
    },
  }
  process.exit(await main(process.argv.slice(2), tools).catch((error: unknown) => {
    progress.clear()
    if (!(error instanceof UsageError)) throw error
    console.error(`${name}: ${error.message}`)
    return 2
  }))
}
