// TorchScript: modules with their code as text. What is a row of calls is followed, call by call; nothing is run.
// https://docs.pytorch.org/docs/stable/jit_language_reference_v2.html
import { joinName } from '../../pytorch-names.ts'
import type { TorchModule } from '../module-tree.ts'
import { TorchTensor } from '../tensors.ts'
import { NamedTensor, NotFollowed, Value, valuesOf, type Arg, type Calls, type Program, type ProgramInput } from './calls.ts'
import { PYTHON_ORDER } from './functions.ts'
import { callKnown, isKnown } from './modules.ts'
import { Parts, partsOf } from './parts.ts'
import { parseBody, parseConstant, type Expression, type Statement } from './script-parser.ts'
import { normedTensor } from './weight-norm.ts'

/** A file of the archive's code by its path below `code/`, or undefined where there is none. */
export type CodeFiles = (path: string) => string | undefined

/** What an archive has beside its modules. */
interface ScriptFiles {
  readonly code: CodeFiles
  /** `CONSTANTS.c0`, ... */
  readonly constants?: readonly unknown[] | undefined
}

/** Functions within one another. */
const MOST_DEEP = 100

interface Parameter {
  readonly name: string
  readonly type: string
}

interface Method {
  /** The program's word for self. */
  readonly self: string
  readonly parameters: readonly Parameter[]
  readonly statements: readonly Statement[]
}

/** A class: its constants, and its methods as text. */
interface ClassCode {
  readonly constants: ReadonlyMap<string, unknown>
  readonly methods: ReadonlyMap<string, string>
  readonly parsed: Map<string, Method>
}

/** A module and where it stands. */
class PlacedModule {
  readonly module: TorchModule
  readonly path: string

  constructor(module: TorchModule, path: string) {
    this.module = module
    this.path = path
  }
}

/** A function of PyTorch's own Python, under a name of the program's. */
class NamedFunction {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

type Known = Arg | PlacedModule | NamedFunction | Parts | readonly Known[]

/** Functions of PyTorch that are called like operators. */
const OPERATOR = /^(?:torch|__torch__\.torch\.nn\.functional|__torch__\.torch\.(?:nn\.)?functional\.___torch_mangle_\d+)\.(\w+)$/
/** Those that only take something apart before they call the operator. */
const BEHIND: Readonly<Record<string, string>> = { _max_pool1d: 'max_pool1d' }

/** Settings that TorchScript has as constants of a class, together with those of the module. */
export function withConstants(module: TorchModule, files: CodeFiles): TorchModule {
  const script = new Script(files, undefined)
  const told = (one: TorchModule): TorchModule => ({ ...script.told(one), children: new Map([...one.children].map(([name, child]) => [name, told(child)])) })
  return told(module)
}

/** The calls of a module's `forward`. @throws NotFollowed where it is more than a row of calls */
export function programOfScript(module: TorchModule, { code, constants = [] }: ScriptFiles, calls: Calls): Program {
  const script = new Script(code, calls, constants)
  const inputs: ProgramInput[] = []
  const { parameters } = script.method(module, 'forward')
  const args = parameters.map(({ name, type }): Arg => {
    if (type.startsWith('Optional[')) return null
    const count = type === 'Tensor' ? 1 : /^Tuple\[Tensor(?:, Tensor)*\]$/.test(type) ? type.split(',').length : 0
    if (count === 0) throw new NotFollowed(`takes ${type} as '${name}'`)
    const values = Array.from({ length: count }, () => new Value(name))
    values.forEach((value, n) => inputs.push({ name: type === 'Tensor' ? name : `${name}_${n}`, value }))
    return type === 'Tensor' ? values[0] : values
  })
  const answer = script.call(new PlacedModule(module, ''), 'forward', args, 0)
  return { inputs, calls: calls.list, outputs: valuesOf(answer) }
}

class Script {
  readonly #constants: readonly unknown[]
  readonly #files: CodeFiles
  readonly #calls: Calls | undefined
  readonly #classes: Map<string, ClassCode | undefined> = new Map()

  constructor(files: CodeFiles, calls: Calls | undefined, constants: readonly unknown[] = []) {
    this.#constants = constants
    this.#files = files
    this.#calls = calls
  }

