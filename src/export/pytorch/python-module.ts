// A torch.nn.Module on its way: its submodules and buffers with their tensors, and the lines of `forward`.
import { LstmError } from '../../errors.ts'
import type { GraphNode, TypedGraph, ValueType } from '../../ops/graph-data.ts'
import { label } from '../../ops/node/checks.ts'
import { namesIn } from '../../ops/node/sizes.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import { formatShape, type Dimension, type SymbolicShape } from '../../values/shape.ts'
import { Names } from '../names.ts'

/** Words that no variable of the printed code may be. */
const RESERVED = [
  'run_masked', 'False', 'None', 'True', 'and', 'as', 'assert', 'async', 'await', 'break', 'class', 'continue', 'def', 'del', 'elif', 'else', 'except', 'finally', 'for', 'from', 'global',
  'if', 'import', 'in', 'is', 'lambda', 'nonlocal', 'not', 'or', 'pass', 'raise', 'return', 'try', 'while', 'with', 'yield', 'self', 'torch', 'nn', 'F',
]
/** Attributes that every module has. */
const OWN = [
  'training', 'forward', 'eval', 'train', 'double', 'float', 'half', 'to', 'cpu', 'cuda', 'type', 'apply', 'modules', 'parameters', 'buffers', 'children', 'state_dict', 'compile',
]

/** A name as Python takes it. */
export function identifier(name: string): string {
  const plain = name.replace(/\W+/g, '_').replace(/^_+|_+$/g, '')
  return plain === '' ? 'x' : /^\d/.test(plain) ? `_${plain}` : plain
}

/** A number as Python reads it. */
export function python(value: number | boolean | readonly number[]): string {
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value !== 'number') return value.length === 1 ? `(${value[0] as number},)` : `(${value.join(', ')})`
  if (Number.isNaN(value)) return "float('nan')"
  return Number.isFinite(value) ? String(shortest(value)) : `float('${value < 0 ? '-' : ''}inf')`
}

/** The number with the fewest digits that is the same float32. */
function shortest(value: number): number {
  for (let digits = 1; digits <= 9; digits++) {
    const rounded = Number(value.toPrecision(digits))
    if (Math.fround(rounded) === Math.fround(value)) return rounded
  }
  return value
}

export class PythonModule {
  readonly typed: TypedGraph
  /** Tensors by their names in a state dict. */
  readonly tensors: Map<string, NdArray> = new Map()
  /** Lines of `__init__` and of `forward`. */
  readonly made: string[] = []
  readonly lines: string[] = []
  /** Functions that `forward` calls, as Python. */
  readonly functions: Set<string> = new Set()
  /** Expressions of the outputs. */
  readonly results: string[] = []
  readonly #variables: Names = new Names(RESERVED)
  readonly #attributes: Names = new Names([...RESERVED, ...OWN])
  readonly #expressions: Map<string, string> = new Map()
  readonly #buffers: Map<ArrayLike, string> = new Map()
  /** Expressions for sizes that have a name. */
  readonly #sizes: Map<string, string> = new Map()

  constructor(typed: TypedGraph) {
    this.typed = typed
    for (const { name, shape } of typed.graph.inputs) {
      const variable = this.#variables.unused(identifier(name))
      this.#expressions.set(name, variable)
      shape.forEach((size, axis) => {
        if (typeof size === 'string' && !this.#sizes.has(size)) this.#sizes.set(size, `${variable}.shape[${axis}]`)
      })
    }
  }

  typeOf(value: string): ValueType {
    return this.typed.types.get(value) as ValueType
  }

  /** Takes a value from an expression in a variable of its own. */
  assign(value: string, expression: string): void {
    this.lines.push(`${this.variable(value)} = ${expression}`)
  }

  /** A new variable for a value. */
  variable(value: string): string {
    const name = this.#variables.unused(identifier(value))
    this.#expressions.set(value, name)
    return name
  }

  /** A new variable for what is no value of ours. */
  helper(what: string): string {
    return this.#variables.unused(identifier(what))
  }

  /** A value is another expression, for which no line is needed. */
  alias(value: string, expression: string): void {
    this.#expressions.set(value, expression)
  }

  has(value: string): boolean {
    return this.#expressions.has(value)
  }

  /** A value as Python has it: a variable, a buffer of the module, or sizes as a tensor. */
  expression(value: string): string {
    const constant = this.typed.graph.constants.get(value)
    if (constant !== undefined) return `self.${this.buffer(value, constant)}`
    const known = this.#expressions.get(value)
    if (known !== undefined) return known
    const sizes = (this.typed.sizes.get(value) ?? []).map((size) => this.size(size))
    return `torch.tensor(${this.typeOf(value).shape.length === 0 ? String(sizes[0]) : `[${sizes.join(', ')}]`}, dtype=torch.int32)`
  }

  /** A constant that is no weight of a submodule. */
  buffer(name: string, constant: ArrayLike): string {
    const known = this.#buffers.get(constant)
    if (known !== undefined) return known
    const attribute = this.#attributes.unused(identifier(name))
    this.#buffers.set(constant, attribute)
    const { dtype, shape } = constant
    this.tensors.set(attribute, new NdArray(constant.data, shape))
    this.made.push(`self.register_buffer('${attribute}', torch.zeros(${python(shape)}${dtype === 'float32' ? '' : `, dtype=torch.${dtype}`}))`)
    return attribute
  }

  /** A submodule with its tensors, by their names in it. */
  submodule(name: string, constructor: string, tensors: ReadonlyMap<string, ArrayLike>): string {
    const attribute = this.#attributes.unused(identifier(name))
    this.made.push(`self.${attribute} = ${constructor}`)
    for (const [own, { data, shape }] of tensors) this.tensors.set(`${attribute}.${own}`, new NdArray(data, shape))
    return attribute
  }

  /** A size, which may have a name; undefined where no input tells it. */
  size(size: Dimension): string | undefined {
    if (typeof size === 'number') return String(size)
    const known = this.#sizes.get(size)
    if (known !== undefined) return known
    const names = namesIn(size)
    const factors = size.split(' * ').map((factor) => (/^\d+$/.test(factor) ? factor : this.#sizes.get(factor)))
    return names.length > 0 && factors.every((factor) => factor !== undefined) ? factors.join(' * ') : undefined
  }

  /** Sizes as arguments; one that no input tells is what is left over. */
  sizes(node: GraphNode, shape: SymbolicShape): string {
    const known = shape.map((size) => this.size(size))
    if (known.filter((size) => size === undefined).length > 1) throw new LstmError('UNSUPPORTED', `${label(node)}: sizes that no input tells, ${formatShape(shape)}`)
    return known.map((size) => size ?? '-1').join(', ')
  }

  /** Sizes as arguments, all of which an input tells. */
  knownSizes(node: GraphNode, shape: SymbolicShape): string {
    const known = shape.map((size) => this.size(size))
    if (known.includes(undefined)) throw new LstmError('UNSUPPORTED', `${label(node)}: sizes that no input tells, ${formatShape(shape)}`)
    return known.join(', ')
  }

  /** Whether a value is nothing but sizes, which are told where they are needed. */
  isSizes(value: string): boolean {
    return this.typed.sizes.get(value)?.every((size) => this.size(size) !== undefined) === true
  }
}
