// A file that holds a program, as a graph.
import { LstmError } from '../../../errors.ts'
import type { Graph } from '../../../graph/graph.ts'
import type { Budget } from '../../budget.ts'
import type { TorchFile } from '../torch-file.ts'
import type { TorchModule } from '../module-tree.ts'
import type { TorchTensor } from '../tensors.ts'
import { Calls, NotFollowed, Value, valuesOf, type Program } from './calls.ts'
import { programOfExported } from './exported.ts'
import { graphOfProgram } from './graph.ts'
import { callKnown, isKnown } from './modules.ts'
import { programOfScript, withConstants } from './script.ts'

export { withConstants } from './script.ts'

/**
 * The graph of a pickled module, TorchScript or torch.export.
 * @returns in words why the program is not followed, where it is not: it calls what is not done here, or decides by what it is given
 */
export async function graphOfFile(file: TorchFile, module: TorchModule | undefined, budget: Budget): Promise<Graph | string> {
  try {
    return await graphOfProgram(programOf(file, module, new Calls(budget)), file.tensors, budget)
  } catch (error) {
    if (error instanceof NotFollowed) return error.message
    // What was told of its inputs may be too little for the rest.
    if (error instanceof LstmError && error.code !== 'FORMAT') return `is not understood as a graph (${error.message})`
    throw error
  }
}

function programOf({ object, code, constants, exported }: TorchFile, module: TorchModule | undefined, calls: Calls): Program {
  if (exported !== undefined) return programOfExported(exported, object as ReadonlyMap<string, TorchTensor>, calls)
  if (module === undefined) throw new NotFollowed('has no module')
  // The code of torch.nn's own compiled classes decides by what it is given; their settings, which are constants then, say as much.
  const told = code === undefined ? module : withConstants(module, code)
  if (code !== undefined && !(isKnown(module) && told.settings.size > module.settings.size)) return programOfScript(module, { code, constants }, calls)
  const value = new Value('input')
  const answer = callKnown({ calls, module: told, path: '', args: [value] })
  return { inputs: [{ name: 'input', value }], calls: calls.list, outputs: valuesOf(answer) }
}
