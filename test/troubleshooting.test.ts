// docs/troubleshooting.md: its titles are words of messages that the source has, each with the code that it is thrown with.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('../', import.meta.url))
const page = readFileSync(`${root}docs/troubleshooting.md`, 'utf8')
const source = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(`${root}src/${name}`, 'utf8')).join('\n')
const codes = [...new Set([...readFileSync(`${root}src/errors.ts`, 'utf8').matchAll(/'([A-Z]{4,})'/g)].map(([, code]) => code as string))]
const entries = [...page.matchAll(/^### (.*)\n\n`([A-Z]+)`\. /gm)].map(([, title, code]) => ({ title: title as string, code: code as string }))

it('has an entry for every code, and a code for every entry', () => {
  expect(entries.length).toBe([...page.matchAll(/^### /gm)].length)
  expect([...new Set(entries.map(({ code }) => code))].sort()).toEqual([...codes].sort())
})

it.each(entries)('$title', ({ title }) => {
  const parts = title.split('…').map((part) => part.trim()).filter((part) => part.length > 3)
  expect(parts.length).toBeGreaterThan(0)
  for (const part of parts) expect(source.includes(part), part).toBe(true)
})
