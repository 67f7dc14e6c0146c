// Activation functions of layers: by Keras's names, by the operators' own, and with constants where systems differ.
import { LstmError } from '../errors.ts'
import { bindFunction, constantNames, type BoundFunction } from '../ops/elementwise/functions.ts'
import { addAllFunctions, FUNCTION_NAMES, functionOperator } from '../ops/elementwise/function-table.ts'
import { logSoftmax } from '../ops/reduction/log-softmax.ts'
import { addOperators, findOperator } from '../ops/registry.ts'
import { nearest, NUMBER, readOptions, RECORD, TEXT, type Kind, type OptionTable } from '../options.ts'
import { describeValue } from '../values/dtype.ts'
import type { GraphNode } from '../graph/graph.ts'
import { simpleNode, type LayerNodes } from './layer.ts'

/** Which of our functions a word means. */
interface Meaning {
  /** The function, where it has another name. */
  readonly op?: string
  /** Its constants, where the word says them. */
  readonly alpha?: number
  readonly beta?: number
  /** Where systems have other constants: what each has, for the message; and Keras's, by its version. */
  readonly differs?: string
  readonly keras?: Readonly<Record<2 | 3, readonly [alpha: number, beta?: number]>>
}

type Word =
  | 'linear' | 'sigmoid' | 'tanh' | 'relu' | 'elu' | 'selu' | 'celu' | 'softplus' | 'softsign' | 'exp' | 'gelu' | 'geluTanh' | 'silu' | 'mish'
  | 'hardSwish' | 'hardShrink' | 'softShrink' | 'tanhShrink' | 'logSigmoid' | 'squareplus' | 'sparsePlus' | 'clipped' | 'softmax' | 'logSoftmax'
  | 'sparsemax' | 'exponential' | 'swish' | 'geluNew' | 'hardSilu' | 'relu6' | 'hardTanh' | 'sparseSigmoid' | 'hardSigmoid' | 'leakyRelu'
  | 'thresholdedRelu' | 'affine' | 'scaledTanh'

const MEANINGS: Readonly<Record<Word, Meaning>> = {
  linear: {}, sigmoid: {}, tanh: {}, relu: {}, elu: {}, selu: {}, celu: {}, softplus: {}, softsign: {}, exp: {}, gelu: {}, geluTanh: {}, silu: {}, mish: {},
  hardSwish: {}, hardShrink: {}, softShrink: {}, tanhShrink: {}, logSigmoid: {}, squareplus: {}, sparsePlus: {}, clipped: {},
  softmax: {}, logSoftmax: {}, sparsemax: {},
  exponential: { op: 'exp' },
  swish: { op: 'silu' },
  geluNew: { op: 'geluTanh' },
  hardSilu: { op: 'hardSwish' },
  relu6: { op: 'clipped', alpha: 0, beta: 6 },
  hardTanh: { op: 'clipped', alpha: -1, beta: 1 },
  sparseSigmoid: { op: 'hardSigmoid', alpha: 0.5, beta: 0.5 },
  /** max(0, min(1, alpha x + beta)) */
  hardSigmoid: {
    differs: 'alpha: 0.2, beta: 0.5 in Keras 1 and 2, TensorFlow.js and ONNX; alpha: 1 / 6, beta: 0.5 in Keras 3 and PyTorch',
    keras: { 2: [0.2, 0.5], 3: [1 / 6, 0.5] },
  },
  /** alpha x below 0, else x */
  leakyRelu: { differs: "alpha: 0.2 as Keras's function, 0.3 as its layer; alpha: 0.01 in PyTorch and ONNX", keras: { 2: [0.2], 3: [0.2] } },
  /** x above alpha, else beta */
  thresholdedRelu: { differs: 'alpha: 1, beta: 0 in Keras and ONNX; alpha: 0, beta: 0 in onnxruntime', keras: { 2: [1, 0], 3: [1, 0] } },
  /** alpha x + beta */
  affine: { differs: 'alpha: 1, beta: 0 in ONNX; alpha: 0, beta: 0 in onnxruntime' },
  /** alpha tanh(beta x) */
  scaledTanh: { differs: 'alpha: 0, beta: 0 in onnxruntime; ONNX says none' },
}

/** `hardSigmoid` -> `hard_sigmoid`. */
type Snake<Text extends string> = Text extends `${infer Head}${infer Tail}` ? `${Head extends Lowercase<Head> ? Head : `_${Lowercase<Head>}`}${Snake<Tail>}` : ''

/** Names of activation functions: Keras's and our operators', in camelCase or snake_case. `linear` is none. */
export type ActivationName = Word | Snake<Word>

