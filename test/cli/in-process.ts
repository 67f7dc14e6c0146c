// The command without a process of its own: fifty starts of Node less, and what it runs is seen by the coverage.
import { commandLine } from '../../src/cli/command-line.ts'

export interface Result { readonly code: number | null, readonly stdout: string, readonly stderr: string }

/** `lstm-wasm ARGS` in a folder, with what it writes. One at a time: the streams and the folder are those of this process. */
export async function lstmWasm(folder: string, args: readonly string[]): Promise<Result> {
  const written = { stdout: '', stderr: '' }
  const back = process.cwd()
  const restore = (['stdout', 'stderr'] as const).map((name) => {
    const stream = process[name]
    const write = stream.write.bind(stream)
    stream.write = (text: string | Uint8Array) => {
      written[name] += String(text)
      return true
    }
    return () => (stream.write = write)
  })
  try {
    process.chdir(folder)
    return { code: await commandLine(args), ...written }
  } finally {
    process.chdir(back)
    for (const put of restore) put()
  }
}
