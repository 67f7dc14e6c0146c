// One of the processes of WorkerProcesses: node worker-process.mjs FOLDER, with a pipe to the one that started it.
import { readFile } from 'node:fs/promises'
import { fileStates } from './file-states.mjs'
import { openModel } from './model.mjs'
import { SessionHost } from './session-host.mjs'

const [, , folder] = process.argv
const CAPACITY = 10_000
/** How long frames are collected before they are stepped as one batch. */
const COLLECT_MS = 2

// Messages that come before the model is there wait in the pipe: reading begins with the first listener.
const model = await openModel(await readFile(new URL('../digits.safetensors', import.meta.url)), CAPACITY)
const send = (name, message) => {
  if (process.connected) process.send({ name, message }, () => {})
}
const host = new SessionHost(model, fileStates(folder), send, { collect: (step) => setTimeout(step, COLLECT_MS) })

process.on('message', ({ kind, name, bytes }) => {
  if (kind === 'received') return host.received(name, bytes)
  return kind === 'connected' ? host.connected(name) : host.disconnected(name)
})
// Whoever started this process has ended, or wants it to.
process.on('disconnect', async () => {
  await host.end()
  process.exit()
})
// Ctrl-C goes to all processes of a terminal; the one that started this one says when to end.
process.on('SIGINT', () => {})