/** A function with its constants. */
export interface ActivationFunction {
  /** Name of the function. */
  readonly name: ActivationName
  /** Default: the function's own, as docs/words.md lists them. */
  readonly alpha?: number | undefined
  /** Its second constant. Default: that of the function. */
  readonly beta?: number | undefined
  /** Whose function of that name it is, where the versions of Keras differ: 2 (and 1), or 3. Default: where they differ, it must be said. */
  readonly keras?: 2 | 3 | undefined
}

/**
 * An activation by name, or with its constants. Names that mean other numbers in other systems (`hardSigmoid`, `leakyRelu`,
 * `thresholdedRelu`, `affine`, `scaledTanh`) must come with constants, or with the version of Keras.
 */
export type Activation = ActivationName | ActivationFunction

/** What it may be; `bindActivation` looks closer. */
export const ACTIVATION: Kind = { expected: 'the name of a function, or { name, alpha, beta }', test: (value) => TEXT.test(value) || RECORD.test(value) }

const FUNCTION_OPTIONS: OptionTable<ActivationFunction> = { name: TEXT, alpha: NUMBER, beta: NUMBER, keras: { expected: '2 or 3', test: (value) => value === 2 || value === 3 } }

/**
 * The function that is meant, with its constants.
 * @param what as messages call it: `lstm: activation`
 * @throws LstmError `VALUE` for a name that is none, or that does not say which function it is; for constants that it does not have
 */
export function bindActivation(given: Activation, what: string): BoundFunction {
  const { name: word, alpha, beta, keras }: Partial<ActivationFunction> = typeof given === 'string' ? { name: given } : readOptions(given, FUNCTION_OPTIONS, what)
  if (word === undefined) throw new LstmError('VALUE', `${what}: expected text for 'name', got undefined`)
  const camel = word.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
  const meaning = Object.hasOwn(MEANINGS, camel) ? (MEANINGS as Readonly<Record<string, Meaning>>)[camel] : undefined
  if (meaning === undefined) {
    const near = nearest(camel, Object.keys(MEANINGS))
    const meant = near === undefined ? '' : ` (did you mean '${near}'?)`
    throw new LstmError('VALUE', `${what}: no activation ${describeValue(word)}${meant}; there are ${Object.keys(MEANINGS).join(', ')}`)
  }
  addAllFunctions()
  const { op = camel, differs } = meaning
  const takes = meaning.alpha === undefined ? constantNames(op) : []
  for (const [constant, value] of [['alpha', alpha], ['beta', beta]] as const) {
    if (value !== undefined && !takes.includes(constant)) throw new LstmError('VALUE', `${what}: ${camel} has no constant '${constant}'`)
  }
  const version = keras === undefined ? undefined : meaning.keras?.[keras]
  if (differs !== undefined && keras !== undefined && version === undefined) throw new LstmError('VALUE', `${what}: Keras ${keras} has no ${camel}; give its constants: ${differs}`)
  const [first = meaning.alpha, second = meaning.beta] = version ?? []
  const bound = [alpha ?? first, beta ?? second] as const
  if (differs !== undefined && takes.some((constant) => bound[constant === 'alpha' ? 0 : 1] === undefined)) {
    const example = `{ name: '${camel}', ${takes.map((constant) => `${constant}: ...`).join(', ')} }`
    throw new LstmError('VALUE', `${what}: ${camel} has other constants in other systems: ${differs}. Say which: ${example}${meaning.keras === undefined ? '' : `, or { name: '${camel}', keras: 3 }`}`)
  }
  return bindFunction(op, ...bound, what)
}

/** Makes the operator of a function known, where graphs are looked at before they are compiled. */
export function knowOperator({ name }: BoundFunction): void {
  if (name === 'logSoftmax') addOperators([logSoftmax])
  if (FUNCTION_NAMES.includes(name) && findOperator(name) === undefined) addOperators([functionOperator(name)])
}

/** The nodes of a layer and of the function after it, if it is one. @param make the layer's own node, by the name of its output */
export function activated(name: string, activation: BoundFunction, output: string, make: (output: string) => GraphNode): LayerNodes {
  if (activation.name === 'linear') return { nodes: [make(output)], output }
  knowOperator(activation)
  const before = `${name}/linear`
  return { nodes: [make(before), simpleNode(`${name}/${activation.name}`, activation.name, before, output, {}, constantsOf(activation))], output }
}

/** Attributes of a node that is the function. */
export function constantsOf({ name, alpha, beta }: BoundFunction): Record<string, number> {
  return Object.fromEntries(constantNames(name).map((constant) => [constant, constant === 'alpha' ? alpha : beta]))
}
