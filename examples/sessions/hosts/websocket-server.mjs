// Sessions over WebSocket on one machine: node websocket-server.mjs, then ws://localhost:8787/NAME. PORT, WORKERS and FOLDER change the defaults.
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebSocketServer } from 'ws'
import { errorMessage, REPLACED } from '../messages.mjs'
import { checkName } from '../session-checks.mjs'
import { WorkerProcesses } from '../worker-processes.mjs'

const { PORT = '8787', WORKERS = availableParallelism(), FOLDER = join(tmpdir(), 'lstm-wasm-sessions') } = process.env
/** Longer messages end the connection before they are in memory. */
const MOST_BYTES = 1 << 20
/** Why a connection is closed: RFC 6455's code for what a server does not accept. */
const POLICY = 1008

/** @type {Map<string, import('ws').WebSocket>} */
const sockets = new Map()
const workers = new WorkerProcesses(Number(WORKERS), FOLDER, (name, message) => sockets.get(name)?.send(message))
const server = new WebSocketServer({ port: Number(PORT), maxPayload: MOST_BYTES })

server.on('connection', (socket, { url }) => {
  const name = url.slice(1)
  try {
    checkName(name)
  } catch (error) {
    socket.send(errorMessage(error))
    return socket.close(POLICY)
  }
  sockets.get(name)?.close(REPLACED, 'the session goes on over another connection')
  sockets.set(name, socket)
  workers.connected(name)
  socket.on('message', (data, isBinary) => {
    if (isBinary && sockets.get(name) === socket) workers.received(name, data)
  })
  socket.on('close', () => {
    if (sockets.get(name) !== socket) return
    sockets.delete(name)
    workers.disconnected(name)
  })
  socket.on('error', () => {}) // `close` follows
})
server.on('listening', () => console.log(`ws://localhost:${server.address().port}/NAME: ${WORKERS} processes, sessions saved in ${FOLDER}   (Ctrl-C ends)`))
server.on('error', ({ code, message }) => {
  console.error(code === 'EADDRINUSE' ? `port ${PORT} is in use: set PORT to another` : message)
  process.exit(1)
})

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    server.close()
    for (const socket of sockets.values()) socket.terminate()
    await workers.end()
    process.exit()
  })
}
