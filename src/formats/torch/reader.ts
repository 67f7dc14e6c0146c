// Reader of the PyTorch format: files of torch.save, .pt and .pth, of torch.jit.save and of torch.export.save, .pt2; state dicts in an .npz.
import { cannotImport, LstmError } from '../../errors.ts'
import type { Graph } from '../../graph/graph.ts'
import { inLayout, type LayoutOptions } from '../batch-first.ts'
import { Budget } from '../budget.ts'
import { isNpzStateDict } from '../npz.ts'
import { graphOfStateDict } from '../pytorch.ts'
import type { StateDict } from '../pytorch-names.ts'
import type { FormatReader } from '../reader.ts'
import type { Reading } from '../state-dicts/lines.ts'
import { cannotGuess, EXPORT_FROM_PYTORCH } from '../state-dicts/message.ts'
import { quote, sourceOf } from '../state-dicts/quote.ts'
import { takingOptions } from '../taking-options.ts'
import { batchedOrNot } from '../unbatched.ts'
import { isTorch, openTorch } from './archive.ts'
import type { TorchFile } from './torch-file.ts'
import { settingsOf, tensorsOf, type TorchModule } from './module-tree.ts'
import { moduleIn, readNpzTensors, stateDictOf } from './state-dict.ts'

export { readTorch, type TorchOptions } from './state-dict.ts'

const WITHOUT_CODE = 'no code of a file is run'
const EXPORT_SCRIPT: readonly string[] = [
  'Export it as ONNX, with an example of its input, and load that file:',
  "  torch.onnx.export(torch.jit.load('model.pt').eval(), (example,), 'model.onnx', input_names=['input'], dynamic_axes={'input': {0: 'batch', 1: 'timesteps'}}, dynamo=False)",
]
const EXPORT_PROGRAM: readonly string[] = [
  'Export it as ONNX, with an example of its input, and load that file:',
  "  torch.onnx.export(torch.export.load('model.pt2').module(), (example,), 'model.onnx', dynamo=True)",
]

/**
 * Reads files whose state dict is one `torch.nn.LSTM`, `GRU` or `RNN`, or one of their cells (see `graphOfStateDict` for the graph, and for
 * others), and programs that are a row of calls: pickled modules of torch.nn, TorchScript, torch.export.
 */
export const torch: FormatReader = takingOptions({
  name: 'PyTorch',
  options: ['unbatched', 'key', 'batchFirst', 'timeMajor'],
  detect: (bytes) => isTorch(bytes) || isNpzStateDict(bytes),
  async read({ bytes, location }, { key, ...layout }, budget = new Budget(bytes.length)) {
    const reading: Reading = {
      imports: "import { readTorch } from 'lstm-wasm/torch'",
      lines: [`const tensors = await readTorch(${sourceOf(location)}${key === undefined ? '' : `, { key: ${quote(key)} }`})`],
      inOrder: true,
      otherwise: EXPORT_FROM_PYTORCH,
    }
    if (isNpzStateDict(bytes)) {
      const graph = graphOfStateDict(readNpzTensors(bytes, { key }, budget), reading)
      return batchedOrNot(inLayout(graph, layout), layout.unbatched)
    }
    const file = openTorch(bytes, budget)
    const module = moduleIn(file.object, key, budget)
    if (module === undefined && file.exported === undefined) {
      return batchedOrNot(inLayout(graphOfStateDict(stateDictOf(file, key === undefined ? {} : { key }, budget), reading), layout), layout.unbatched)
    }
    return batchedOrNot(await graphOfProgram({ file, module, key, layout, reading, budget }), layout.unbatched)
  },
})

/** Modules that are a state dict with settings: their states are inputs and outputs. */
const WITH_STATES = /^torch\.nn\.modules\.rnn\.(?:(LSTM|GRU)|(LSTMCell|GRUCell))$/

interface ProgramFile {
  readonly file: TorchFile
  readonly module: TorchModule | undefined
  readonly key: string | undefined
  readonly layout: LayoutOptions
  readonly reading: Reading
  readonly budget: Budget
}

async function graphOfProgram({ file, module, key, layout, reading, budget }: ProgramFile): Promise<Graph> {
  const stateDict = (): StateDict => stateDictOf(file, key === undefined ? {} : { key }, budget)
  const [, layer, cell] = WITH_STATES.exec(file.code === undefined ? module?.className ?? '' : '') ?? []
  if (layer !== undefined || cell !== undefined) {
    const graph = graphOfStateDict(stateDict(), reading)
    const batchFirst = module?.settings.get('batch_first')
    return layer === undefined || layout.batchFirst !== undefined || layout.timeMajor !== undefined || typeof batchFirst !== 'boolean'
      ? inLayout(graph, layout)
      : { ...inLayout(graph, { ...layout, batchFirst }), notes: [`batch_first=${batchFirst ? 'True' : 'False'}, as the file says`] }
  }
  if ((layout.batchFirst ?? layout.timeMajor) !== undefined) {
    throw new LstmError('VALUE', "PyTorch: 'batchFirst' and 'timeMajor' are for bare state dicts, and this file says it of its modules")
  }
  const { graphOfFile, withConstants } = await import('./program/program.ts').catch((cause: unknown) => (
    cannotImport(cause, 'the reader of PyTorch programs', "load the model's state dict, with lstm-wasm/layers")
  ))
  const graph = await graphOfFile(file, module, budget)
  if (typeof graph !== 'string') return graph
  const [what, otherwise] = file.exported !== undefined
    ? [`a program of torch.export that ${graph}`, EXPORT_PROGRAM]
    : file.code !== undefined
      ? [`a TorchScript program that ${graph}`, EXPORT_SCRIPT]
      : [`a pickled module that ${graph}`, EXPORT_FROM_PYTORCH]
  if (file.code !== undefined && module !== undefined && tensorsOf(module).size === 0) {
    throw new LstmError('UNSUPPORTED', [
      `torch: this file is ${what}; ${WITHOUT_CODE}. It was frozen (torch.jit.freeze): its tensors are constants of the program, without names, so that no layers can be given them.`,
      'Save the module as it was before that, or:', ...EXPORT_SCRIPT,
    ].join('\n'))
  }
  const settings = module === undefined ? undefined : settingsOf(file.code === undefined ? module : withConstants(module, file.code))
  throw cannotGuess(stateDict(), { ...reading, otherwise, ...(settings && { settings }) }, `this file is ${what}; ${WITHOUT_CODE}. Its tensors:`)
}
