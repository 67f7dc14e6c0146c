import { LstmError } from '../../errors.ts'
import type { Graph } from '../../graph/graph.ts'
import { describeValue } from '../../values/dtype.ts'
import type { NdArray } from '../../values/ndarray.ts'
import { formatShape } from '../../values/shape.ts'
import { RECURRENT } from '../../ops/recurrent/kinds.ts'
import { isObject, type JsonObject } from '../json.ts'
import { arrayOf, parseJsonObject } from '../json-weights.ts'
import { malformedFile } from '../malformed.ts'
import { Network, type RecurrentLayer } from './network.ts'

const malformed = malformedFile('RTNeural')

/** Layers of a recurrent module that a file may claim. */
const MOST_LAYERS = 1000

/** Tensors as nested lists, by PyTorch's names. */
export function tensorsOf(json: JsonObject): Map<string, NdArray<'float32'>> {
  return new Map(Object.entries(json).map(([name, value]) => [name, arrayOf(value, `RTNeural: tensor ${describeValue(name)}`)]))
}

/**
 * The tensors of a PyTorch state dict that was written as JSON, on its own (RTNeural's examples) or under `state_dict`
 * (GuitarML's models): for `sequential([...]).loadStateDict`.
 * @throws LstmError `FORMAT` for a file that is none
 */
export function readRtneuralStateDict(bytes: Uint8Array): Map<string, NdArray> {
  const json = parseJsonObject(bytes, 'RTNeural')
  return tensorsOf(isObject(json.state_dict) ? json.state_dict : json)
}

/** A model with `model_data` and `state_dict`: GuitarML's SimpleRNN, one LSTM or GRU `rec`, one linear layer `lin`, and a skip. */
export function isSimpleRnn(json: JsonObject): boolean {
  return isObject(json.model_data) && isObject(json.state_dict)
}

/** output = lin(rec(input)) + input, the last where `skip` is 1. */
export function graphOfSimpleRnn(json: JsonObject, delaySamples: number): Graph {
  const data = json.model_data as JsonObject
  const { model = 'SimpleRNN', unit_type: unitType = 'LSTM', skip = 0 } = data
  const op = unitType === 'LSTM' ? 'lstm' : unitType === 'GRU' ? 'gru' : undefined
  if (model !== 'SimpleRNN' || op === undefined || (skip !== 0 && skip !== 1)) {
    throw new LstmError('UNSUPPORTED', `RTNeural: the model is ${describeValue(model)} of ${describeValue(unitType)} with skip ${describeValue(skip)}; supported is "SimpleRNN" of "LSTM" or "GRU" with skip 0 or 1`)
  }
  if (op === 'gru' && delaySamples > 1) throw new LstmError('UNSUPPORTED', "RTNeural: 'sampleRate' cannot be corrected for a GRU")
  const tensors = tensorsOf(json.state_dict as JsonObject)
  const take = (name: string, shape?: readonly number[]): NdArray<'float32'> => {
    const tensor = tensors.get(name)
    if (tensor === undefined || (shape !== undefined && formatShape(tensor.shape) !== formatShape(shape))) {
      throw malformed(`expected the tensor '${name}'${shape === undefined ? '' : ` ${formatShape(shape)}`}, got ${tensor === undefined ? 'none' : formatShape(tensor.shape)}`)
    }
    tensors.delete(name)
    return tensor
  }
  const [gates = 0, inputSize = 0] = tensors.get('rec.weight_ih_l0')?.shape ?? []
  const { gates: blocks } = RECURRENT[op]
  if (gates < blocks || gates % blocks !== 0 || inputSize < 1) throw malformed(`expected a tensor 'rec.weight_ih_l0' [${blocks} hidden size, input size]`)
  const hiddenSize = gates / blocks
  const layers: RecurrentLayer[] = []
  while (layers.length < MOST_LAYERS && tensors.has(`rec.weight_ih_l${layers.length}`)) {
    const n = layers.length
    layers.push({
      inputWeights: take(`rec.weight_ih_l${n}`, [gates, n === 0 ? inputSize : hiddenSize]),
      recurrentWeights: take(`rec.weight_hh_l${n}`, [gates, hiddenSize]),
      biases: tensors.has(`rec.bias_ih_l${n}`) ? [take(`rec.bias_ih_l${n}`, [gates]), take(`rec.bias_hh_l${n}`, [gates])] : [],
    })
  }
  const units = tensors.get('lin.weight')?.shape[0] ?? 0
  const network = new Network(inputSize, delaySamples)
  network.recurrent(op, layers)
  network.dense('lin', take('lin.weight', [units, hiddenSize]), tensors.has('lin.bias') ? take('lin.bias', [units]) : undefined)
  if (tensors.size > 0) throw malformed(`tensors that a SimpleRNN has no use for: ${[...tensors.keys()].slice(0, 50).map((name) => describeValue(name)).join(', ')}`)
  if (skip === 1) addSkip(network, 'input', inputSize, units)
  return network.finish()
}

/** Adds the first features of the input, as many as there are outputs. */
export function addSkip(network: Network, input: string, features: number, units: number): void {
  if (units !== 1 && units !== features) {
    throw new LstmError('UNSUPPORTED', `RTNeural: a skip connection from ${features} features to ${units}`)
  }
  if (units === features) network.add('add', [input])
  else {
    const output = network.value
    const [from, to, axis] = [['skip.from', 0], ['skip.to', 1], ['skip.axis', 2]].map(([name, value]) => (
      network.integers(name as string, [value as number])
    )) as [string, string, string]
    network.add('slice', [from, to, axis], {}, {}, input)
    network.add('add', [output])
  }
}
