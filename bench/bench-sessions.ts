// npm run bench:sessions
import { writeFile } from 'node:fs/promises'
import { checkCounts, INTERRUPTED, runCommand } from './command.ts'
import { parseFlags } from './flags.ts'
import { describeMachine, describeRuntime, readVersions } from './machine.ts'
import { digits } from './report/format.ts'
import { describe, textTable } from './report/table.ts'
import { measureSessions } from './sessions/measure.ts'
import { measureEngineSessions } from './sessions/peers.ts'

const OPTIONS = { sessions: { type: 'string' }, threads: { type: 'string' }, each: { type: 'string' }, json: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const
const HELP = `What sessions of a pool take, and how fast they go on: two LSTMs of 128 units, the size of a voice detector.

  npm run bench:sessions -- [--sessions N] [--threads N] [--json FILE]      100000 sessions, one thread and two, unless given
      --each N      sessions beside onnxruntime-node, which has a session of its own for each; default 200. npm run bench:setup installs it`

/** Frames of each session that are timed. */
const ROUNDS = 40

await runCommand('bench:sessions', async (args, { signal, onProgress, progress }) => {
  const { sessions = '100000', threads, each = '200', json, help } = parseFlags(args, OPTIONS)
  if (help) {
    console.log(HELP)
    return 0
  }
  checkCounts({ sessions, threads: threads ?? '1', each })
  const measured = []
  for (const count of threads === undefined ? [1, 2] : [Number(threads)]) {
    await onProgress(0, `${count} threads`, 'sessions')
    measured.push(await measureSessions(Number(sessions), count))
    if (signal.aborted) return INTERRUPTED
  }
  const engines = await measureEngineSessions(Number(each), ROUNDS, async (engine) => {
    await onProgress(0.5, engine, 'sessions')
    return !signal.aborted
  })
  if (signal.aborted) return INTERRUPTED
  progress.clear()
  const where = {
    machine: await describeMachine(), runtime: describeRuntime(), versions: await readVersions(['onnxruntime-node']), date: new Date().toISOString(),
    command: ['npm run bench:sessions --', ...args].join(' '),
  }
  console.log(describe(where, 'float32'))
  for (const { threads: count, openMs, bytesASession, residentBytesASession, steps, mixed, saveUs, restoreUs, savedBytes } of measured) {
    const rows = steps.map(({ together, medianMs, p99Ms, framesASecond }) => (
      [`${together}`, `${digits(medianMs)} ms`, `${digits(p99Ms)} ms`, Math.round(framesASecond).toLocaleString('en')]
    ))
    const bytes = `${Math.round(bytesASession)} bytes of linear memory, ${Math.round(residentBytesASession)} of the process`
    console.log(`\n${count} ${count === 1 ? 'thread' : 'threads'}: ${sessions} sessions open in ${digits(openMs)} ms; each ${bytes}`)
    console.log(textTable(['sessions together', 'median', 'p99', 'frames/s'], rows, 1))
    const rate = Math.round(mixed.framesASecond).toLocaleString('en')
    console.log(`mixed, 1 to 128 together: median ${digits(mixed.medianUs)} us, p99 ${digits(mixed.p99Us)} us, ${rate} frames/s`)
    console.log(`saved to ${savedBytes} bytes in ${digits(saveUs)} us, taken back in ${digits(restoreUs)} us`)
  }
  console.log(`\n${each} sessions, each with a frame, in a process of its own: outputs checked, one thread`)
  console.log(textTable(['engine', 'open', 'resident a session', 'frames/s', 'p99 / median'], engines.rows.map((row) => [
    row.engine, `${digits(row.openMs)} ms`, `${Math.round(row.bytesASession / 1024).toLocaleString('en')} KiB`,
    Math.round(row.framesASecond).toLocaleString('en'), digits(row.p99OverMedian),
  ]), 1))
  for (const { engine, reason } of engines.skipped) console.log(`${engine}: ${reason}`)
  if (json !== undefined) await writeFile(json, `${JSON.stringify({ ...where, measured, engines }, null, 2)}\n`)
  return 0
})
