// JavaScript that would load layers, were they to run one after the other.
import { orderOf, type Placed } from './order.ts'
import { quote } from './quote.ts'

/** A layer as a line of code. */
export interface LayerLine extends Placed {
  /** Its tensors' prefix in the file, with dots: for places without weights between two of them. */
  readonly prefix: string
  /** `lstm(8, { name: 'lstm' })`. */
  readonly code: string
  /** The function it calls. */
  readonly uses: 'dense' | 'embedding' | 'lstm' | 'gru' | 'simpleRnn' | 'conv1d' | 'batchNorm' | 'layerNorm'
  readonly comment?: string | undefined
}

/** How printed code gets at the tensors of a file. */
export interface Reading {
  /** `import { readTorch } from 'lstm-wasm/torch'`, and such. */
  readonly imports: string
  /** Lines that make `tensors`. */
  readonly lines: readonly string[]
  /** Whether the tensors stand in the order in which the program made its layers. */
  readonly inOrder: boolean
  /** What to do about a model that is no plain stack of layers: one paragraph, code in lines of its own. */
  readonly otherwise: readonly string[]
  /** What a file says of its modules beside their tensors, by prefix: PyTorch's attributes. */
  readonly settings?: ReadonlyMap<string, ReadonlyMap<string, unknown>>
  /** Prefixes of GRUs whose reset gate comes before the recurrent product. Default: none, as in PyTorch. */
  readonly resetBefore?: ReadonlySet<string>
}

/** Layers that come anywhere where their features fit, so that sizes do not tell their place. */
const ANYWHERE: readonly LayerLine['kind'][] = ['conv', 'norm']

/**
 * The lines; or, where no order of the layers is certain enough, why in words.
 * @param unused names of tensors that no layer takes
 * @param names layers whose tensors have another prefix than their name
 */
export function loadingLines(
  layers: readonly LayerLine[], reading: Reading, unused: readonly string[] = [], names: readonly (readonly [string, string])[] = [],
): string[] | string {
  const order = orderOf(layers, reading.inOrder)
  const [first] = order?.layers ?? []
  if (order === undefined || first === undefined) return 'by their sizes, its layers do not feed one another in a row'
  if (order.ambiguous && layers.some(({ kind }) => ANYWHERE.includes(kind))) return 'the order of its layers is not in the file, and their sizes allow several'
  const gaps = gapsOf(order.layers.map(({ prefix }) => prefix))
  // Indices pass through no activation: in front of an embedding there was nothing.
  if (first.kind === 'embedding') gaps.delete(0)
  const last = order.layers.filter(({ kind }) => kind === 'recurrent').at(-1)
  const isSequence = order.layers.some(({ kind }) => kind === 'recurrent' || kind === 'conv')
  // A sequence is only known from a recurrent layer or convolution that stands first.
  const describesInput = first.from !== undefined && (gaps.has(0) || (['linear', 'norm'].includes(first.kind) && isSequence))
  const entries = order.layers.flatMap((layer, n) => {
    const comments = [layer.comment, layer === last ? 'returnSequences: false gives the last step only' : undefined].filter((comment) => comment !== undefined)
    return [...gaps.get(n) ?? [], `  ${layer.code},${comments.length > 0 ? ` // ${comments.join('; ')}` : ''}`]
  })
  const used: Set<string> = new Set(['sequential', ...order.layers.map(({ uses }) => uses)])
  if (describesInput) used.add('input')
  if (gaps.size > 0) used.add('activation')
  const options = [
    ...(names.length > 0 ? [`names: { ${names.map(([name, prefix]) => `${name}: ${quote(prefix)}`).join(', ')} }`] : []),
    ...(unused.length > 0 ? [`ignore: [${unused.map(quote).join(', ')}]`] : []),
  ]
  return [
    "import { compile } from 'lstm-wasm'",
    `import { ${[...used].sort().join(', ')} } from 'lstm-wasm/layers'`,
    ...reading.imports.split('\n'),
    ...reading.lines,
    '// Activations, dropout and other functions without weights are not in the file: add those that the model has.',
    ...(order.ambiguous ? ['// The order is not in the file either: these sizes allow several.'] : []),
    ...(unused.length > 0 ? ['// ignore: tensors of no layer. A model that uses them cannot be described like this.'] : []),
    'const net = sequential([',
    ...(describesInput ? [`  input([${isSequence ? "'timesteps', " : ''}${first.from}]),`] : []),
    ...entries,
    `]).loadStateDict(tensors${options.length > 0 ? `, { ${options.join(', ')} }` : ''})`,
    'const model = await compile(net)',
  ]
}

/**
 * Places without weights between numbered layers (`head.0`, `head.2`), as lines that ask what stood there: by the index
 * of the layer after them.
 */
function gapsOf(prefixes: readonly string[]): Map<number, string[]> {
  const numbers: Map<string, Map<number, number>> = new Map()
  prefixes.forEach((prefix, index) => {
    const parts = prefix.split('.')
    parts.forEach((part, n) => {
      if (!/^\d{1,6}$/.test(part)) return
      const parent = parts.slice(0, n).join('.')
      const seen = numbers.get(parent) ?? new Map<number, number>()
      numbers.set(parent, seen)
      if (!seen.has(Number(part))) seen.set(Number(part), index)
    })
  })
  const gaps: Map<number, string[]> = new Map()
  for (const [parent, seen] of numbers) {
    let next = 0
    for (const [number, index] of [...seen].sort(([a], [b]) => a - b)) {
      if (number > next) {
        const name = (n: number): string => quote(parent === '' ? String(n) : `${parent}.${n}`)
        const where = number === next + 1 ? name(next) : `${name(next)} to ${name(number - 1)}`
        gaps.set(index, [...gaps.get(index) ?? [], `  activation('?'), // ${where}, without weights: 'relu', 'tanh', 'elu', ...; take this line out if it was dropout`])
      }
      next = number + 1
    }
  }
  return gaps
}
