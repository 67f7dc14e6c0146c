#!/usr/bin/env node
// npm create lstm-wasm FOLDER -- --template page|worker|worklet|node
import { cp, readdir, rename } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const TEMPLATES = {
  page: 'a page that reads handwritten digits (Vite)',
  worker: 'a Cloudflare Worker that classifies per request (wrangler, Node 22 or newer)',
  worklet: 'a page that runs an LSTM on the audio thread (Vite)',
  node: 'an HTTP service in Node',
}

const usage = `npm create lstm-wasm FOLDER -- --template NAME

${Object.entries(TEMPLATES).map(([name, what]) => `  ${name.padEnd(8)} ${what}`).join('\n')}`

function stop(message) {
  console.error(`${message}\n\n${usage}`)
  process.exit(2)
}

let parsed
try {
  parsed = parseArgs({ allowPositionals: true, options: { template: { type: 'string', short: 't', default: 'page' }, help: { type: 'boolean', short: 'h' } } })
} catch (error) {
  stop(error.message)
}
const { values: { template, help }, positionals: [folder, ...others] } = parsed
if (help) {
  console.log(usage)
  process.exit()
}
if (folder === undefined || others.length > 0) stop('expected the name of one folder')
if (!Object.hasOwn(TEMPLATES, template)) stop(`--template: expected ${Object.keys(TEMPLATES).join(', ')}, got '${template}'`)
const target = resolve(folder)
if ((await readdir(target).catch(() => [])).length > 0) stop(`'${folder}' is not empty`)
await cp(new URL(`templates/${template}/`, import.meta.url), target, { recursive: true })
// npm leaves files of this name out of packages.
await rename(join(target, 'gitignore'), join(target, '.gitignore'))
console.log(`${folder}: ${TEMPLATES[template]}. Now:\n\n  cd ${relative('.', target) || '.'}\n  npm install\n  npm start`)
