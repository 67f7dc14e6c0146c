// What would load instead of a model that asks for operators that are not there: how the same model is written otherwise.
import { isOfOneMachine } from './composed/onnxruntime.ts'
import type { OnnxModel } from './messages.ts'
import { neededNodes } from './order.ts'

/** What tracing scripted code makes of Python's lists. */
const SEQUENCES = /^(Sequence|SplitToSequence|ConcatFromSequence)/
/** Another result at each run: nothing computes it beforehand. */
const RANDOM = /^(Random|Bernoulli|Multinomial)/

/**
 * Ways on, each of them a sentence, where there are any.
 * @param unknown names of the operators that are not there, with their domain
 */
export function adviceFor(model: OnnxModel, unknown: readonly string[]): string[] {
  if (unknown.length === 0) return []
  if (unknown.some(isOfOneMachine)) {
    return ['onnxruntime optimised this file for machines like its own: load the file from before that, or optimise it with graph_optimization_level = ORT_ENABLE_EXTENDED']
  }
  if (followFromConstants(model, unknown)) {
    return ['all that these nodes compute follows from constants, and onnxsim computes it beforehand: pip install onnxsim, then onnxsim model.onnx simple.onnx']
  }
  if (unknown.some((op) => /^(com\.microsoft\.)?QLinear/.test(op))) {
    return ['onnxruntime quantised this file as operators from integers to integers: quantise with quant_format=QuantFormat.QDQ, and operators between products stay float32']
  }
  const { producer } = model
  if (producer === 'tf2onnx') {
    return ["tf2onnx wrote this file: a model of Keras's own layers loads as Keras saves it, model.save('model.keras'), without a conversion"]
  }
  if (producer !== 'pytorch') return []
  if (unknown.every((op) => SEQUENCES.test(op))) return ['these are lists of tensors: torch.onnx.export(..., dynamo=True) writes none']
  if (unknown.every((op) => op.startsWith('pkg.'))) return ['these are functions that early versions of the dynamo exporter leave in a file: torch.onnx.export(..., dynamo=False) writes none']
  return []
}

/** Whether every node with one of these operators takes constants only. */
function followFromConstants({ graph }: OnnxModel, unknown: readonly string[]): boolean {
  const constants = new Set(['', ...graph.initializers.map(({ name }) => name)])
  let found = 0
  for (const { op, domain, inputs, outputs, attributes } of neededNodes(graph).nodes) {
    const isConstant = inputs.every((name) => constants.has(name)) && !RANDOM.test(op) && domain === '' && attributes.every(({ value }) => value?.kind !== 'graph')
    if (isConstant) for (const name of outputs) constants.add(name)
    if (!unknown.includes(op)) continue
    if (!isConstant) return false
    found++
  }
  return found > 0
}
