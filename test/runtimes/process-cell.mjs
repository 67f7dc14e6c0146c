// The suite in Node, Deno or Bun: `<runtime> process-cell.mjs <variant>` prints the report as one line of JSON.
import { readFileSync } from 'node:fs'
import * as index from '../../dist/index.js'
import * as safetensors from '../../dist/safetensors.js'
import { runSuite } from './suite.mjs'

const golden = new Uint8Array(readFileSync(new URL('../golden/lstm-pytorch.safetensors', import.meta.url)))
console.log(JSON.stringify(await runSuite({ api: { ...index, ...safetensors }, golden, variant: process.argv[2] })))
