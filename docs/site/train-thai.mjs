// Trains the divider of Thai words on the playground's shelf, with our own trainer: for each character, whether a word begins, goes on or ends there.
//
//     pip download --no-deps pythainlp==5.4.0 && unzip -j pythainlp-5.4.0-*.whl pythainlp/corpus/tnc_freq.txt
//     npm run build && node docs/site/train-thai.mjs tnc_freq.txt docs/site/models
//
// tnc_freq.txt is PyThaiNLP's list of words and of how often each is used (Thai National Corpus), in the public domain (CC0 1.0). Words are drawn by that and
// put one after the other: no sentences, so the model knows words, and not which follow each other. Writes thai.safetensors; the same seed gives the same file
// on the `simd` binary.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createRuntime } from '../../dist/index.js'
import { dense, embedding, input, lstm, sequential } from '../../dist/layers.js'
import { adam, cosineDecay, createTrainer } from '../../dist/training.js'
import { seeded } from '../../examples/charrnn/generate.mjs'
import { labelsOfWords, WORD_LABELS } from '../playground/values.mjs'
import { THAI } from './shelf.mjs'

const [WIDTH, UNITS] = [16, 24]
const [TIMESTEPS, ROWS, STEPS] = [32, 64, 3000]
/** How much rarer words than they are in use are drawn: 1 is as in use, 0 all alike. */
const EVENNESS = 0.7
const LEAST_USES = 5

/** Words of Thai characters alone, and the sum of their shares up to each. */
async function readWords(file) {
  const lines = (await readFile(file, 'utf8')).trim().split('\n').map((line) => line.split('\t'))
  const words = lines.filter(([word, uses]) => Number(uses) >= LEAST_USES && [...word].every((character) => THAI.includes(character)))
  let sum = 0
  return { words: words.map(([word]) => word), sums: words.map(([, uses]) => (sum += Number(uses) ** EVENNESS)) }
}

/** Strings of words: numbers of characters and of labels, [rows, timesteps]. The last word may be cut. */
function drawBatch({ words, sums }, random, rows) {
  const draw = () => {
    const wanted = random() * sums.at(-1)
    let [low, high] = [0, sums.length - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (sums[middle] < wanted) low = middle + 1
      else high = middle
    }
    return words[low]
  }
  const [x, y] = [new Int32Array(rows * TIMESTEPS), new Int32Array(rows * TIMESTEPS)]
  for (let row = 0; row < rows; row++) {
    let text = draw()
    while (text.length < 2 * TIMESTEPS) text += ` ${draw()}`
    y.set(labelsOfWords(text).slice(0, TIMESTEPS), row * TIMESTEPS)
    x.set([...text.replaceAll(' ', '')].slice(0, TIMESTEPS).map((character) => THAI.indexOf(character)), row * TIMESTEPS)
  }
  const array = (data) => ({ dtype: 'int32', shape: [rows, TIMESTEPS], data })
  return { x: array(x), y: array(y) }
}

const [file, folder] = process.argv.slice(2)
const vocabulary = await readWords(file)
const runtime = await createRuntime({ variant: 'simd' })
const net = sequential([
  input(['timesteps'], { dtype: 'int32' }), embedding(THAI.length, WIDTH, { name: 'embed' }),
  lstm(UNITS, { name: 'lstm', bidirectional: true, returnSequences: true }), dense(WORD_LABELS.length, { name: 'fc', activation: 'softmax' }),
])
const trainer = await createTrainer(net, {
  loss: 'sparseCategoricalCrossentropy', optimizer: adam({ learningRate: cosineDecay(0.01, { steps: STEPS }), globalClipNorm: 1 }), metrics: ['accuracy'], seed: 1, runtime,
})
const random = seeded(1)
for (let step = 0; step < STEPS; step++) {
  const { x, y } = drawBatch(vocabulary, random, ROWS)
  const { loss, accuracy } = trainer.trainOnBatch(x, y)
  if (step % 500 === 0) console.log(step, loss.toFixed(4), accuracy.toFixed(4))
}
const unseen = drawBatch(vocabulary, seeded(2), 2000)
console.log(`${vocabulary.words.length} words; of strings that it has not seen:`, await trainer.evaluate(unseen.x, unseen.y))
const model = await trainer.model()
await writeFile(join(folder, 'thai.safetensors'), model.save())
