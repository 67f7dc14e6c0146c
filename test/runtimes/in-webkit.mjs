// A page in WebKitGTK's MiniBrowser, driven by WebKitWebDriver under Xvfb.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'

export const MINI_BROWSERS = ['4.1', '4.0'].map((version) => `/usr/lib/x86_64-linux-gnu/webkit2gtk-${version}/MiniBrowser`)
const CAPABILITIES = (binary) => ({ alwaysMatch: { 'browserName': 'MiniBrowser', 'webkitgtk:browserOptions': { binary, args: ['--automation'] } } })
const PATIENCE_MILLISECONDS = 30_000

/** What an expression in a page at `url` comes to, promises awaited, and the browser's version. */
export async function inWebKit(url, expression) {
  const binary = MINI_BROWSERS.find((path) => existsSync(path))
  if (binary === undefined) throw new Error('MiniBrowser is not installed (Debian: webkit2gtk-driver, xvfb, xauth)')
  const port = 30_000 + Math.floor(Math.random() * 20_000)
  const driver = spawn('xvfb-run', ['-a', 'WebKitWebDriver', `--port=${port}`], { detached: true, stdio: 'ignore' })
  const ask = async (method, path, body) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, body: body === undefined ? undefined : JSON.stringify(body) })
    const { value } = await response.json()
    if (value?.error !== undefined) throw new Error(`${value.error}: ${value.message}`)
    return value
  }
  try {
    await ready(() => ask('GET', '/status'))
    const { sessionId, capabilities } = await ask('POST', '/session', { capabilities: CAPABILITIES(binary) })
    try {
      await ask('POST', `/session/${sessionId}/timeouts`, { script: PATIENCE_MILLISECONDS })
      await ask('POST', `/session/${sessionId}/url`, { url })
      // The page may be taken for loaded before its modules have run: until then the expression is undefined.
      const script = `const done = arguments[arguments.length - 1]
        const settle = async (tries) => {
          const value = await (${expression})
          if (value !== undefined || tries === 0) return value
          await new Promise((resolve) => setTimeout(resolve, 100))
          return settle(tries - 1)
        }
        settle(${PATIENCE_MILLISECONDS / 200}).then((value) => done({ value }), (error) => done({ value: String(error) }))`
      const { value } = await ask('POST', `/session/${sessionId}/execute/async`, { script, args: [] })
      return { value, version: capabilities.browserVersion }
    } finally {
      await ask('DELETE', `/session/${sessionId}`).catch(() => undefined)
    }
  } finally {
    process.kill(-driver.pid, 'SIGTERM')
  }
}

async function ready(ask) {
  for (let tries = 0; ; tries++) {
    try {
      return await ask()
    } catch (error) {
      if (tries === 100) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
