// Weights that are inputs of the model: what exporters write when they are told to leave the numbers out.
import { LstmError } from '../../errors.ts'
import { listed } from '../malformed.ts'
import type { OnnxGraph } from './messages.ts'
import { neededNodes } from './order.ts'

/** Inputs of recurrent operators that must be known beforehand: W, R, B, and P. */
const WEIGHTS = [1, 2, 3, 7]
const RECURRENT = ['LSTM', 'GRU', 'RNN']
/** The message names so many. */
const MOST_NAMED = 50

/**
 * @param given names of inputs that the caller gives values for
 * @throws LstmError `UNSUPPORTED` naming all inputs that are weights of recurrent layers and have no values
 */
export function refuseWeightsAsInputs(graph: OnnxGraph, given: ReadonlySet<string>): void {
  const initialized = new Set(graph.initializers.map(({ name }) => name))
  const open = new Set(graph.inputs
    .filter(({ name, shape }) => !initialized.has(name) && !given.has(name) && shape?.every((size) => typeof size === 'number'))
    .map(({ name }) => name))
  if (open.size === 0) return
  const { nodes } = neededNodes(graph)
  const wanted = new Set(nodes.flatMap(({ op, domain, inputs }) => (domain === '' && RECURRENT.includes(op) ? WEIGHTS.flatMap((n) => inputs[n] ?? []) : [])))
  // What is left out has no name, and neither have outputs that nobody needs.
  wanted.delete('')
  for (const { op, inputs, outputs } of [...nodes].reverse()) {
    // What only the shape is taken of is no weight.
    if (op !== 'Shape' && outputs.some((name) => wanted.has(name))) for (const name of inputs) wanted.add(name)
  }
  const names = graph.inputs.flatMap(({ name }) => (wanted.has(name) && open.has(name) ? [name] : []))
  if (names.length === 0) return
  const list = listed(names, MOST_NAMED, (name) => `'${name}'`)
  throw new LstmError('UNSUPPORTED', `onnx: the numbers of ${names.length === 1 ? 'this weight are' : 'these weights are'} not in the file, which has ${names.length === 1 ? 'an input for it' : 'inputs for them'}: ${list}; export the model with its weights inside (torch.onnx.export(..., export_params=True)), or give their values: load(file, { constants: { ${JSON.stringify(names[0])}: { dtype: 'float32', shape, data }, ... } })`)
}
