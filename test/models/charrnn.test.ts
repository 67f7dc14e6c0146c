// A character model trained on Shakespeare's text with TensorFlow 1, made by others: two BasicLSTMCells between an
// embedding and a softmax.
import { expect } from 'vitest'
import type { ModelFiles } from '../../src/formats/reader.ts'
import { readTensorflow1Variables, tensorflow1, tensorflow1StateDict } from '../../src/formats/tf1/reader.ts'
import { dense, embedding, lstm, sequential } from '../../src/layers/index.ts'
import { compile } from '../../src/model/load.ts'
import { quantize } from '../../src/quantization/quantize.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectRejection } from '../expect-error.ts'
import { itWithModels, type ModelFolder } from './model-folder.ts'

/** As good as a model may be called that reads its gates in the right order; in a wrong one it gets more than 6. */
const MOST_NATS = 1.3

/** Coriolanus, act 1, scene 1; Richard III, act 1, scene 1. */
const TEXT = `First Citizen:
Before we proceed any further, hear me speak.

All:
Speak, speak.

First Citizen:
You are all resolved rather to die than to famish?

All:
Resolved. resolved.

First Citizen:
First, you know Caius Marcius is chief enemy to the people.

All:
We know't, we know't.

First Citizen:
Let us kill him, and we'll have corn at our own price.
Is't a verdict?

GLOUCESTER:
Now is the winter of our discontent
Made glorious summer by this sun of York;
And all the clouds that lour'd upon our house
In the deep bosom of the ocean buried.
`

function filesOf({ read }: ModelFolder): ModelFiles {
  return { bytes: read('manifest.json'), name: 'manifest.json', sibling: async (name) => read(name) }
}

/** Rows of the embedding. */
function idsOf(text: string, { json }: ModelFolder): Int32Array {
  const vocabulary = json('vocab.json') as Record<string, number>
  // The published file has lost two letters: whoever cut Python's u'' out of it cut these, too. Their rows are left.
  const rows: Readonly<Record<string, number | undefined>> = { ...vocabulary, u: vocabulary['  '], U: vocabulary[''] }
  return Int32Array.from(text, (character) => {
    const row = rows[character]
    if (row === undefined) throw new Error(`the vocabulary has no ${JSON.stringify(character)}`)
    return row
  })
}

/** Nats a character of the text, each foretold from all those before. */
async function natsOf(models: ModelFolder, forgetBias?: number, isInt8: boolean = false): Promise<number> {
  const cell = (n: number): string => `rnnlm/multi_rnn_cell/cell_${n}/basic_lstm_cell`
  const tensors = tensorflow1StateDict(await readTensorflow1Variables(filesOf(models)), {
    embedding: { embedding: 'embedding' },
    lstm: { lstm: [cell(0), cell(1)] },
    dense: { dense: ['rnnlm/softmax_w', 'rnnlm/softmax_b'] },
    ...(forgetBias !== undefined && { forgetBias }),
  })
  const net = sequential([
    embedding(65, 128), lstm(128, { numLayers: 2, returnSequences: true }), dense(65, { activation: 'softmax' }),
  ]).loadStateDict(tensors)
  using model = isInt8 ? (await quantize(net)).model : await compile(net)
  const ids = idsOf(TEXT, models)
  const { output } = model.run({ input: new NdArray(ids, [1, ids.length]) })
  let nats = 0
  for (let n = 1; n < ids.length; n++) nats -= Math.log(output?.data[(n - 1) * 65 + (ids[n] as number)] as number)
  return nats / (ids.length - 1)
}

itWithModels('charrnn-shakespeare', `a char-RNN foretells Shakespeare's text at ${MOST_NATS} nats a character at most`, async (models) => {
  const nats = await natsOf(models)
  expect(nats).toBeGreaterThan(0.9)
  expect(nats).toBeLessThan(MOST_NATS)
  // With weights of 8 bits it is as good.
  expect(Math.abs(await natsOf(models, undefined, true) - nats)).toBeLessThan(0.003)
  // The forget bias is not in the file, and it matters.
  expect(await natsOf(models, 0)).toBeGreaterThan(nats + 0.1)
})

itWithModels('charrnn-shakespeare', 'a char-RNN is refused by the reader alone, with lines that load it', async (models) => {
  const { message } = await expectRejection(tensorflow1.read(filesOf(models), {}), 'UNSUPPORTED', /^this file holds variables of TensorFlow 1/)
  expect(message).toContain('  embedding float32 [65, 128]\n')
  expect(message.split('\n').slice(-15)).toEqual([
    "  import { dense, embedding, lstm, sequential } from 'lstm-wasm/layers'",
    "  import { readTensorflow1Variables, tensorflow1StateDict } from 'lstm-wasm/tensorflow1'",
    '  const variables = await readTensorflow1Variables(bytes)',
    '  const tensors = tensorflow1StateDict(variables, {',
    "    embedding: { embedding: 'embedding' },",
    "    lstm: { lstm: ['rnnlm/multi_rnn_cell/cell_0/basic_lstm_cell', 'rnnlm/multi_rnn_cell/cell_1/basic_lstm_cell'] },",
    "    dense: { dense: ['rnnlm/softmax_w', 'rnnlm/softmax_b'] },",
    '  })',
    '  // Activations, dropout and other functions without weights are not in the file: add those that the model has.',
    '  const net = sequential([',
    "    embedding(65, 128, { name: 'embedding' }),",
    "    lstm(128, { name: 'lstm', numLayers: 2, returnSequences: true }), // returnSequences: false gives the last step only",
    "    dense(65, { name: 'dense' }),",
    '  ]).loadStateDict(tensors)',
    '  const model = await compile(net)',
  ])
})
