// The suite in Node, Deno or Bun: `<runtime> process-cell.mjs <variant>` prints the report as one line of JSON.
import { readFileSync } from 'node:fs'
import * as index from '../../dist/index.js'
import * as layers from '../../dist/layers.js'
import * as safetensors from '../../dist/safetensors.js'
import * as sharing from '../../dist/sharing.js'
import * as training from '../../dist/training.js'
import { compareCallers } from './callers.mjs'
import { runSuite } from './suite.mjs'
import { compareTrainers } from './trainers.mjs'

const [, , variant] = process.argv
const golden = new Uint8Array(readFileSync(new URL('../golden/lstm-pytorch.safetensors', import.meta.url)))
const report = await runSuite({ api: { ...index, ...safetensors }, golden, variant })
if (report.failures !== undefined) {
  report.cases += 2
  await compareTrainers({ ...index, ...layers, ...training }, variant).catch(({ message }) => report.failures.push(message))
  await compareCallers({ ...index, ...sharing }, variant).catch(({ message }) => report.failures.push(message))
}
console.log(JSON.stringify(report))
