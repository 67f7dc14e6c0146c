import { graphFromJson } from '../graph/from-json.ts'
import { loadOperators } from '../ops/late.ts'
import { graphOfStateDict, readingSafetensors } from './pytorch.ts'
import type { FormatReader } from './reader.ts'
import { takingOptions } from './taking-options.ts'
import { readSafetensors } from './safetensors.ts'
import { GRAPH_KEY } from './safetensors-writer.ts'
import { sniff } from './sniff.ts'
import { batchedOrNot } from './unbatched.ts'

export { readSafetensors, type Safetensors } from './safetensors.ts'
export { writeSafetensors } from './safetensors-writer.ts'

/** Our own self-describing files, and plain PyTorch state dicts that are one LSTM or LSTMCell. */
export const safetensors: FormatReader = takingOptions({
  name: 'safetensors',
  detect: (bytes) => sniff(bytes) === 'safetensors',
  options: ['unbatched'],
  async read({ bytes, location }, { unbatched }) {
    const { tensors, metadata } = readSafetensors(bytes)
    const json = metadata.get(GRAPH_KEY)
    const graph = json === undefined ? graphOfStateDict(tensors, readingSafetensors(location)) : graphFromJson(json, tensors)
    if (unbatched) await loadOperators(graph.nodes)
    return batchedOrNot(graph, unbatched)
  },
})
