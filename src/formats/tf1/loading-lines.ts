import { LstmError } from '../../errors.ts'
import { formatShape } from '../../values/shape.ts'
import type { Cell, FoundCells } from './cells.ts'
import { stackOf } from './stack.ts'
import type { Variables } from './variables.ts'

/** Names a message lists. */
const MOST_LISTED = 100

/** A name of a file as it may stand in JavaScript. */
function quote(name: string): string {
  return /^[\w. /-]*$/.test(name) ? `'${name}'` : JSON.stringify(name).replace(/[\u2028\u2029]/g, ' ')
}

/** The error for variables that are not one stack of cells and nothing else: lists them, and shows the lines that would load them. */
export function cannotGuess(variables: Variables, found: FoundCells): LstmError {
  const names = [...variables].slice(0, MOST_LISTED).map(([name, { dtype, shape }]) => `  ${name} ${dtype} ${formatShape(shape)}`)
  if (variables.size > MOST_LISTED) names.push(`  and ${variables.size - MOST_LISTED} more`)
  return new LstmError('UNSUPPORTED', [
    'this file holds variables of TensorFlow 1, but not how they are connected. Its variables:',
    ...names,
    'Say what the layers are, in the order they run, and load the weights into them:',
    ...loadingLines(variables, found).map((line) => `  ${line}`),
  ].join('\n'))
}

/** A kernel [in, units] with a bias [units] is a dense layer; a table whose name says so, an embedding. */
function loadingLines(variables: Variables, { cells, others }: FoundCells): string[] {
  const shown = others.slice(0, MOST_LISTED)
  const shapeOf = (name: string): readonly number[] => variables.get(name)?.shape ?? []
  const tables = shown.filter((name) => shapeOf(name).length === 2 && /emb/i.test(name))
  const kernels = shown.filter((name) => shapeOf(name).length === 2 && !tables.includes(name))
  const biases = shown.filter((name) => shapeOf(name).length === 1)
  const layers: string[] = []
  const options: string[] = []
  if (tables.length > 0) {
    tables.forEach((name, n) => layers.push(`embedding(${shapeOf(name).join(', ')}, { name: 'embedding${suffix(n)}' }),`))
    options.push(`embedding: { ${tables.map((name, n) => `embedding${suffix(n)}: ${quote(name)}`).join(', ')} },`)
  }
  const stacks = lstmLayers(cells.slice(0, MOST_LISTED))
  if (stacks.length > 0) {
    stacks.forEach((stack, n) => layers.push(`lstm(${stack[0]?.hiddenSize}, { name: 'lstm${suffix(n)}'${stack.length > 1 ? `, numLayers: ${stack.length}` : ''}, returnSequences: true }),`))
    options.push(`lstm: { ${stacks.map((stack, n) => `lstm${suffix(n)}: [${stack.map(({ scope }) => quote(scope)).join(', ')}]`).join(', ')} },`)
  }
  if (kernels.length > 0) {
    const dense = kernels.map((name, n) => {
      const [, units] = shapeOf(name)
      const bias = biases.find((other) => shapeOf(other)[0] === units)
      if (bias !== undefined) biases.splice(biases.indexOf(bias), 1)
      layers.push(`dense(${units}, { name: 'dense${suffix(n)}'${bias === undefined ? ', bias: false' : ''} }),`)
      return `dense${suffix(n)}: [${[name, ...(bias === undefined ? [] : [bias])].map(quote).join(', ')}]`
    })
    options.push(`dense: { ${dense.join(', ')} },`)
  }
  const used = ['dense', 'embedding', 'lstm'].filter((name) => layers.some((line) => line.startsWith(name)))
  return [
    "import { compile } from 'lstm-wasm'",
    `import { ${[...used, 'sequential'].join(', ')} } from 'lstm-wasm/layers'`,
    "import { readTensorflow1Variables, tensorflow1StateDict } from 'lstm-wasm/tensorflow1'",
    '// files: { bytes, name, sibling: async (name) => bytes of the file beside it }',
    'const tensors = tensorflow1StateDict(await readTensorflow1Variables(files), {',
    ...options.map((line) => `  ${line}`),
    '})',
    'const net = sequential([',
    ...layers.map((line) => `  ${line}`),
    ']).loadStateDict(tensors)',
    'const model = await compile(net)',
  ]
}

/** `lstm`, `lstm_1`: as layers are named. */
function suffix(index: number): string {
  return index === 0 ? '' : `_${index}`
}

/** Cells that are one stack of equal sizes, as one layer; otherwise each on its own. */
function lstmLayers(cells: readonly Cell[]): readonly (readonly Cell[])[] {
  const [direction, ...more] = stackOf(cells)?.directions ?? []
  const [first] = direction ?? []
  const isEven = direction?.every(({ hiddenSize, projSize }) => hiddenSize === first?.hiddenSize && projSize === first.projSize) === true
  return direction !== undefined && more.length === 0 && isEven ? [direction] : cells.map((cell) => [cell])
}
