// examples/sessions on one machine: states as files, processes that are killed, the client's end, what it costs.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fileStates, framesOf, hashOf, REPLACED, SessionClient, undisturbed, WorkerProcesses, writeRun, type Events } from './example.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lstm-wasm-sessions-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('fileStates', () => {
  it('keeps sessions as files', async () => {
    const states = fileStates(join(folder, 'files', 'deep'))
    expect(await states.get('anna')).toBeUndefined()
    await states.put('anna', Uint8Array.of(1, 2, 3), undefined)
    await states.put('anna', Uint8Array.of(4, 5), undefined)
    expect(Array.from((await states.get('anna'))?.bytes as Uint8Array)).toEqual([4, 5])
  })

  // /dev/full is a disk without a free byte.
  it.runIf(process.platform === 'linux')('keeps what was saved last when the disk is full', async () => {
    const states = fileStates(folder)
    await states.put('anna', Uint8Array.of(1, 2, 3), undefined)
    await symlink('/dev/full', join(folder, 'anna.session.new'))
    await expect(states.put('anna', Uint8Array.of(4), undefined)).rejects.toMatchObject({
      code: 'STORE', message: "session 'anna': cannot write its file: the disk is full", cause: { code: 'ENOSPC' },
    })
    expect(Array.from((await states.get('anna'))?.bytes as Uint8Array)).toEqual([1, 2, 3])
    await states.put('anna', Uint8Array.of(5), undefined)
    expect(Array.from((await states.get('anna'))?.bytes as Uint8Array)).toEqual([5])
  })

  it('says so when there is no folder to write to', async () => {
    await expect(fileStates('/dev/null/sessions').put('anna', Uint8Array.of(1), undefined)).rejects.toMatchObject({ code: 'STORE' })
  })
})

describe('cost.mjs', () => {
  it('says what sessions cost here', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(new URL('../../examples/sessions/cost.mjs', import.meta.url)), '3'])
    expect(stdout).toMatch(/^3 sessions of two LSTMs of 128 units; .*\n {2}pool alone +[\d,]+ frames a second\n/)
    expect(stdout).toMatch(/\n {2}session store +[\d,]+ frames a second, \d+ sessions of 31.25 frames a second\n/)
    expect(stdout).toMatch(/\n {2}saved +2,120 bytes a session\n$/)
  })
})

describe('WorkerProcesses', () => {
  it('are killed in mid-stream, and no session loses a frame or a bit', async () => {
    const [sessions, frames] = [12, 80] // a state is saved every 32 frames: the second kill is after that
    const clients: Map<string, Events> = new Map()
    const processes = new WorkerProcesses(2, join(folder, 'processes'), (name, message) => clients.get(name)?.onMessage(message))
    const connectTo = (name: string) => (events: Events) => {
      clients.set(name, events)
      setImmediate(() => processes.connected(name))
      return {
        send: (bytes: Uint8Array) => processes.received(name, bytes),
        close: () => {
          processes.disconnected(name)
          events.onClose()
        },
      }
    }
    const all = Array.from({ length: sessions }, (_, n) => framesOf(n, frames))
    const outputs = all.map(() => [] as Float32Array[])
    let [got, kills] = [0, 0]
    const killSome = (): void => {
      // In turns: at a third of all outputs, and at two thirds
      if (got++ < (kills + 1) * sessions * frames / 3 || kills === 2) return
      process.kill(processes.pids[kills++ % 2] as number, 'SIGKILL')
    }
    await Promise.all(all.map(async (own, n) => {
      const client = new SessionClient(connectTo(`session-${n}`), (sequence, output) => {
        expect(sequence).toBe((outputs[n] as Float32Array[]).push(output))
        killSome()
      })
      for (const [at, frame] of own.entries()) {
        while (at - (outputs[n] as Float32Array[]).length > 3) await new Promise((resolve) => setTimeout(resolve, 1))
        await client.send(frame)
      }
      await client.finished()
      client.close()
    }))
    await processes.end()
    expect(kills).toBe(2)
    expect(hashOf(outputs)).toBe(hashOf(await undisturbed(all)))
  })
})

describe('SessionClient', () => {
  const WELCOME = { type: 'welcome', done: 4, saved: 4, confirmed: 3, frameLength: 2, outputLength: 1, window: 8 }

  /** A client, and the other end of its last connection. */
  function clientOf(): { client: InstanceType<typeof SessionClient>, outputs: number[], sent: Uint8Array[], say: (message: object) => void, end: Events } {
    const sent: Uint8Array[] = []
    const outputs: number[] = []
    let end: Events | undefined
    const client = new SessionClient((events) => {
      end = events
      return { send: (bytes) => sent.push(bytes), close: () => events.onClose() }
    }, (sequence) => outputs.push(sequence))
    return { client, outputs, sent, say: (message) => (end as Events).onMessage(JSON.stringify(message)), end: end as unknown as Events }
  }
  const frame = Float32Array.of(1, 2)

  it('goes on after the last frame of a session that was there before, and gives each output once, in order', async () => {
    const { client, outputs, sent, say, end } = clientOf()
    say(WELCOME)
    end.onMessage(writeRun(4, 4, [Float32Array.of(0.5)]))
    expect(await client.send(frame)).toBe(5)
    expect(sent.at(-1)).toEqual(writeRun(5, 4, [frame]))
    end.onMessage(writeRun(6, 4, [Float32Array.of(0.25)])) // 5 is missing
    end.onMessage(writeRun(4, 4, [Float32Array.of(0.5), Float32Array.of(0.75)])) // 4 again
    expect(outputs).toEqual([4, 5])
    client.close()
  })

  it('sends again from where a gap is, once', async () => {
    const { client, sent, say } = clientOf()
    say({ ...WELCOME, confirmed: 4 })
    const reused = frame.slice()
    await client.send(reused)
    await client.send(reused)
    reused.fill(9)
    const before = sent.length
    for (let n = 0; n < 3; n++) say({ type: 'error', code: 'GAP', message: '', expected: 6, passes: false })
    expect(sent.slice(before)).toEqual([writeRun(6, 4, [frame])])
    client.close()
  })

  it.each([
    ['two frames at once', Float32Array.of(1, 2, 3, 4), 'SIZE'],
    ['NaN', Float32Array.of(1, NaN), 'VALUE'],
  ])('refuses %s, and goes on', async (_, wrong, code) => {
    const { client, sent, say } = clientOf()
    say(WELCOME)
    const before = sent.length
    await expect(client.send(wrong)).rejects.toMatchObject({ code })
    expect(sent.length).toBe(before)
    expect(await client.send(frame)).toBe(5)
    client.close()
  })

  it.each([
    ['a state of another model', { type: 'error', code: 'MODEL', message: 'another model', passes: false }, 'MODEL'],
    ['a host that has lost what it saved', { ...WELCOME, done: 2, saved: 2, confirmed: 2 }, 'DAMAGED'],
  ])('ends with %s', async (_, message, code) => {
    const { client, say } = clientOf()
    say(WELCOME)
    const finished = client.finished()
    say(message)
    await expect(finished).rejects.toMatchObject({ name: 'SessionError', code })
    await expect(client.send(frame)).rejects.toMatchObject({ code })
  })

  it('leaves the session to a connection that came later', async () => {
    const { client, end } = clientOf()
    end.onClose(REPLACED)
    await expect(client.send(frame)).rejects.toMatchObject({ code: 'TAKEN' })
  })
})
