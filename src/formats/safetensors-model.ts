import { graphFromJson } from '../graph/from-json.ts'
import { graphOfStateDict } from './pytorch.ts'
import type { FormatReader } from './reader.ts'
import { readSafetensors } from './safetensors.ts'
import { GRAPH_KEY } from './safetensors-writer.ts'
import { sniff } from './sniff.ts'

export { readSafetensors, type Safetensors } from './safetensors.ts'
export { writeSafetensors } from './safetensors-writer.ts'

/** Our own self-describing files, and plain PyTorch state dicts that are one LSTM. */
export const safetensors: FormatReader = {
  name: 'safetensors',
  detect: (bytes) => sniff(bytes) === 'safetensors',
  async read({ bytes }) {
    const { tensors, metadata } = readSafetensors(bytes)
    const json = metadata.get(GRAPH_KEY)
    return json === undefined ? graphOfStateDict(tensors) : graphFromJson(json, tensors)
  },
}
