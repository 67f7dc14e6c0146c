// Programs of torch.export: a list of nodes as JSON. https://github.com/pytorch/pytorch/blob/main/torch/_export/serde/schema.py
import type { Dimension } from '../../../values/shape.ts'
import type { Json } from '../../json.ts'
import { listOf, member, textOf } from '../exported.ts'
import type { TorchTensor } from '../tensors.ts'
import { NamedTensor, NotFollowed, Value, valuesOf, type Arg, type Calls, type Program, type ProgramInput } from './calls.ts'
import { partsOf } from './parts.ts'
import { normedTensor } from './weight-norm.ts'

/** Named arguments that say what a tensor is made of; its type where it is one of floats. */
const KINDS = ['device', 'layout', 'pin_memory']
/** Integer types by number. */
const INTEGERS: readonly unknown[] = [1, 2, 3, 4, 5]

/** The calls of a program, in order. @throws NotFollowed for programs that change their state, or call other than PyTorch's own operators */
export function programOfExported(json: Json, stateDict: ReadonlyMap<string, TorchTensor>, calls: Calls): Program {
  const graph = member(json, 'graph_module', 'graph')
  const names: Map<string, Arg> = new Map()
  /** Which operator gives a result that calls do not know. */
  const lost: Map<string, string> = new Map()
  const inputs: ProgramInput[] = []
  const types = member(graph, 'tensor_values')
  for (const spec of listOf(member(json, 'graph_module', 'signature', 'input_specs'))) {
    const [[kind, said] = ['', null]] = Object.entries((spec ?? {}) as Readonly<Record<string, Json>>)
    if (kind === 'user_input') {
      const name = member(said, 'arg', 'as_tensor', 'name')
      if (typeof name !== 'string') throw new NotFollowed('has an input that is no tensor')
      const value = new Value(name)
      names.set(name, value)
      inputs.push({ name, value, ...typeOf(member(types, name)) })
      continue
    }
    const tensor = textOf(member(said, 'parameter_name') ?? member(said, 'buffer_name') ?? member(said, 'tensor_constant_name'))
    const found = stateDict.get(tensor)
    if (found === undefined) throw new NotFollowed(`has an input of the kind ${kind}`)
    names.set(textOf(member(said, 'arg', 'name')), new NamedTensor(tensor, found))
  }
  for (const node of listOf(member(graph, 'nodes'))) {
    const target = textOf(member(node, 'target'))
    const op = /^torch\.ops\.aten\.(\w+)(?:\.\w+)?$/.exec(target)?.[1]
    if (op === undefined) throw new NotFollowed(`calls ${target}`)
    const args: Arg[] = []
    const named: Map<string, Arg> = new Map()
    for (const input of listOf(member(node, 'inputs'))) {
      const arg = argOf(member(input, 'arg'), names, lost)
      if (member(input, 'kind') === 2) named.set(textOf(member(input, 'name')), arg)
      else args.push(arg)
    }
    const where = pathOf(member(node, 'metadata', 'nn_module_stack'))
    for (const kind of KINDS) named.delete(kind)
    const outputs = listOf(member(node, 'outputs')).flatMap(tensorNames)
    if (op === '_weight_norm') {
      names.set(outputs[0] as string, normedTensor(args))
      continue
    }
    const parts = partsOf(calls, op, args, where)
    const results = parts === undefined ? valuesOf(calls.add(op, args, where, named)) : outputs.map((_, n) => parts.at(n))
    outputs.forEach((name, n) => {
      const result = results[n]
      if (result === undefined) lost.set(name, op)
      else names.set(name, result)
    })
  }
  const outputs = listOf(member(json, 'graph_module', 'signature', 'output_specs')).map((spec) => {
    const name = member(spec, 'user_output', 'arg', 'as_tensor', 'name')
    const value = typeof name === 'string' ? names.get(name) : undefined
    if (!(value instanceof Value)) throw new NotFollowed('has an output that is no tensor of its own')
    return value
  })
  return { inputs, calls: calls.list, outputs }
}

/** Names of what a node gives. */
function tensorNames(output: Json): string[] {
  // A size.
  const size = member(output, 'as_sym_int', 'as_name')
  if (typeof size === 'string') return [size]
  const one = member(output, 'as_tensor', 'name')
  return typeof one === 'string' ? [one] : listOf(member(output, 'as_tensors')).map((each) => textOf(member(each, 'name')))
}

function argOf(json: Json | undefined, names: ReadonlyMap<string, Arg>, lost: ReadonlyMap<string, string>): Arg {
  const [[kind, value] = ['as_none', null]] = Object.entries((json ?? {}) as Readonly<Record<string, Json>>)
  const named = (one: Json | undefined): Arg => {
    const name = textOf(member(one, 'name'))
    if (lost.has(name)) throw new NotFollowed(`calls torch.${lost.get(name)}`)
    if (!names.has(name)) throw new NotFollowed(`uses '${name}', which nothing makes`)
    return names.get(name)
  }
  switch (kind) {
    case 'as_tensor': return named(value)
    case 'as_tensors': return listOf(value).map(named)
    case 'as_optional_tensors': return listOf(value).map((one) => (member(one, 'as_tensor') === undefined ? null : named(member(one, 'as_tensor'))))
    case 'as_sym_int': return sizeOf(value, named)
    case 'as_sym_ints': return listOf(value).map((one) => sizeOf(one, named))
    case 'as_int': case 'as_float': case 'as_bool': case 'as_string': return value as number | boolean | string
    case 'as_ints': case 'as_floats': case 'as_bools': case 'as_strings': return listOf(value) as readonly Arg[]
    // Sizes that are computed, types, devices: operators that need them say so.
    default: return null
  }
}

/** A size: a number, or what a node makes. */
function sizeOf(json: Json | undefined, named: (one: Json | undefined) => Arg): Arg {
  const number = member(json, 'as_int')
  return typeof number === 'number' ? number : named({ name: member(json, 'as_name') ?? '' })
}

/** Shape and type of an input: numbers, and PyTorch's symbols where a size is dynamic. */
function typeOf(json: Json | undefined): { shape?: Dimension[], isInteger: boolean } {
  const sizes = listOf(member(json, 'sizes')).map((size): Dimension => {
    const number = member(size, 'as_int')
    return typeof number === 'number' ? number : textOf(member(size, 'as_expr', 'expr_str'))
  })
  return { ...(sizes.length > 0 && { shape: sizes }), isInteger: INTEGERS.includes(member(json, 'dtype')) }
}

/** `L__self__,,__main__.Net;L__self__fc,fc,torch.nn.modules.linear.Linear` is in `fc`. */
function pathOf(stack: Json | undefined): string {
  return typeof stack === 'string' ? stack.split(';').at(-1)?.split(',')[1] ?? '' : ''
}
