// Calls of PyTorch's operators as a graph. https://docs.pytorch.org/docs/stable/torch.compiler_ir.html
import type { Graph } from '../../../graph/graph.ts'
import { loadFamilies } from '../../../ops/families.ts'
import type { Budget } from '../../budget.ts'
import type { TensorBuilder } from '../tensor-builder.ts'
import { CONVOLUTIONS, NotFollowed, POOLS, type Call, type Program, type Value } from './calls.ts'
import { Emission } from './emission.ts'
import { inputsOf } from './inputs.ts'
import { EMITTERS, needsOf, READ_BY_NAME } from './operators.ts'

/** The graph of a program. @throws NotFollowed for operators that are not done here; LstmError for tensors that do not fit */
export async function graphOfProgram(program: Program, tensors: TensorBuilder, budget: Budget): Promise<Graph> {
  const { calls, outputs } = program
  if (outputs.length === 0) throw new NotFollowed('gives no tensor')
  const inputs = inputsOf(program)
  await loadFamilies(calls.some(({ op }) => CONVOLUTIONS.includes(op) || POOLS.includes(op) || op === 'group_norm') ? ['windows'] : [])
  const emission = new Emission(calls, tensors, budget)
  program.inputs.forEach(({ value }, n) => {
    emission.builder.input(inputs[n] as Graph['inputs'][number])
    emission.names.set(value, (inputs[n] as Graph['inputs'][number]).name)
  })
  const names = outputs.map((value) => nameOf(emission, value))
  return emission.builder.finish(names.map((value, n) => ({ name: n === 0 ? 'output' : `output_${n}`, value })))
}

/**
 * The value's name in the graph. What it is made of is made first, without recursion: programs may be long. Only what is needed is made: sizes
 * and zeros that states are made of are not.
 */
function nameOf(emission: Emission, wanted: Value): string {
  const waiting: Value[] = [wanted]
  for (let value = waiting.at(-1); value !== undefined; value = waiting.at(-1)) {
    const call = emission.producer(value)
    if (emission.names.has(value)) waiting.pop()
    else if (call === undefined) throw new NotFollowed('uses a tensor that nothing makes')
    else {
      const missing = needsOf(emission, call).filter((need) => !emission.names.has(need))
      if (missing.length > 0) waiting.push(...missing)
      else emitCall(emission, call)
    }
  }
  return emission.names.get(wanted) as string
}

function emitCall(emission: Emission, call: Call): void {
  const emit = Object.hasOwn(EMITTERS, call.op) ? EMITTERS[call.op] : undefined
  if (emit === undefined) throw new NotFollowed(`calls torch.${call.op}${call.where === '' ? '' : ` in '${call.where}'`}`)
  const unread = [...call.named].find(([name, value]) => (value ?? null) !== null && !READ_BY_NAME.includes(name))
  if (unread !== undefined) throw new NotFollowed(`calls torch.${call.op} with ${unread[0]} by name`)
  const made = emit(emission, call)
  const names = typeof made === 'string' ? [made] : made
  call.results.forEach((result, n) => emission.names.set(result, names[n] as string))
}
