/**
 * @typedef {object} Results what `--json` writes
 * @property {Awaited<ReturnType<typeof import('../machine.mjs').describeMachine>>} machine
 * @property {{ name: string, version: string, engine: string }} runtime
 * @property {Record<string, string>} versions
 * @property {string} date ISO 8601
 * @property {string} command
 * @property {number} tolerance largest distance from the float64 reference that was allowed
 * @property {boolean} complete false where the run was stopped
 * @property {Record<string, { gflops: number, bandwidth: Record<string, number> }>} roofline by variant; GB/s
 * @property {import('../measure.mjs').Row[]} rows
 * @property {{ engine: string, variant: string, reason: string }[]} skipped
 * @property {string[]} warnings
 */

/** @param {Results} results */
export const toJson = (results) => `${JSON.stringify(results, null, 2)}\n`
