// What the binaries and TypeScript agree on, read from the source of the kernels: src/contract/ is written from it by every build, with
// the kernels in kernels.ts and all else under the names of the files of assembly/ where it stands, so that a bundle has what it needs.
//
//     index.ts     the kernels: names, names and types of parameters, results, what each one computes; gradients/index.ts those of training,
//                  threads/index.ts what binaries with threads have beside the others
//     contract.ts  enums (codes), unmanaged classes (records of four- and eight-byte fields), constants of whole numbers
//
// Fields and parameters may also be of an enum, which is an i32, or of a class, which is an address: of one that is in contract.ts.
//
// The source is AssemblyScript, which TypeScript's parser reads as it stands.
import ts from 'typescript'

/** Types of parameters and fields, and what they are in TypeScript. */
const NUMBERS = { usize: 'Pointer', i32: 'Int', f32: 'Float', f64: 'Float' }
/** How DataView calls them. */
const VIEWS = { usize: 'Uint32', i32: 'Int32', f32: 'Float32', f64: 'Float64' }

/** @typedef {{ name: string, type: string, text: string }} Field `text`: its comment, as it stands */
/** @typedef {{ name: string, text: string, file: string, fields: Field[], result: string }} Kernel */
/** @typedef {{ name: string, text: string, file: string, members: { name: string, value: number, text: string }[] }} Enum */
/** @typedef {{ name: string, text: string, file: string, fields: Field[] }} Layout */
/** @typedef {{ name: string, text: string, file: string, value: number }} Constant */
/** @typedef {{ kernels: Kernel[], gradients: Kernel[], threads: Kernel[], enums: Enum[], records: Layout[], constants: Constant[] }} Contract */

/**
 * @param {(file: string) => string} read text of a file of assembly/, by its name there
 * @returns {Contract}
 * @throws where the source says what could not be handed over
 */
export function readContract(read) {
  const contract = { kernels: [], gradients: [], threads: [], enums: [], records: [], constants: [] }
  const lists = [['contract.ts', 'kernels'], ['index.ts', 'kernels'], ['gradients/index.ts', 'gradients'], ['threads/index.ts', 'threads']]
  const found = lists.flatMap(([list, kind]) => (
    [...exportsOf(read, list)].map(([name, file]) => ({ name, file, kind, ...declarationOf(parse(read, file), file, name) }))
  ))
  const named = (test) => new Set(found.filter(({ node }) => test(node)).map(({ name }) => name))
  const known = { enums: named(ts.isEnumDeclaration), classes: named(ts.isClassDeclaration) }
  for (const { name, file, kind, text, node } of found) {
    const where = `${file}: ${name}`
    const about = { name, text, file }
    if (ts.isEnumDeclaration(node)) {
      contract.enums.push({ ...about, members: membersOf(node, where) })
    } else if (ts.isClassDeclaration(node)) {
      if (!/@unmanaged\b/.test(node.getText())) throw new Error(`${where}: expected an @unmanaged class, whose fields are memory`)
      contract.records.push({ ...about, fields: fieldsOf(node, where, known) })
    } else if (ts.isFunctionDeclaration(node)) {
      if (text === '') throw new Error(`${where}: expected a comment that says what it computes`)
      contract[kind].push({ ...about, fields: parametersOf(node, where, known), result: resultOf(node, where) })
    } else {
      contract.constants.push({ ...about, value: wholeNumber(node.initializer, where) })
    }
  }
  return contract
}

/** Every `export { name } from './file'` of a list, in its order. */
function* exportsOf(read, list) {
  for (const statement of parse(read, list).statements) {
    if (!ts.isExportDeclaration(statement) || statement.moduleSpecifier === undefined) {
      throw new Error(`${list}: expected nothing but exports from files, got ${statement.getText()}`)
    }
    for (const { name, propertyName } of statement.exportClause.elements) {
      if (propertyName !== undefined) throw new Error(`${list}: ${name.text}: expected one name on both sides`)
      yield [name.text, `${new URL(statement.moduleSpecifier.text, `file:///${list}`).pathname.slice(1)}.ts`]
    }
  }
}

function parse(read, file) {
  return ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true)
}

function declarationOf(source, file, name) {
  for (const statement of source.statements) {
    if (statement.name?.text === name) return { node: statement, text: commentOf(statement) }
    const variable = ts.isVariableStatement(statement) ? statement.declarationList.declarations.find((own) => own.name.text === name) : undefined
    if (variable !== undefined) return { node: variable, text: commentOf(statement) }
  }
  throw new Error(`${file}: expected a declaration of ${name}`)
}

/** The doc comment right above, as one line or several without their frame. */
function commentOf(node) {
  const text = node.getSourceFile().text
  const last = ts.getLeadingCommentRanges(text, node.getFullStart())?.map(({ pos, end }) => text.slice(pos, end)).filter((comment) => comment.startsWith('/**')).at(-1)
  return last === undefined ? '' : last.slice(3, -2).split('\n').map((line) => line.replace(/^\s*\* ?/, '').trim()).join('\n').trim()
}

/** The number that a type is, or undefined. */
function numberOf(type, { enums, classes }) {
  if (NUMBERS[type] !== undefined) return type
  return enums.has(type) ? 'i32' : classes.has(type.replace(/ \| null$/, '')) ? 'usize' : undefined
}

