// Calls of PyTorch's operators as a graph. https://docs.pytorch.org/docs/stable/torch.compiler_ir.html
import { GraphBuilder } from '../../../graph/builder.ts'
import type { Graph } from '../../../graph/graph.ts'
import { loadFamilies } from '../../../ops/families.ts'
import type { Attribute } from '../../../ops/operator.ts'
import { NdArray } from '../../../values/ndarray.ts'
import type { SymbolicShape } from '../../../values/shape.ts'
import type { Budget } from '../../budget.ts'
import type { TensorBuilder } from '../tensor-builder.ts'
import { NamedTensor, NotFollowed, Value, type Arg, type Call, type Program } from './calls.ts'
import { inputsOf } from './inputs.ts'
import { CONVOLUTIONS, EMITTERS, needsOf, READ_BY_NAME } from './operators.ts'

/** The graph of a program. @throws NotFollowed for operators that are not done here; LstmError for tensors that do not fit */
export async function graphOfProgram(program: Program, tensors: TensorBuilder, budget: Budget): Promise<Graph> {
  const { calls, outputs } = program
  if (outputs.length === 0) throw new NotFollowed('gives no tensor')
  const inputs = inputsOf(program)
  await loadFamilies(calls.some(({ op }) => CONVOLUTIONS.includes(op)) ? ['windows'] : [])
  const emission = new Emission(calls, tensors, budget)
  program.inputs.forEach(({ value }, n) => {
    emission.builder.input(inputs[n] as Graph['inputs'][number])
    emission.names.set(value, (inputs[n] as Graph['inputs'][number]).name)
  })
  const names = outputs.map((value) => emission.name(value))
  return emission.builder.finish(names.map((value, n) => ({ name: n === 0 ? 'output' : `output_${n}`, value })))
}

/** A graph that grows. */
export class Emission {
  readonly builder: GraphBuilder = new GraphBuilder()
  /** Names of values that are there. */
  readonly names: Map<Value, string> = new Map()
  readonly budget: Budget
  readonly #tensors: TensorBuilder
  readonly #producers: Map<Value, Call> = new Map()
  readonly #placed: Map<string, string> = new Map()
  #count = 0

  /** Makes what is needed: sizes and zeros that states are made of are not. */
  constructor(calls: readonly Call[], tensors: TensorBuilder, budget: Budget) {
    this.budget = budget
    this.#tensors = tensors
    for (const call of calls) for (const result of call.results) this.#producers.set(result, call)
  }

  producer(arg: Arg): Call | undefined {
    return arg instanceof Value ? this.#producers.get(arg) : undefined
  }

  /** The value's name in the graph. What it is made of is made first, without recursion: programs may be long. */
  name(wanted: Value): string {
    const waiting: Value[] = [wanted]
    for (let value = waiting.at(-1); value !== undefined; value = waiting.at(-1)) {
      const call = this.#producers.get(value)
      if (this.names.has(value)) waiting.pop()
      else if (call === undefined) throw new NotFollowed('uses a tensor that nothing makes')
      else {
        const missing = needsOf(this, call).filter((need) => !this.names.has(need))
        if (missing.length > 0) waiting.push(...missing)
        else this.#emit(call)
      }
    }
    return this.names.get(wanted) as string
  }

  #emit(call: Call): void {
    const emit = Object.hasOwn(EMITTERS, call.op) ? EMITTERS[call.op] : undefined
    if (emit === undefined) throw new NotFollowed(`calls torch.${call.op}${call.where === '' ? '' : ` in '${call.where}'`}`)
    const unread = [...call.named].find(([name, value]) => (value ?? null) !== null && !READ_BY_NAME.includes(name))
    if (unread !== undefined) throw new NotFollowed(`calls torch.${call.op} with ${unread[0]} by name`)
    const made = emit(this, call)
    const names = typeof made === 'string' ? [made] : made
    call.results.forEach((result, n) => this.names.set(result, names[n] as string))
  }

  /** A tensor argument: a value, a tensor of the file, or a number. */
  tensor(arg: Arg): string {
    if (arg instanceof Value) return this.names.get(arg) as string
    if (arg instanceof NamedTensor) return this.weight(arg)
    if (typeof arg === 'number') return this.constant(new NdArray(Float32Array.of(arg), []))
    throw new NotFollowed('has an argument that is no tensor')
  }

  /** The same as float32: numbers that Python had as whole ones are stored so. */
  float(arg: Arg): string {
    const name = this.tensor(arg)
    const array = this.builder.value(name)
    return array === undefined || array.dtype === 'float32' ? name : this.constant(new NdArray(Float32Array.from(array.data), array.shape))
  }

  /** A tensor of the file as a constant, by its own name. */
  weight(arg: Arg): string {
    if (!(arg instanceof NamedTensor)) throw new NotFollowed('has weights that are computed')
    const { name, tensor } = arg
    const known = this.#placed.get(name)
    if (known !== undefined) return known
    const free = this.builder.types.has(name) ? `${name}'` : name
    this.builder.constant(free, this.#tensors.build(name, tensor))
    this.#placed.set(name, free)
    return free
  }

  constant(array: NdArray): string {
    const name = `constant ${this.#count++}`
    this.builder.constant(name, array)
    return name
  }

  integers(...values: readonly number[]): string {
    return this.constant(new NdArray(Int32Array.from(values), [values.length]))
  }

  shape(name: string): SymbolicShape {
    return this.builder.types.get(name)?.shape ?? []
  }

  node(
    call: Call, op: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {},
    parameters: Readonly<Record<string, string>> = {}, outputs: number = 1,
  ): string[] {
    const name = `${call.where === '' ? '' : `${call.where}/`}${op}_${this.#count++}`
    const made = Array.from({ length: outputs }, (_, n) => `${name}.${n}`)
    this.builder.add({ name, op, inputs, outputs: made, parameters, attributes })
    return made
  }
}
