// Sessions as Cloudflare Durable Objects: wss://HOST/NAME. An object has one session; its state is saved in the object's SQLite.
// Between frames the object hibernates: it is not in memory, and its WebSocket stays open.
import { DurableObject } from 'cloudflare:workers'
import { openModel } from '../../model.mjs'
import { errorMessage, REPLACED } from '../../messages.mjs'
import { checkName } from '../../session-checks.mjs'
import { SessionError } from '../../session-error.mjs'
import { SessionHost } from '../../session-host.mjs'
import { objectStates } from './object-states.mjs'
import bytes from '../../../digits.safetensors'

/** Objects of one isolate share a pool; one that hibernates has left it. */
const CAPACITY = 10_000
/** An object that saves and leaves soon hibernates soon: while a timer runs, it is in memory and costs. */
const IDLE_MS = 500

/** Loaded by the first object, and kept while the isolate lives. */
let opened
const model = () => (opened ??= openModel(bytes, CAPACITY))

export class Session extends DurableObject {
  #host

  constructor(ctx, env) {
    super(ctx, env)
    ctx.blockConcurrencyWhile(async () => {
      const send = (name, message) => {
        for (const socket of ctx.getWebSockets(name)) if (socket.readyState === WebSocket.READY_STATE_OPEN) socket.send(message)
      }
      this.#host = new SessionHost(await model(), objectStates(ctx.storage), send, { saveAfterMs: IDLE_MS, leaveAfterMs: IDLE_MS })
    })
  }

  /** A client comes. One that was there before is sent away. */
  async fetch(request) {
    const name = nameOf(request)
    for (const socket of this.ctx.getWebSockets()) socket.close(REPLACED, 'the session goes on over another connection')
    const { 0: client, 1: server } = new WebSocketPair()
    this.ctx.acceptWebSocket(server, [name])
    await this.#host.connected(name)
    return new Response(null, { status: 101, webSocket: client })
  }

  /** Frames, also after the object has hibernated: its session is restored by the first. */
  async webSocketMessage(socket, message) {
    const [name] = this.ctx.getTags(socket)
    if (typeof message !== 'string') await this.#host.received(name, new Uint8Array(message))
  }

  async webSocketClose(socket) {
    socket.close()
    const [name] = this.ctx.getTags(socket)
    await this.#host.disconnected(name)
  }
}

function nameOf({ url }) {
  const name = new URL(url).pathname.slice(1)
  checkName(name)
  return name
}

export default {
  async fetch(request, env) {
    try {
      const name = nameOf(request)
      if (request.headers.get('upgrade') !== 'websocket') return new Response('connect by WebSocket to /NAME\n', { status: 426 })
      return await env.SESSIONS.get(env.SESSIONS.idFromName(name)).fetch(request)
    } catch (error) {
      if (!(error instanceof SessionError)) throw error
      return new Response(errorMessage(error), { status: 400 })
    }
  },
}
