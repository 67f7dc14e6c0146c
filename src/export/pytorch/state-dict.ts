// State dicts by PyTorch's names, and the module that they are of, as Python.
import { LstmError } from '../../errors.ts'
import { checkRecord, oneOf, readOptions, type OptionTable } from '../../options.ts'
import type { NdArray } from '../../values/ndarray.ts'
import { Refusals, typedSource, type ExportOptions, type ExportSource } from '../source.ts'
import { lineWriters } from './layers.ts'
import { NodeLines } from './node-lines.ts'
import { identifier, PythonModule } from './python-module.ts'

/** Options of `toStateDict`. */
export interface StateDictOptions extends ExportOptions {
  /** Whose names and order of gates. Default, and the only ones there are: PyTorch's. */
  readonly names?: 'pytorch' | undefined
}

const NAMES: OptionTable<Pick<StateDictOptions, 'names'>> = { names: oneOf(['pytorch']) }

/**
 * The trained tensors of a model by the names that they have in a PyTorch module, gates in PyTorch's order: `lstm.weight_ih_l0`, `fc.weight`. The module is
 * what `describePytorch` prints, with the names of our nodes; `load_state_dict` takes the tensors with `strict=True`.
 *
 *     await writeFile('model.safetensors', writeSafetensors(toStateDict(model)))
 *
 * @throws LstmError `UNSUPPORTED` listing every node that PyTorch has no module or function for, and what of it
 */
export function toStateDict(source: ExportSource, given: StateDictOptions = {}): Map<string, NdArray> {
  checkRecord(given, 'toStateDict')
  const { names, ...options } = given
  readOptions({ names }, NAMES, 'toStateDict')
  return moduleOf(source, options, 'toStateDict').tensors
}

/**
 * The lines of Python that make the module of a model: a class `Model`, whose `forward` takes the inputs in their order and gives the output, or a tuple of
 * several. Tensors are those of `toStateDict`.
 *
 * @throws LstmError see `toStateDict`
 */
export function describePytorch(source: ExportSource, options: ExportOptions = {}): string {
  const module = moduleOf(source, options, 'describePytorch')
  const inputs = module.typed.graph.inputs.map(({ name }) => module.expression(name))
  const indented = (lines: readonly string[]): string => lines.map((line) => `        ${line}\n`).join('')
  return `import torch
import torch.nn.functional as F
from torch import nn

${[...module.functions].map((text) => `\n${text}\n`).join('')}
class Model(nn.Module):
    def __init__(self):
        super().__init__()
${indented(module.made)}
    def forward(self, ${inputs.join(', ')}):
${indented(module.lines)}        return ${module.results.join(', ')}


model = Model().eval()
`
}

function moduleOf(source: ExportSource, options: ExportOptions, what: string): PythonModule {
  const typed = typedSource(source, options, what)
  const refusals = new Refusals(what)
  const module = new PythonModule(typed)
  const writers = lineWriters()
  for (const node of typed.graph.nodes) {
    // Sizes are told where they are needed.
    if (node.outputs.every((value) => value === '' || module.isSizes(value))) continue
    refusals.attempt(() => {
      const write = Object.hasOwn(writers, node.op) ? writers[node.op] : undefined
      if (write === undefined) throw new LstmError('UNSUPPORTED', `${node.op} '${node.name}': it is written for no module or function of PyTorch`)
      write(new NodeLines<never>(node, module))
    })
    for (const value of node.outputs) if (value !== '' && !module.has(value)) module.alias(value, identifier(value))
  }
  module.results.push(...typed.graph.outputs.map(({ value }) => module.expression(value)))
  refusals.check('what PyTorch has no module or function for')
  return module
}
