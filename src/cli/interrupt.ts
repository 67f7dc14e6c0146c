/**
 * Work that Ctrl-C ends: the signal stops it, with an `ABORTED` error. A second Ctrl-C ends the process at once, as one does
 * outside of such work.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const stop = (): void => controller.abort()
  process.once('SIGINT', stop)
  try {
    return await work(controller.signal)
  } finally {
    process.removeListener('SIGINT', stop)
  }
}
