// docs/troubleshooting.md: its titles are words of messages that the source has, each with a code that it is thrown with; and every message that the source
// throws has an entry.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('../', import.meta.url))
const page = readFileSync(`${root}docs/troubleshooting.md`, 'utf8')
const files = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll('\\', '/')).filter((name) => name.endsWith('.ts'))
const source = files.map((name) => readFileSync(`${root}src/${name}`, 'utf8')).join('\n')
const codes = [...new Set([...readFileSync(`${root}src/errors.ts`, 'utf8').matchAll(/'([A-Z]{4,})'/g)].map(([, code]) => code as string))]

/** `### title`, then the codes, then other words that the same entry is about: `, also *words*, *words*`. */
const ENTRY = /^### (.*)\n\n((?:`[A-Z]+`(?:, | or )?)+)((?:,(?:\s+also)?\s+\*[^*]+\*)*)\.\s/gm
const entries = [...page.matchAll(ENTRY)].flatMap(([, title, code, also]) => (
  [title as string, ...[...(also as string).matchAll(/\*([^*]+)\*/g)].map(([, words]) => (words as string).replace(/\s+/g, ' '))].map((words) => ({ words, codes: (code as string).match(/[A-Z]+/g) as string[] }))
))

/** Words of a title, in their order; `…` stands for what is different each time. A reason after a colon may stand elsewhere in the source. */
const partsOf = (words: string): string[] => words.split('…').map((part) => part.replace(/^:/, '').trim()).filter((part) => part.length > 0)

it('has an entry for every code, and a code for every entry', () => {
  expect([...page.matchAll(ENTRY)].length).toBe([...page.matchAll(/^### /gm)].length)
  expect([...new Set(entries.flatMap(({ codes: some }) => some))].sort()).toEqual([...codes].sort())
})

/** The text that an expression makes, `…` for what is computed, both ways of a choice; undefined where all of it is computed. */
function textOf(node: ts.Expression): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text
  if (ts.isTemplateExpression(node)) return node.head.text + node.templateSpans.map(({ expression, literal }) => (textOf(expression) ?? '…') + literal.text).join('')
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) return (textOf(node.left) ?? '…') + (textOf(node.right) ?? '…')
  if (ts.isParenthesizedExpression(node)) return textOf(node.expression)
  if (ts.isConditionalExpression(node)) return `${textOf(node.whenTrue) ?? '…'}|${textOf(node.whenFalse) ?? '…'}`
  return undefined
}

/** Messages that are thrown in a file. */
function thrownIn(file: string): { file: string, code: string, message: string }[] {
  const found: { file: string, code: string, message: string }[] = []
  const walk = (node: ts.Node): void => {
    if (ts.isNewExpression(node) && node.expression.getText() === 'LstmError') {
      const [code, message] = (node.arguments ?? []).map(textOf)
      if (code !== undefined && message !== undefined) found.push({ file, code, message })
    }
    ts.forEachChild(node, walk)
  }
  walk(ts.createSourceFile(file, readFileSync(`${root}src/${file}`, 'utf8'), ts.ScriptTarget.Latest, true))
  return found
}

/** What is computed only says itself what it is about: `…: expected …, got …`. */
const hasWordsOfItsOwn = (message: string): boolean => message.replace(/expected|got|…/g, '').replace(/[^a-z]/gi, '').length > 4
const isAbout = (words: string, message: string): boolean => {
  let at = 0
  return partsOf(words).every((part) => {
    const found = message.indexOf(part, at)
    at = found + part.length
    return found >= 0
  })
}
const thrown = files.flatMap(thrownIn)
const walked = thrown.filter(({ message }) => hasWordsOfItsOwn(message))

it('looks at all of them', () => {
  expect(walked.length).toBeGreaterThan(600)
  expect(isAbout('expected … rows', 'fit: expected … rows, got …') && !isAbout('rows … expected', 'fit: expected … rows, got …')).toBe(true)
})

it.each(entries)('$words', ({ words, codes: some }) => {
  // Messages that are put together of several texts have their words somewhere in the source.
  const parts = partsOf(words).filter((part) => part.length > 3)
  const isThrown = thrown.some(({ code, message }) => some.some((each) => code.includes(each)) && isAbout(words, message))
  expect(isThrown || (parts.length > 0 && parts.every((part) => source.includes(part)))).toBe(true)
})

it.each(walked)('$file: $code: $message', ({ code, message }) => {
  expect(entries.some((entry) => entry.codes.some((each) => code.includes(each)) && isAbout(entry.words, message))).toBe(true)
})
