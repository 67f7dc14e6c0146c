#!/usr/bin/env node
// What the command `lstm-wasm` starts.
import { commandLine } from './command-line.ts'

// `lstm-wasm inspect model | head` closes the pipe early; that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

// Not `process.exit()`: it would cut off what is still on its way into a pipe.
process.exitCode = await commandLine(process.argv.slice(2))