const EXPECTED = `${Object.keys(NUMBERS).join(', ')}, or what is in contract.ts`

function parametersOf({ parameters }, where, known) {
  return parameters.map(({ name, type }) => {
    const own = type.getText()
    const number = numberOf(own, known)
    if (number === undefined) throw new Error(`${where}: ${name.text}: expected ${EXPECTED}, got ${own}`)
    return { name: name.text, type: known.classes.has(own) ? own : number, text: '' }
  })
}

function resultOf({ type }, where) {
  const own = type.getText()
  if (own !== 'void' && NUMBERS[own] === undefined) throw new Error(`${where}: expected void or a number as its result, got ${own}`)
  return own
}

/** The fields; methods are the kernels' own. */
function fieldsOf({ members }, where, known) {
  return members.filter((member) => !ts.isMethodDeclaration(member) && !ts.isGetAccessor(member)).map((member) => {
    const type = ts.isPropertyDeclaration(member) && member.initializer === undefined ? numberOf(member.type?.getText() ?? '', known) : undefined
    if (type === undefined) throw new Error(`${where}: expected fields of ${EXPECTED}, got ${member.getText()}`)
    return { name: member.name.text, type, text: commentOf(member) }
  })
}

function membersOf({ members }, where) {
  return members.map((member) => ({ name: member.name.text, value: wholeNumber(member.initializer, `${where}.${member.name.text}`), text: commentOf(member) }))
}

function wholeNumber(initializer, where) {
  const value = Number(initializer?.getText().replaceAll('_', '') ?? NaN)
  if (!Number.isInteger(value)) throw new Error(`${where}: expected a whole number as its value, got ${initializer?.getText()}`)
  return value
}

const HEAD = '// Written by assembly/write-contract.mjs from the source of the kernels: npm run build:wasm.\n'

/** A doc comment at an indent; nothing for no text. */
function comment(text, indent) {
  if (text === '') return ''
  const lines = text.split('\n')
  return lines.length === 1 ? `${indent}/** ${text} */\n` : `${indent}/**\n${lines.map((line) => `${indent} * ${line}`.trimEnd()).join('\n')}\n${indent} */\n`
}

/** The first paragraph, and where the rest is. */
const summary = ({ text, file }) => `${text.split(/\n\s*\n/)[0]}\n\n@see assembly/${file}`

/**
 * The files of src/contract/, by name.
 * @param {Contract} contract
 * @returns {Map<string, string>}
 */
export function contractFiles({ kernels, gradients, threads, enums, records, constants }) {
  const files = new Map([
    ['kernels.ts', kernelsFile(kernels, records, 'Kernels', 'KERNEL_ARITIES', 'The functions every binary exports')],
    ['gradient-kernels.ts', kernelsFile(gradients, records, 'GradientKernels', 'GRADIENT_KERNEL_ARITIES', 'The functions every binary for training exports')],
    ['thread-kernels.ts', kernelsFile(threads, records, 'ThreadKernels', 'THREAD_KERNEL_ARITIES', 'The functions that binaries with threads export besides `Kernels`')],
  ])
  const add = (about, text) => files.set(about.file, `${files.get(about.file) ?? HEAD}\n${comment(summary(about), '')}export const ${about.name} = ${text}\n`)
  const object = (lines) => `{\n${lines.join('')}} as const`
  for (const constant of constants) add(constant, `${constant.value}`)
  for (const own of enums) add(own, object(own.members.map(({ name, value, text }) => `${comment(text, '  ')}  ${name}: ${value},\n`)))
  for (const own of records) add(own, object(own.fields.map(({ name, type, text }) => `${comment(text, '  ')}  ${name}: '${VIEWS[type]}',\n`)))
  return files
}

function kernelsFile(kernels, records, interfaceName, aritiesName, what) {
  const typeOf = (type) => NUMBERS[type] ?? `RecordPointer<typeof ${type}>`
  const taken = new Set(kernels.flatMap(({ fields }) => fields.map(({ type }) => type)))
  const imports = records.filter(({ name }) => taken.has(name)).map(({ name, file }) => `import type { ${name} } from './${file}'\n`)
  const members = kernels.map((kernel) => {
    const parameters = kernel.fields.map(({ name, type }) => `${name}: ${typeOf(type)}`)
    const result = kernel.result === 'void' ? 'void' : 'number'
    const line = parameters.join(', ')
    const list = line.length > 100 ? `\n    ${parameters.join(',\n    ')},\n  ` : line
    return `${comment(summary(kernel), '  ')}  readonly ${kernel.name}: (${list}) => ${result}\n`
  })
  return [
    HEAD,
    ...imports,
    `import type { ${['Float', 'Int', 'Pointer', 'RecordPointer'].filter((type) => members.some((member) => new RegExp(`\\b${type}\\b`).test(member))).join(', ')} } from '../values/record.ts'\n`,
    `\n/** ${what}: pointers and sizes in, nothing kept. Distances in bytes end in \`Bytes\`. */\n`,
    `export interface ${interfaceName} {\n${members.join('\n')}}\n`,
    '\n/** The number of parameters of every kernel. */\n',
    `export const ${aritiesName}: Readonly<Record<keyof ${interfaceName}, number>> = {\n`,
    ...kernels.map(({ name, fields }) => `  ${name}: ${fields.length},\n`),
    '}\n',
  ].join('')
}
