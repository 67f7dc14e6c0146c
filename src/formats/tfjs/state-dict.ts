// Manifests with weights only: as a state dict, and as lines of code that load them.
import type { NdArray } from '../../values/ndarray.ts'
import { resetBefore, stateDictOf, type TensorGroup } from '../keras/state-dict.ts'
import { segmentsOf } from '../keras/weights.ts'
import { sourceOf } from '../state-dicts/quote.ts'
import { wayOn as wayOnFor } from '../state-dicts/message.ts'
import { findCells } from '../tf1/cells.ts'
import { wayOn as wayOnForVariables } from '../tf1/loading-lines.ts'

/**
 * Tensors of a TensorFlow.js layers model, `NAME/kernel` and such, under PyTorch's names and in its layouts, for
 * `sequential([...]).loadStateDict`.
 * @throws LstmError `FORMAT` for two tensors of one name
 */
export function tfjsStateDict(tensors: ReadonlyMap<string, NdArray>): Map<string, NdArray> {
  return stateDictOf(groupsOf(tensors))
}

function groupsOf(tensors: ReadonlyMap<string, NdArray>): TensorGroup[] {
  const groups: Map<string, TensorGroup & { readonly tensors: Map<string, NdArray> }> = new Map()
  for (const [name, tensor] of tensors) {
    const inside = segmentsOf(name)
    const last = inside.pop() as string
    const layer = inside.shift() ?? ''
    const key = [layer, ...inside].join('/')
    const group = groups.get(key) ?? { layer, inside, tensors: new Map<string, NdArray>() }
    groups.set(key, group)
    group.tensors.set(last, tensor)
  }
  return [...groups.values()]
}

/** What to do with a manifest alone. */
export function wayOn(tensors: ReadonlyMap<string, NdArray>, location: string | undefined): string[] {
  // Cells of tf.basicLSTMCell are named as TensorFlow 1 named them; layers have a recurrent_kernel.
  const isLayers = [...tensors.keys()].some((name) => name.endsWith('recurrent_kernel'))
  const found = isLayers ? undefined : findCells(tensors)
  if (found !== undefined && found.cells.length > 0) {
    return wayOnForVariables(tensors, found, {
      imports: "import { tensorflow1StateDict } from 'lstm-wasm/tensorflow1'\nimport { readTfjsWeights } from 'lstm-wasm/tfjs'",
      variables: `await readTfjsWeights(${sourceOf(location)})`,
      inOrder: true,
    })
  }
  return wayOnFor(tfjsStateDict(tensors), {
    imports: "import { readTfjsStateDict } from 'lstm-wasm/tfjs'",
    lines: [
      `const tensors = await readTfjsStateDict(${sourceOf(location)})`,
      "// LSTMs and GRUs of TensorFlow.js have the recurrentActivation { name: 'hardSigmoid', keras: 2 } unless the model says 'sigmoid'; these have 'sigmoid'.",
    ],
    inOrder: true,
    otherwise: ['Load the model.json that belongs to these weights instead.'],
    resetBefore: resetBefore(groupsOf(tensors)),
  })
}
