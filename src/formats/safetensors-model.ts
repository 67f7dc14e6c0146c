import { graphFromJson } from '../graph/from-json.ts'
import { graphOfStateDict } from './pytorch.ts'
import type { FormatReader } from './reader.ts'
import { GRAPH_KEY, readSafetensors } from './safetensors.ts'
import { sniff } from './sniff.ts'

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
