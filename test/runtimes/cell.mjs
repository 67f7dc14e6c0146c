// One cell of the matrix: a runtime and a variant, run and judged.
import { existsSync } from 'node:fs'
import { stripVTControlCharacters } from 'node:util'

/** Emulated engines take minutes where others take seconds. */
const TIMEOUT_SECONDS = 60
const CLEANUP_SECONDS = 5
const MAX_FAILURES_SHOWN = 5

/** The executable of a runtime, or undefined where it is not installed. */
export function executableOf({ paths }) {
  return paths.find((path) => existsSync(path))
}

/** @returns a row of the table; `ok` is undefined for a runtime that may be missing, and is */
export async function runCell(runtime, variant, mayBeMissing) {
  const row = { runtime: runtime.name, version: runtime.version, variant }
  const path = executableOf(runtime)
  if (path === undefined) {
    if (mayBeMissing) return { ...row, result: 'missing (allowed)' }
    return { ...row, ok: false, result: `not installed, looked for ${runtime.paths.join(', ')}` }
  }
  const begin = performance.now()
  try {
    const { report, version = runtime.version } = await withTimeout((signal) => runtime.run({ path, variant, signal }), runtime.timeoutSeconds)
    Object.assign(row, { version }, judge(runtime, variant, version, report))
  } catch (error) {
    Object.assign(row, { ok: false, result: stripVTControlCharacters(error.message).trim() })
  }
  return { ...row, seconds: (performance.now() - begin) / 1000 }
}

function judge(runtime, variant, version, report) {
  const { identity, notAccepted, cases, failures, largest, hash, int8, threads } = report
  if (!runtime.isItself(identity, version)) {
    return { ok: false, result: `expected ${runtime.name} ${version}, but another runtime ran: ${JSON.stringify(identity)}` }
  }
  const mustReject = runtime.notAccepted?.includes(variant) ?? false
  if (notAccepted !== undefined) {
    return mustReject ? { ok: true, result: 'not accepted by the engine' } : { ok: false, result: notAccepted }
  }
  const measured = { passed: `${cases - failures.length}/${cases}`, largest, hash, int8, threads }
  if (mustReject) return { ...measured, ok: false, result: `the engine now accepts ${variant}: update matrix.mjs` }
  // A module given by the caller is 'custom': its bytes are known by where the runner took them from.
  if (report.variant !== variant && report.variant !== 'custom') return { ...measured, ok: false, result: `it ran ${report.variant}` }
  if (cases === 0) return { ...measured, ok: false, result: 'there are no cases' }
  if (threads?.count !== (runtime.threads ?? 2) && failures.length === 0) {
    return { ...measured, ok: false, result: `expected ${runtime.threads ?? 2} threads, got ${JSON.stringify(threads)}` }
  }
  if (failures.length > 0) return { ...measured, ok: false, result: shorten(failures) }
  return { ...measured, ok: true, result: 'passed' }
}

function shorten(failures) {
  const more = failures.length - MAX_FAILURES_SHOWN
  return [...failures.slice(0, MAX_FAILURES_SHOWN), ...(more > 0 ? [`and ${more} more cases`] : [])].join('\n')
}

/** Runs `work` with a signal that tells it to clean up when its time is over, and gives it some time to do so. */
async function withTimeout(work, seconds = TIMEOUT_SECONDS) {
  const controller = new AbortController()
  const { signal } = controller
  const result = work(signal)
  const timer = setTimeout(() => controller.abort(), seconds * 1000)
  const giveUp = new Promise((resolve) => {
    signal.addEventListener('abort', () => setTimeout(resolve, CLEANUP_SECONDS * 1000))
  })
  try {
    const outcome = await Promise.race([result, giveUp])
    if (!signal.aborted) return outcome
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    clearTimeout(timer)
  }
  throw new Error(`no result after ${seconds} s`)
}
