// The models that ship with the site's playground: files that are in the site already, for the home page and the examples.
import { WORD_LABELS } from '../playground/values.mjs'

/** Characters that the divider of Thai words knows, in the order of their numbers: consonants, vowels, tones, digits. */
export const THAI = Array.from({ length: 0x5c }, (_, n) => String.fromCodePoint(0xe00 + n)).filter((character) => /\p{Script=Thai}/u.test(character)).join('')

/** Paths are those of the site, seen from playground/. */
export const SHELF = [
  {
    title: 'Digits', about: 'reads an image row by row', file: '../examples/digits.safetensors', inputs: { rows: { file: '../examples/digits.npy', rows: 1 } }, open: true,
  },
  {
    title: 'Moby-Dick', about: 'writes letter by letter', file: '../examples/charrnn/moby-dick.safetensors', text: 'Call me Ishmael. Some years ago',
    lines: `import { compile } from 'lstm-wasm'
import { dense, embedding, lstm, sequential } from 'lstm-wasm/layers'
import { readSafetensors } from 'lstm-wasm/safetensors'
const { tensors } = await readSafetensors(bytes)
const net = sequential([
  embedding(74, 32, { name: 'embed' }),
  lstm(256, { name: 'lstm', returnSequences: true }),
  dense(74, { name: 'fc', activation: 'softmax' }),
]).loadStateDict(tensors)
const model = await compile(net)`,
  },
  { title: 'Guitar amplifier', about: 'a sample in, a sample out', file: '../examples/amp/valve.safetensors' },
  {
    title: 'Silero VAD', about: 'hears who speaks', file: '../node_modules/@ricky0123/vad-web/dist/silero_vad_v5.onnx', options: { constants: { sr: 16000 } },
    sizes: { 'input.1': 576 },
  },
  {
    title: 'Forecast', about: 'the load of the next hour', file: 'models/forecast.safetensors', inputs: { input: { file: 'models/forecast.npy', rows: 1 } },
    lines: `import { compile } from 'lstm-wasm'
import { dense, lstm, sequential } from 'lstm-wasm/layers'
import { readSafetensors } from 'lstm-wasm/safetensors'
const { tensors } = await readSafetensors(bytes)
const net = sequential([
  lstm(24, { name: 'lstm', returnSequences: true }),
  dense(1, { name: 'fc' }),
]).loadStateDict(tensors)
const model = await compile(net)`,
  },
  {
    title: 'Thai words', about: 'where each word begins', file: 'models/thai.safetensors', text: 'วันนี้อากาศดีมากเราไปเดินเล่นที่สวนกันไหม', vocabulary: THAI, classes: WORD_LABELS,
  },
]
