import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { compatibilityPage, FEATURES, goldenCases } from './compatibility.ts'

const page = new URL('../docs/compatibility.md', import.meta.url)
const folders = goldenCases()

describe('golden cases', () => {
  it('are at least 300', () => {
    expect(folders.reduce((sum, { cases }) => sum + cases.length, 0)).toBeGreaterThanOrEqual(300)
  })

  it('have names of their own, and rows that exist', () => {
    const rows = new Set(FEATURES.map(({ row }) => row))
    for (const { title, cases } of folders) {
      expect(new Set(cases.map(({ name }) => name)).size, title).toBe(cases.length)
      for (const test of cases) expect(test.rows.filter((row) => !rows.has(row)), `${title}: ${test.name}`).toEqual([])
    }
  })

  it.each(FEATURES.filter(({ note }) => note === undefined))('cover $row: $title', ({ row }) => {
    expect(folders.some(({ cases }) => cases.some(({ rows }) => rows.includes(row)))).toBe(true)
  })

  it('are what docs/compatibility.md says (npm run docs:compatibility writes it)', () => {
    const text = compatibilityPage(folders)
    if (process.env.UPDATE_DOCS === '1') writeFileSync(page, text)
    expect(readFileSync(page, 'utf8')).toBe(text)
  })
})
