// Reader of the PyTorch format: files of torch.save, .pt and .pth.
import { inLayout } from '../batch-first.ts'
import { Budget } from '../budget.ts'
import { graphOfStateDict } from '../pytorch.ts'
import type { FormatReader } from '../reader.ts'
import { EXPORT_FROM_PYTORCH } from '../state-dicts/message.ts'
import { quote, sourceOf } from '../state-dicts/quote.ts'
import { takingOptions } from '../taking-options.ts'
import { batchedOrNot } from '../unbatched.ts'
import { isTorch } from './archive.ts'
import { readTorchWithin } from './state-dict.ts'

export { readTorch, type TorchOptions } from './state-dict.ts'

/** Reads files whose state dict is one `torch.nn.LSTM`, `GRU` or `RNN`, or one of their cells; see `graphOfStateDict` for the graph, and for others. */
export const torch: FormatReader = takingOptions({
  name: 'PyTorch',
  options: ['unbatched', 'key', 'batchFirst', 'timeMajor'],
  detect: isTorch,
  async read({ bytes, location }, { key, ...layout }, budget = new Budget(bytes.length)) {
    const stateDict = readTorchWithin(bytes, key === undefined ? {} : { key }, budget)
    return batchedOrNot(inLayout(graphOfStateDict(stateDict, {
      imports: "import { readTorch } from 'lstm-wasm/torch'",
      lines: [`const tensors = await readTorch(${sourceOf(location)}${key === undefined ? '' : `, { key: ${quote(key)} }`})`],
      inOrder: true,
      otherwise: EXPORT_FROM_PYTORCH,
    }), layout), layout.unbatched)
  },
})
