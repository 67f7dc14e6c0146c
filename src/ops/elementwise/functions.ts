import type { FunctionCode } from '../../contract/math/function-code.ts'
import { LstmError } from '../../errors.ts'

export type FunctionName = keyof typeof FunctionCode

/** What is said of a function besides its number. */
export interface FunctionDefaults {
  /** As `Operator.onnx`. */
  readonly onnx?: string
  /** Defaults of its two constants; ONNX's where ONNX has the function. */
  readonly alpha?: number
  readonly beta?: number
}

/** A function of one variable, or of a row of them. */
export interface FunctionFacts extends FunctionDefaults {
  /** Its number in the kernels. */
  readonly code: number
}

/** Functions by name: the common ones, and the others (more-functions.ts) once they are asked for. */
const FUNCTIONS: Map<string, FunctionFacts> = new Map()

/** Of each function its own number: another one does not compile. */
export type FunctionTable<Name extends FunctionName> = { readonly [Each in Name]: FunctionFacts & { readonly code: typeof FunctionCode[Each] } }

export type CommonFunction = 'linear' | 'sigmoid' | 'tanh' | 'relu'

/** x; 1 / (1 + e^-x); tanh x; max(0, x). The numbers are written out, so that those of all others are loaded with the table of the others. */
const COMMON: FunctionTable<CommonFunction> = {
  linear: { code: 0 }, sigmoid: { code: 1, onnx: 'Sigmoid' }, tanh: { code: 2, onnx: 'Tanh' }, relu: { code: 3, onnx: 'Relu' },
}

/** The names that are always known: operators of the layers API. */
export const COMMON_FUNCTIONS: readonly string[] = Object.keys(COMMON)

/** Makes functions known; doing so again changes nothing. */
export function addFunctions(functions: Readonly<Record<string, FunctionFacts>>): void {
  for (const [name, facts] of Object.entries(functions)) FUNCTIONS.set(name, facts)
}

/** What is known of a function, or undefined for a name that is none. */
export function findFunction(name: string): FunctionFacts | undefined {
  if (!FUNCTIONS.has('linear')) addFunctions(COMMON)
  return FUNCTIONS.get(name)
}

/** A function with its constants. */
export interface BoundFunction {
  readonly name: string
  readonly code: number
  readonly alpha: number
  readonly beta: number
}

/** The constants a function has: attributes of its operator. */
export function constantNames(name: string): ('alpha' | 'beta')[] {
  const facts = findFunction(name)
  return (['alpha', 'beta'] as const).filter((constant) => facts?.[constant] !== undefined)
}

/**
 * A function by name.
 * @param alpha default: the function's own
 * @throws LstmError `UNSUPPORTED` for a name that is none, listing those there are
 */
export function bindFunction(name: string, alpha: number | undefined, beta: number | undefined, what: string): BoundFunction {
  const facts = findFunction(name)
  if (facts === undefined) {
    throw new LstmError('UNSUPPORTED', `${what}: no activation '${name}'; there are ${[...FUNCTIONS.keys()].join(', ')}`)
  }
  return { name, code: facts.code, alpha: alpha ?? facts.alpha ?? 0, beta: beta ?? facts.beta ?? 0 }
}
