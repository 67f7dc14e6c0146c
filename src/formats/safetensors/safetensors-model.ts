import { LstmError } from '../../errors.ts'
import { graphFromJson } from '../../graph/from-json.ts'
import { inLayout } from '../batch-first.ts'
import { graphOfStateDict, readingSafetensors } from '../pytorch.ts'
import type { FormatReader } from '../reader.ts'
import { takingOptions } from '../taking-options.ts'
import { readConstants, widened } from './safetensors.ts'
import { GRAPH_KEY } from './bytes.ts'
import { sniff } from '../sniff.ts'
import { batchedOrNot } from '../unbatched.ts'

export { readSafetensors, type Safetensors } from './safetensors.ts'
export { writeSafetensors } from './writer.ts'

/** Our own self-describing files, and plain PyTorch state dicts that are one LSTM or LSTMCell. */
export const safetensors: FormatReader = takingOptions({
  name: 'safetensors',
  detect: (bytes) => sniff(bytes) === 'safetensors',
  options: ['unbatched', 'batchFirst', 'timeMajor'],
  async read({ bytes, location, loadOperators }, options) {
    const { unbatched, batchFirst, timeMajor } = options
    const { constants, metadata } = readConstants(bytes)
    const json = metadata.get(GRAPH_KEY)
    if (json !== undefined && (batchFirst ?? timeMajor) !== undefined) {
      throw new LstmError('VALUE', "safetensors: 'batchFirst' and 'timeMajor' are for bare state dicts, and this file describes its model")
    }
    const graph = json === undefined
      ? inLayout(graphOfStateDict(widened(constants), readingSafetensors(location)), options)
      : graphFromJson(json, constants)
    await loadOperators?.(graph.nodes)
    return batchedOrNot(graph, unbatched)
  },
})
