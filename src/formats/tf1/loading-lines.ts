import { LstmError } from '../../errors.ts'
import { loadingLines, type LayerLine } from '../state-dicts/lines.ts'
import { fits, messageOf } from '../state-dicts/message.ts'
import { quote } from '../state-dicts/quote.ts'
import type { Cell } from './cell.ts'
import type { FoundCells } from './cells.ts'
import { stackOf } from './stack.ts'
import type { Variables } from './variables.ts'

/** Layers that are put in lines. */
const MOST_LINES = 100

/** How printed code gets at the variables. */
export interface VariablesSource {
  /** Lines that import what the lines below call. */
  readonly imports: string
  /** An expression. */
  readonly variables: string
  /** Run-time arguments of the cells that lines can say. */
  readonly forgetBias?: number | undefined
  /** Whether they stand in the order in which the program made them; in a checkpoint, they are by name. */
  readonly inOrder: boolean
}

/** The error for variables that are not one stack of cells and nothing else: lists them, and shows the lines that load them. */
export function cannotGuess(variables: Variables, found: FoundCells, source: VariablesSource): LstmError {
  return new LstmError('UNSUPPORTED', messageOf(
    'this file holds variables of TensorFlow 1, but not how they are connected. Its variables:', variables, wayOn(variables, found, source),
  ))
}

/** What to do: lines that load the variables, or why there are none and what to do then. */
export function wayOn(variables: Variables, found: FoundCells, source: VariablesSource): string[] {
  const lines = linesOf(variables, found, source)
  if (lines !== undefined && fits(lines)) return ['Say what the layers are, in the order they run, and load the weights into them:', ...lines.map((line) => `  ${line}`)]
  return [
    'lstm-wasm/layers cannot describe it: this is no plain stack of layers.',
    'Export the graph as ONNX where it was trained, with the names of its input and output, and load that file:',
    '  python -m tf2onnx.convert --checkpoint model.ckpt.meta --inputs input:0 --outputs output:0 --output model.onnx',
  ]
}

/** A kernel [in, units] with a bias [units] is a dense layer; a table whose name says so, an embedding. */
function linesOf(variables: Variables, { cells, others }: FoundCells, source: VariablesSource): string[] | undefined {
  const { imports, variables: expression, forgetBias, inOrder } = source
  if (cells.length + others.length > MOST_LINES || cells.some(({ kind }) => kind !== 'plain')) return undefined
  const shapeOf = (name: string): readonly number[] => variables.get(name)?.shape ?? []
  const matrices = others.filter((name) => shapeOf(name).length === 2)
  const biases = others.filter((name) => shapeOf(name).length === 1)
  const layers: (LayerLine & { readonly variable: string })[] = []
  const options: string[] = []
  const tables = matrices.filter((name) => /emb/i.test(name))
  tables.forEach((variable, n) => {
    const [rows, width] = shapeOf(variable) as [number, number]
    const name = `embedding${suffix(n)}`
    layers.push({ variable, name, prefix: name, kind: 'embedding', uses: 'embedding', from: undefined, to: width, code: `embedding(${rows}, ${width}, { name: '${name}' })` })
  })
  if (tables.length > 0) options.push(`embedding: { ${tables.map((variable, n) => `embedding${suffix(n)}: ${quote(variable)}`).join(', ')} },`)
  const stacks = recurrentLayers(cells)
  if (stacks === undefined) return undefined
  for (const op of ['lstm', 'gru', 'rnn'] as const) {
    const own = stacks.filter(({ cells: [{ op: other }] }) => other === op)
    const [uses, base] = LAYERS[op]
    own.forEach((stack, n) => layers.push(recurrentLine(stack, uses, `${base}${suffix(n)}`)))
    if (own.length > 0) options.push(`${uses}: { ${own.map((stack, n) => `${base}${suffix(n)}: ${scopesOf(stack)}`).join(', ')} },`)
  }
  const dense = matrices.filter((name) => !tables.includes(name)).map((variable, n) => {
    const [features, units] = shapeOf(variable) as [number, number]
    const bias = biasOf(variable, biases.filter((other) => shapeOf(other)[0] === units))
    if (bias !== undefined) biases.splice(biases.indexOf(bias), 1)
    const name = `dense${suffix(n)}`
    layers.push({ variable, name, prefix: name, kind: 'linear', uses: 'dense', from: features, to: units, code: `dense(${units}, { name: '${name}'${bias === undefined ? ', bias: false' : ''} })` })
    return `${name}: [${[variable, ...(bias === undefined ? [] : [bias])].map(quote).join(', ')}]`
  })
  if (dense.length > 0) options.push(`dense: { ${dense.join(', ')} },`)
  const left = [...biases, ...others.filter((name) => shapeOf(name).length === 0 || shapeOf(name).length > 2)]
  const names = [...variables.keys()]
  const position = ({ variable }: { variable: string }): number => names.findIndex((name) => name === variable || name.startsWith(`${variable}/`))
  const lines = loadingLines(inOrder ? layers.sort((a, b) => position(a) - position(b)) : layers, {
    imports,
    lines: [
      `const variables = ${expression}`,
      ...(left.length > 0 ? [`// Of no layer, left out: ${left.map((name) => quote(name)).join(', ')}. A model that uses them cannot be described like this.`] : []),
      'const tensors = tensorflow1StateDict(variables, {',
      ...options.map((line) => `  ${line}`),
      ...(forgetBias === undefined ? [] : [`  forgetBias: ${forgetBias},`]),
      '})',
    ],
    inOrder,
    otherwise: [],
  })
  return typeof lines === 'string' ? undefined : lines
}

