// Families of operators that few models have: each a chunk of its own, loaded when a model names one of them. all.ts has all of them.
import { cannotImport } from '../errors.ts'
import { addCommonOperators } from './common-operators.ts'
import type { GraphNode } from './graph-data.ts'
import type { Operator } from './operator.ts'
import { addOperators, findOperator } from './registry.ts'

interface Family {
  readonly operators: readonly string[]
  /** Operators of ONNX, of any domain, that become one of them. */
  readonly onnx: readonly string[]
  readonly load: () => Promise<readonly Operator[]>
}

/** By name. A family's own file exports its operators as a list: `windows/family.ts`. */
export const FAMILIES: Readonly<Record<'flow' | 'indexTuples' | 'quantized' | 'random' | 'windows', Family>> = {
  flow: {
    operators: ['choice', 'loop'],
    onnx: ['If', 'Loop', 'Scan'],
    load: async () => (await import('./flow/family.ts')).FLOW,
  },
  indexTuples: {
    operators: ['gatherNd', 'scatterNd'],
    onnx: ['GatherND', 'ScatterND'],
    load: async () => (await import('./movement/index-tuples.ts')).INDEX_TUPLES,
  },
  quantized: {
    operators: ['throughIntegers'],
    onnx: ['QuantizeLinear'],
    load: async () => (await import('./elementwise/through-integers.ts')).QUANTIZED,
  },
  random: {
    operators: ['random'],
    onnx: ['Bernoulli', 'Multinomial', 'RandomNormal', 'RandomNormalLike', 'RandomUniform', 'RandomUniformLike'],
    load: async () => (await import('./random/random.ts')).RANDOM,
  },
  windows: {
    operators: ['averagePool', 'conv', 'convTranspose', 'globalAveragePool', 'globalMaxPool', 'instanceNormalization', 'maxPool', 'resize', 'sumPool'],
    onnx: [
      'AveragePool', 'Conv', 'ConvInteger', 'ConvTranspose', 'FusedConv', 'GlobalAveragePool', 'GlobalMaxPool', 'GroupNormalization', 'InstanceNormalization', 'LpPool', 'MaxPool', 'Resize',
      'QLinearConv', 'Upsample',
    ],
    load: async () => (await import('./windows/family.ts')).WINDOWS,
  },
}

export type FamilyName = keyof typeof FAMILIES

function familiesOf(key: 'operators' | 'onnx', names: Iterable<string>): FamilyName[] {
  const wanted = new Set(names)
  return (Object.keys(FAMILIES) as FamilyName[]).filter((family) => FAMILIES[family][key].some((name) => wanted.has(name)))
}

/**
 * Makes families known, and the operators that many models have. What is known already is not loaded again.
 * @throws LstmError `ENVIRONMENT` where dynamic imports are forbidden
 */
export async function loadFamilies(families: Iterable<FamilyName>): Promise<void> {
  addCommonOperators()
  const missing = [...new Set(families)].map((family) => FAMILIES[family]).filter(({ operators }) => operators.some((name) => findOperator(name) === undefined))
  try {
    for (const operators of await Promise.all(missing.map(({ load }) => load()))) addOperators(operators)
  } catch (cause) {
    cannotImport(cause, 'operators', "import { operators } from 'lstm-wasm/operators', load(source, { operators })")
  }
}

/** Makes the operators of these names known, as far as there are such. @throws LstmError see `loadFamilies` */
export async function loadOperatorsNamed(names: Iterable<string>): Promise<void> {
  await loadFamilies(familiesOf('operators', names))
}

/** The same for names of ONNX operators. @throws LstmError see `loadFamilies` */
export async function loadOnnxOperators(names: Iterable<string>): Promise<void> {
  await loadFamilies(familiesOf('onnx', names))
}

/** Operators of nodes, and of those inside them. */
function operatorsOf(nodes: readonly GraphNode[]): string[] {
  return nodes.flatMap(({ op, bodies = {} }) => [op, ...Object.values(bodies).flatMap((body) => operatorsOf(body.nodes))])
}

/** The same for all operators of nodes. @throws LstmError see `loadFamilies` */
export async function loadOperatorsOf(nodes: readonly GraphNode[]): Promise<void> {
  await loadOperatorsNamed(operatorsOf(nodes))
}