  /** `__torch__.torch.nn.modules.rnn.LSTM` is class LSTM in `__torch__/torch/nn/modules/rnn.py`. */
  classOf({ fullName }: TorchModule): ClassCode | undefined {
    if (!this.#classes.has(fullName)) this.#classes.set(fullName, this.#readClass(fullName))
    return this.#classes.get(fullName)
  }

  /** A module with the constants of its class among its settings. */
  told(module: TorchModule): TorchModule {
    return { ...module, settings: new Map([...this.classOf(module)?.constants ?? [], ...module.settings]) }
  }

  #readClass(fullName: string): ClassCode | undefined {
    const dot = fullName.lastIndexOf('.')
    const text = this.#files(`${fullName.slice(0, dot).replaceAll('.', '/')}.py`)
    const begin = text?.indexOf(`class ${fullName.slice(dot + 1)}(Module):`) ?? -1
    if (text === undefined || begin < 0) return undefined
    const next = text.indexOf('\nclass ', begin)
    const [head = '', ...methods] = text.slice(begin, next < 0 ? undefined : next).split(/\n {2}def /)
    const found = [...head.matchAll(/^ {2}(\w+) : Final\[[^\n]*?\] = ([^\n]+)$/gm)]
    const constants = new Map(found.map(([, name, value]) => [name as string, parseConstant(value as string)]))
    return { constants, methods: new Map(methods.map((method) => [method.slice(0, method.indexOf('(')), method])), parsed: new Map() }
  }

  /** @throws NotFollowed */
  method(module: TorchModule, name: string): Method {
    const found = this.classOf(module)
    const text = found?.methods.get(name)
    if (found === undefined || text === undefined) throw new NotFollowed(`has no code for ${name} of ${module.className}`)
    let method = found.parsed.get(name)
    if (method === undefined) {
      this.#calls?.budget.json(text.length, 'torch: the code')
      method = parseMethod(text)
      found.parsed.set(name, method)
    }
    return method
  }

  /** What a module's function gives. */
  call({ module, path }: PlacedModule, name: string, args: readonly Arg[], depth: number): Arg {
    const calls = this.#calls as Calls
    if (depth > MOST_DEEP) throw new NotFollowed('calls modules that are too deep in one another')
    // Classes of torch.nn that were compiled have their settings as constants; their code decides by what it is given.
    if (isKnown(module) && (this.classOf(module)?.constants.size ?? 0) > 0) return callKnown({ calls, module: this.told(module), path, args })
    const { self, parameters, statements } = this.method(module, name)
    const names: Map<string, Known> = new Map([[self, new PlacedModule(module, path)]])
    parameters.forEach((parameter, n) => names.set(parameter.name, args[n] ?? null))
    for (const { targets, unpacks, value } of statements) {
      calls.budget.visit('torch: the code')
      const found = this.#evaluate(value, names, path, depth)
      if (targets.length === 0) return argOf(found)
      if (!unpacks) names.set(targets[0] as string, found)
      else if (found instanceof Parts) targets.forEach((target, n) => names.set(target, found.at(n)))
      else if (!Array.isArray(found) || found.length < targets.length) throw new NotFollowed(`takes apart what ${this.#maker(found)}`)
      else targets.forEach((target, n) => names.set(target, (found as readonly Known[])[n]))
    }
    return null
  }

  #evaluate(expression: Expression, names: ReadonlyMap<string, Known>, path: string, depth: number): Known {
    const evaluate = (one: Expression): Known => this.#evaluate(one, names, path, depth)
    switch (expression.kind) {
      case 'literal': return expression.value
      case 'list': return expression.items.map(evaluate)
      case 'name':
        if (!names.has(expression.name)) throw new NotFollowed(`has the name ${expression.name}`)
        return names.get(expression.name)
      case 'attribute': {
        if (expression.of.kind === 'name' && expression.of.name === 'CONSTANTS') return this.#constant(expression.name)
        const dotted = dottedName(expression)
        if (dotted?.startsWith('__torch__.') === true) return new NamedFunction(dotted)
        const of = evaluate(expression.of)
        if (!(of instanceof PlacedModule)) throw new NotFollowed(`has .${expression.name} of no module`)
        return memberOf(of, expression.name)
      }
      case 'item': {
        const [of, index] = [evaluate(expression.of), evaluate(expression.index)]
        if (of instanceof Parts && typeof index === 'number') return of.at(index)
        if (!Array.isArray(of) || typeof index !== 'number' || !(index in of)) throw new NotFollowed('has an index that is not read')
        return (of as readonly Known[])[index]
      }
      case 'call': return this.#evaluateCall(expression, names, path, depth)
    }
  }

  /** For messages: the operator that gives a value. */
  #maker(found: Known): string {
    const call = (this.#calls as Calls).list.find(({ results }) => results.includes(found as Value))
    return call === undefined ? 'is no list' : `torch.${call.op} gives`
  }

