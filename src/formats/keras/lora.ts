// Low-rank additions to trained kernels (LoRA). Files by place have them merged; whole-model .h5 files keep them apart.
import { NdArray } from '../../values/ndarray.ts'
import type { LayerCall } from './layer-call.ts'
import { malformed } from './settings.ts'

/**
 * What makes `W + alpha / rank A B` of a kernel W [..., in, out], with A [..., in, rank] and B [rank, out]; the kernel as it is
 * where the layer has no such addition, or the file has it merged.
 */
export function loraOf({ layer, weights }: LayerCall, kernel: 'kernel' | 'embeddings'): (array: NdArray) => NdArray {
  const { settings } = layer
  if (settings.json('lora_rank') === undefined) return (array) => array
  const parts = weights.takeNamed([`lora_${kernel}_a`, `lora_${kernel}_b`])
  if (parts === undefined) return (array) => array
  const [a, b] = parts as [NdArray, NdArray]
  const rank = settings.count('lora_rank')
  // Before Keras 3.9 there was no alpha.
  const scale = settings.number('lora_alpha', rank) / rank
  return (array) => {
    const columns = array.shape.at(-1) as number
    const rows = array.data.length / columns
    if (a.data.length !== rows * rank || b.data.length !== rank * columns) throw malformed(`${settings.what}: expected lora_${kernel}_a and _b of rank ${rank}`)
    const merged = Float32Array.from(array.data, (value, index) => {
      const row = Math.floor(index / columns)
      let sum = 0
      for (let k = 0; k < rank; k++) sum += (a.data[row * rank + k] as number) * (b.data[k * columns + index % columns] as number)
      return value + scale * sum
    })
    return new NdArray(merged, array.shape)
  }
}
