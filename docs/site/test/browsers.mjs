// Browsers that the system has installed.
import { existsSync } from 'node:fs'
import { chromium, firefox } from 'playwright-core'

const CHROMIUM_ARGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--autoplay-policy=no-user-gesture-required', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', '--force-color-profile=srgb', '--font-render-hinting=none',
]
const PLACES = { chromium: process.env.CHROMIUM ?? '/usr/bin/chromium', firefox: process.env.FIREFOX ?? '/usr/bin/firefox-esr' }

export const BROWSERS = ['chromium', 'firefox']

/** Starts `chromium` or `firefox`, without a window. @param moreArgs of Chromium */
export async function launch(name, moreArgs = []) {
  const executablePath = PLACES[name]
  if (!existsSync(executablePath)) throw new Error(`${executablePath} is not there: install ${name}, or say where it is by ${name.toUpperCase()}=PATH`)
  return name === 'chromium' ? chromium.launch({ executablePath, args: [...CHROMIUM_ARGS, ...moreArgs] }) : firefox.launch({ executablePath, channel: 'moz-firefox' })
}
