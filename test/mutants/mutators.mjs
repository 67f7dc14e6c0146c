// Small mutations of a source file, of the classic kinds. Each is a piece of text that stands once in the file, and what it becomes.
import ts from 'typescript'

/** @typedef {{ file: string, find: string, replace: string, kind: string }} Mutation */

const K = ts.SyntaxKind

/** Operators, and what each becomes. */
const OPERATORS = new Map([
  [K.LessThanToken, ['boundary', '<=']], [K.LessThanEqualsToken, ['boundary', '<']],
  [K.GreaterThanToken, ['boundary', '>=']], [K.GreaterThanEqualsToken, ['boundary', '>']],
  [K.EqualsEqualsEqualsToken, ['equality', '!==']], [K.ExclamationEqualsEqualsToken, ['equality', '===']],
  [K.EqualsEqualsToken, ['equality', '!=']], [K.ExclamationEqualsToken, ['equality', '==']],
  [K.AmpersandAmpersandToken, ['logic', '||']], [K.BarBarToken, ['logic', '&&']],
  [K.PlusToken, ['arithmetic', '-']], [K.MinusToken, ['arithmetic', '+']], [K.AsteriskToken, ['arithmetic', '/']],
  [K.SlashToken, ['arithmetic', '*']], [K.PercentToken, ['arithmetic', '*']],
  [K.LessThanLessThanToken, ['arithmetic', '>>']], [K.GreaterThanGreaterThanToken, ['arithmetic', '<<']],
  [K.GreaterThanGreaterThanGreaterThanToken, ['arithmetic', '<<']],
  [K.AmpersandToken, ['arithmetic', '|']], [K.BarToken, ['arithmetic', '&']],
  [K.PlusEqualsToken, ['arithmetic', '-=']], [K.MinusEqualsToken, ['arithmetic', '+=']], [K.AsteriskEqualsToken, ['arithmetic', '/=']],
])

/** Methods, and what each becomes; those of vectors are AssemblyScript's. */
const METHODS = new Map(Object.entries({
  some: 'every', every: 'some', min: 'max', max: 'min', floor: 'ceil', ceil: 'floor', add: 'sub', sub: 'add', mul: 'add', lt: 'le', le: 'lt',
  gt: 'ge', ge: 'gt', eq: 'ne', ne: 'eq', pmin: 'pmax', pmax: 'pmin', startsWith: 'endsWith', endsWith: 'startsWith',
}))
/** `add` of a Set is no addition. */
const VECTOR_ONLY = new Set(['add', 'sub', 'mul', 'lt', 'le', 'gt', 'ge', 'eq', 'ne'])

/** What of a text is not mutated: types, imports, decorators, words of messages, assertions (of the debug binary). */
function isPassedOver(node) {
  return ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isInterfaceDeclaration(node)
    || ts.isTypeAliasDeclaration(node) || ts.isDecorator(node) || (ts.isNewExpression(node) && node.expression.getText() === 'LstmError')
    || (ts.isCallExpression(node) && node.expression.getText() === 'assert')
}

const isText = (node) => ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)

/** The changes at one node: [kind, start, end, replacement]. */
function* changesAt(node, source) {
  const start = (one) => one.getStart(source)
  if (ts.isBinaryExpression(node)) {
    const change = OPERATORS.get(node.operatorToken.kind)
    const ofTexts = [K.PlusToken, K.PlusEqualsToken].includes(node.operatorToken.kind) && (isText(node.left) || isText(node.right))
    if (change !== undefined && !ofTexts) yield [change[0], start(node.operatorToken), node.operatorToken.end, change[1]]
  }
  if (ts.isNumericLiteral(node)) {
    const value = Number(node.text)
    // A wrong digit of a coefficient, or the next integer.
    const next = Number.isInteger(value) ? String(value + 1) : String(value * 1.001)
    yield ['constant', start(node), node.end, next]
  }
  if (node.kind === K.TrueKeyword) yield ['boolean', start(node), node.end, 'false']
  if (node.kind === K.FalseKeyword) yield ['boolean', start(node), node.end, 'true']
  if (ts.isIfStatement(node) || ts.isConditionalExpression(node)) {
    const condition = ts.isIfStatement(node) ? node.expression : node.condition
    yield ['condition', start(condition), condition.end, 'false']
    yield ['condition', start(condition), condition.end, 'true']
  }
  if (ts.isPrefixUnaryExpression(node) && node.operator === K.ExclamationToken) yield ['negation', start(node), node.operand.getStart(source), '']
  if (ts.isPrefixUnaryExpression(node) && node.operator === K.MinusToken && !ts.isNumericLiteral(node.operand)) {
    yield ['arithmetic', start(node), node.operand.getStart(source), '']
  }
  if (ts.isExpressionStatement(node) && !ts.isStringLiteral(node.expression)) yield ['statement', start(node), node.end, ';']
  if (ts.isReturnStatement(node) && node.expression === undefined) yield ['statement', start(node), node.end, ';']
  if (ts.isContinueStatement(node) || ts.isBreakStatement(node)) yield ['statement', start(node), node.end, ';']
  if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
    const { name, expression } = node.expression
    const vector = /^[fiv]\d+x?\d*$/.test(expression.getText())
    const other = METHODS.get(name.text)
    if (other !== undefined && (vector || !VECTOR_ONLY.has(name.text))) yield ['method', start(name), name.end, other]
  }
  const swappable = (ts.isCallExpression(node) || ts.isNewExpression(node)) ? node.arguments ?? [] : []
  for (let n = 0; n + 1 < swappable.length; n++) {
    const [a, b] = [swappable[n], swappable[n + 1]]
    if ([a, b].some((one) => isText(one) || ts.isArrowFunction(one))) continue
    const text = source.text
    yield ['arguments', start(a), b.end, `${b.getText(source)}${text.slice(a.end, start(b))}${a.getText(source)}`]
  }
}

const placesOf = (text, piece) => text.split(piece).length - 1

/** The whole lines around [start, end), and more of them until they stand only once; undefined for more than 8. */
function linesAround(text, start, end) {
  let from = text.lastIndexOf('\n', start - 1) + 1
  let to = text.indexOf('\n', end)
  for (let lines = 0; lines < 8; lines++) {
    const indented = from + (/^ */.exec(text.slice(from))?.[0].length ?? 0)
    if (placesOf(text, text.slice(indented, to)) === 1) return [indented, to]
    if (lines % 2 === 0) from = text.lastIndexOf('\n', from - 2) + 1
    else to = text.indexOf('\n', to + 1)
    if (to === -1) return undefined
  }
  return undefined
}

/** All mutations of a file. @param {string} file @param {string} text @returns {Mutation[]} */
export function mutationsOf(file, text) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const found = []
  const visit = (node) => {
    if (isPassedOver(node)) return
    for (const [kind, start, end, replacement] of changesAt(node, source)) {
      const lines = linesAround(text, start, end)
      if (lines === undefined) continue
      const [from, to] = lines
      const find = text.slice(from, to)
      const replace = text.slice(from, start) + replacement + text.slice(end, to)
      if (find !== replace) found.push({ file, find, replace, kind })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/**
 * The text with a mutation in it; undefined when it does not apply: what it replaces stands not once.
 * @param {string} text @param {{ find: string, replace: string }} mutation
 */
export function applyTo(text, { find, replace }) {
  return placesOf(text, find) === 1 ? text.replace(find, () => replace) : undefined
}