/** For each operator, the function that describes its layer, and how such a layer is named. */
const LAYERS = { lstm: ['lstm', 'lstm'], gru: ['gru', 'gru'], rnn: ['simpleRnn', 'simple_rnn'] } as const

/** A recurrent layer: cells on top of each other, or one for each direction. */
interface RecurrentLayer {
  readonly cells: readonly [Cell, ...Cell[]]
  readonly bidirectional: boolean
}

function recurrentLine({ cells, bidirectional }: RecurrentLayer, uses: LayerLine['uses'], name: string): LayerLine & { readonly variable: string } {
  const [{ scope, op, inputSize, hiddenSize, projSize, resetAfter, weights }] = cells
  const options = [
    `name: '${name}'`,
    ...(cells.length > 1 && !bidirectional ? [`numLayers: ${cells.length}`] : []),
    ...(bidirectional ? ['bidirectional: true'] : []),
    ...(projSize === undefined ? [] : [`projSize: ${projSize}`]),
    ...(weights.has('peepholes') ? ['peepholes: true'] : []),
    ...(op === 'gru' && !resetAfter ? ['resetAfter: false'] : []),
    'returnSequences: true',
  ]
  return {
    variable: scope, name, prefix: name, kind: 'recurrent', uses, from: inputSize, to: (projSize ?? hiddenSize) * (bidirectional ? 2 : 1),
    code: `${uses}(${hiddenSize}, { ${options.join(', ')} })`,
  }
}

function scopesOf({ cells, bidirectional }: RecurrentLayer): string {
  const scopes = cells.map(({ scope }) => quote(scope))
  return bidirectional ? `{ forward: ${scopes[0]}, backward: ${scopes[1]} }` : `[${scopes.join(', ')}]`
}

/** Of the biases of the right length, the one whose name has most in common with the kernel's. */
function biasOf(kernel: string, biases: readonly string[]): string | undefined {
  const scope = kernel.slice(0, kernel.lastIndexOf('/') + 1)
  const common = (name: string): number => {
    let length = 0
    while (length < name.length && name[length] === kernel[length]) length++
    return length
  }
  const beside = biases.filter((name) => name.slice(0, name.lastIndexOf('/') + 1) === scope)
  return [...beside.length > 0 ? beside : biases].sort((a, b) => common(b) - common(a))[0]
}

/** `lstm`, `lstm_1`: as layers are named. */
function suffix(index: number): string {
  return index === 0 ? '' : `_${index}`
}

/**
 * Cells as layers: a stack of equal ones, one cell in each direction, or each cell on its own. Undefined for what has no
 * such layers: a stack in each direction, whose layers do not see each other's outputs.
 */
function recurrentLayers(cells: readonly Cell[]): readonly RecurrentLayer[] | undefined {
  const [direction, backward] = stackOf(cells)?.directions ?? []
  const [first, ...others] = direction ?? []
  const alike = (cell: Cell): boolean => (
    cell.op === first?.op && cell.resetAfter === first.resetAfter && cell.hiddenSize === first.hiddenSize && cell.projSize === first.projSize && cell.weights.has('peepholes') === first.weights.has('peepholes')
  )
  if (first !== undefined && backward !== undefined) {
    const [second] = backward
    return others.length === 0 && backward.length === 1 && second !== undefined && alike(second) ? [{ cells: [first, second], bidirectional: true }] : undefined
  }
  if (first !== undefined && others.every(alike)) return [{ cells: [first, ...others], bidirectional: false }]
  return cells.map((cell) => ({ cells: [cell], bidirectional: false }))
}