  #constant(name: string): NamedTensor {
    const tensor = this.#constants[Number(name.slice(1))]
    if (!(tensor instanceof TorchTensor)) throw new NotFollowed(`has no tensor CONSTANTS.${name}`)
    return new NamedTensor(`CONSTANTS.${name}`, tensor)
  }

  #evaluateCall(call: Extract<Expression, { kind: 'call' }>, names: ReadonlyMap<string, Known>, path: string, depth: number): Known {
    const { callee } = call
    const alias = callee.kind === 'name' ? names.get(callee.name) : undefined
    const dotted = alias instanceof NamedFunction ? alias.name : dottedName(callee)
    // Types, devices and sizes: what states of zeros are made of.
    if (dotted === 'annotate' || dotted === 'unchecked_cast') return this.#evaluate(call.args[1] as Expression, names, path, depth)
    if (dotted === 'ops.prim.NumToTensor') return this.#evaluate(call.args[0] as Expression, names, path, depth)
    if (dotted === 'torch.device' || dotted?.startsWith('ops.prim.') === true) return null
    const given = call.args.map((one) => this.#evaluate(one, names, path, depth))
    const order = PYTHON_ORDER[/^__torch__\..*\.(\w+)$/.exec(dotted ?? '')?.[1] ?? '']
    if (order === PYTHON_ORDER.embedding && order !== undefined && (given[3] ?? null) !== null) throw new NotFollowed('calls torch.nn.functional.embedding with a max_norm')
    const args = order === undefined ? given : order.filter((position) => position < given.length).map((position) => given[position])
    if (dotted === 'int') return args[0]
    if (dotted === 'getattr') {
      const [of, name] = args
      if (of instanceof PlacedModule && typeof name === 'string') return memberOf(of, name)
    }
    if (callee.kind === 'attribute' && dotted === undefined) {
      const of = this.#evaluate(callee.of, names, path, depth)
      if (of instanceof PlacedModule && callee.name.startsWith('forward')) return this.call(of, callee.name, args.map(argOf), depth + 1)
      throw new NotFollowed(`calls .${callee.name}`)
    }
    const written = OPERATOR.exec(dotted ?? '')?.[1]
    if (written === undefined) throw new NotFollowed(`calls ${dotted?.replace(/^__torch__\.(\w+\.)*?torch\./, 'torch.') ?? 'what is no name'}`)
    const op = BEHIND[written] ?? written
    if (op === '_weight_norm') return normedTensor(args.map(argOf))
    const parts = partsOf(this.#calls as Calls, op, args.map(argOf), path)
    if (parts !== undefined) return parts
    const named = new Map(call.named.map(([name, value]) => [name, isKind(name) ? null : argOf(this.#evaluate(value, names, path, depth))] as const))
    return (this.#calls as Calls).add(op, args.map(argOf), path, named)
  }
}

/** Named arguments that say what a tensor is made of. */
function isKind(name: string): boolean {
  return ['dtype', 'layout', 'device', 'pin_memory'].includes(name)
}

/** `torch.nn.functional.relu`, where it begins with no name of the program's own. */
function dottedName(expression: Expression): string | undefined {
  if (expression.kind === 'name') return ['torch', 'ops', '__torch__', 'getattr', 'int', 'annotate', 'unchecked_cast'].includes(expression.name) ? expression.name : undefined
  if (expression.kind !== 'attribute') return undefined
  const of = dottedName(expression.of)
  return of === undefined ? undefined : `${of}.${expression.name}`
}

function memberOf({ module, path }: PlacedModule, name: string): Known {
  const child = module.children.get(name)
  if (child !== undefined) return new PlacedModule(child, joinName(path, name))
  const tensor = module.tensors.get(name)
  if (tensor !== undefined) return new NamedTensor(joinName(path, name), tensor)
  const setting = module.settings.get(name)
  if (setting === undefined) throw new NotFollowed(`has no '${name}' in '${path}'`)
  return setting as Arg
}

/** A module is no argument of an operator. */
function argOf(known: Known): Arg {
  if (known instanceof PlacedModule || known instanceof NamedFunction) throw new NotFollowed('gives a module or a function as an argument')
  if (known instanceof Parts) throw new NotFollowed('gives a list as an argument whose length is not known')
  return Array.isArray(known) ? (known as readonly Known[]).map(argOf) : known as Arg
}

/** `forward(self: ..., x: Tensor) -> Tensor:` and the lines below. */
function parseMethod(text: string): Method {
  const end = /\)\s*->\s*[^\n]*:\n/.exec(text)
  if (end === null) throw new NotFollowed('has a function that is not read')
  const signature = text.slice(text.indexOf('(') + 1, end.index)
  const parameters: Parameter[] = []
  let depth = 0
  let part = ''
  for (const char of `${signature},`) {
    if (char === '[') depth++
    if (char === ']') depth--
    if (char !== ',' || depth > 0) {
      part += char
      continue
    }
    const [name = '', type = ''] = part.replace(/\s+/g, ' ').split(':').map((word) => word.trim())
    part = ''
    if (!type.startsWith('__torch__.')) parameters.push({ name, type: type.replace(/ ?=.*$/, '') })
  }
  return { self: /^\s*(\w+)/.exec(signature)?.[1] ?? 'self', parameters, statements: parseBody(text.slice(end.index + end[0].length)) }
}
