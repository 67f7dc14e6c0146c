// The Python in which TorchScript archives keep their programs, as far as it is a row of assignments: names, calls, attributes, numbers,
// text, lists. Everything else (if, for, operators) is not read.
import { NotFollowed } from './calls.ts'

export type Expression =
  | { readonly kind: 'name', readonly name: string }
  | { readonly kind: 'literal', readonly value: number | string | boolean | null }
  | { readonly kind: 'attribute', readonly of: Expression, readonly name: string }
  | { readonly kind: 'item', readonly of: Expression, readonly index: Expression }
  | { readonly kind: 'call', readonly callee: Expression, readonly args: readonly Expression[], readonly named: readonly (readonly [string, Expression])[] }
  | { readonly kind: 'list', readonly items: readonly Expression[] }

export interface Statement {
  /** Names that are assigned; one at least. Empty for `return`. */
  readonly targets: readonly string[]
  /** Whether the value is taken apart: `a, b, = value`. */
  readonly unpacks: boolean
  readonly value: Expression
}

/** Expressions within one another. */
const MOST_DEEP = 200
const TOKEN = /[^\S\n]+|\n|[A-Za-z_]\w*|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|->|[-()[\]{},.=:+*/%<>!&|^~@]/gy
const BRANCHES: readonly string[] = ['if', 'for', 'while', 'with', 'assert', 'raise', 'pass']
const WORDS: Readonly<Record<string, boolean | null>> = { True: true, False: false, None: null }

/** Tokens; a newline within brackets is none. */
function tokensOf(text: string): string[] {
  const tokens: string[] = []
  let depth = 0
  let end = 0
  for (const [token] of text.matchAll(TOKEN)) {
    end += token.length
    if (token === '\n' && depth > 0) continue
    if (token !== '\n' && /^\s/.test(token)) continue
    if (/^[([{]$/.test(token)) depth++
    if (/^[)\]}]$/.test(token)) depth--
    tokens.push(token)
  }
  if (end !== text.length) throw new NotFollowed('has code that is not read')
  return tokens
}

/** The statements of a function's body. @throws NotFollowed for code that is no row of assignments */
export function parseBody(text: string): Statement[] {
  const parser = new Parser(tokensOf(text))
  const statements: Statement[] = []
  while (!parser.atEnd()) {
    const statement = parser.statement()
    if (statement !== undefined) statements.push(statement)
  }
  return statements
}

/** A number, text, word or tuple as a class's constant has it; undefined for anything else. */
export function parseConstant(text: string): unknown {
  try {
    return plain(new Parser(tokensOf(text)).expression(0))
  } catch {
    return undefined
  }
}

function plain(expression: Expression): unknown {
  if (expression.kind === 'literal') return expression.value
  return expression.kind === 'list' ? expression.items.map(plain) : undefined
}

class Parser {
  readonly #tokens: readonly string[]
  #at = 0

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens
  }

  atEnd(): boolean {
    return this.#at >= this.#tokens.length
  }

  statement(): Statement | undefined {
    if (this.#take('\n')) return undefined
    if (this.#take('return')) {
      const value = this.#tuple()
      this.#lineEnd()
      return { targets: [], unpacks: false, value }
    }
    const word = this.#peek() as string
    if (BRANCHES.includes(word)) throw new NotFollowed(`${['for', 'while'].includes(word) ? 'loops' : 'decides'} by '${word}'`)
    const targets: string[] = []
    let unpacks = false
    do {
      if (this.#peek() === '=') break
      targets.push(this.#name())
      if (this.#peek() === ',') unpacks = true
    } while (this.#take(','))
    this.#expect('=')
    const value = this.#tuple()
    this.#lineEnd()
    return { targets, unpacks, value }
  }

  /** Several expressions without brackets are a tuple. */
  #tuple(): Expression {
    const first = this.expression(0)
    if (this.#peek() !== ',') return first
    const items = [first]
    while (this.#take(',') && this.#peek() !== '\n' && !this.atEnd()) items.push(this.expression(0))
    return { kind: 'list', items }
  }

  expression(depth: number): Expression {
    if (depth > MOST_DEEP) throw new NotFollowed('has expressions that are too deep')
    let found = this.#atom(depth)
    for (;;) {
      if (this.#take('.')) found = { kind: 'attribute', of: found, name: this.#name() }
      else if (this.#take('[')) {
        found = { kind: 'item', of: found, index: this.expression(depth + 1) }
        this.#expect(']')
      } else if (this.#take('(')) found = this.#arguments(found, depth)
      else return found
    }
  }

  #arguments(callee: Expression, depth: number): Expression {
    const args: Expression[] = []
    const named: [string, Expression][] = []
    while (!this.#take(')')) {
      if (this.#tokens[this.#at + 1] === '=') {
        const name = this.#name()
        this.#expect('=')
        named.push([name, this.expression(depth + 1)])
      } else args.push(this.expression(depth + 1))
      if (this.#peek() !== ')') this.#expect(',')
    }
    return { kind: 'call', callee, args, named }
  }

  #atom(depth: number): Expression {
    const token = this.#next()
    if (token === '(' || token === '[') return this.#list(token === '(' ? ')' : ']', depth)
    if (token === '-') {
      const number = this.#next()
      if (!/^[\d.]/.test(number)) throw new NotFollowed('has arithmetic that is not read')
      return { kind: 'literal', value: -Number(number) }
    }
    if (/^[\d.]/.test(token)) return { kind: 'literal', value: Number(token) }
    if (/^["']/.test(token)) return { kind: 'literal', value: token.slice(1, -1) }
    if (Object.hasOwn(WORDS, token)) return { kind: 'literal', value: WORDS[token] as boolean | null }
    if (/^[A-Za-z_]/.test(token)) return { kind: 'name', name: token }
    throw new NotFollowed(`has code that is not read: ${token}`)
  }

  /** `(x)` is x; `(x,)` and `[x]` are lists. */
  #list(end: string, depth: number): Expression {
    const items: Expression[] = []
    let commas = 0
    while (!this.#take(end)) {
      items.push(this.expression(depth + 1))
      if (this.#take(',')) commas++
      else if (this.#peek() !== end) throw new NotFollowed(`has code that is not read: ${this.#peek()}`)
    }
    const [only] = items
    return end === ')' && items.length === 1 && commas === 0 ? only as Expression : { kind: 'list', items }
  }

  #peek(): string | undefined {
    return this.#tokens[this.#at]
  }

  #next(): string {
    const token = this.#tokens[this.#at++]
    if (token === undefined) throw new NotFollowed('has code that ends in the middle')
    return token
  }

  #take(token: string): boolean {
    if (this.#peek() !== token) return false
    this.#at++
    return true
  }

  #expect(token: string): void {
    const got = this.#next()
    if (got !== token) throw new NotFollowed(`has code that is not read: ${got}`)
  }

  #name(): string {
    const name = this.#next()
    if (!/^[A-Za-z_]\w*$/.test(name)) throw new NotFollowed(`has code that is not read: ${name}`)
    return name
  }

  #lineEnd(): void {
    if (!this.atEnd()) this.#expect('\n')
  }
}
