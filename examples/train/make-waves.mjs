// Makes waves-x.csv and waves-y.csv: 240 sounds of 24 samples with some noise, and which kind each is: 0 sine, 1 square, 2 sawtooth.
import { writeFileSync } from 'node:fs'

let state = 1
/** In [0, 1): the generator of Park and Miller. */
const random = () => {
  state = state * 48271 % 2147483647
  return state / 2147483647
}

const KINDS = [(t) => Math.sin(2 * Math.PI * t), (t) => (t < 0.5 ? 0.8 : -0.8), (t) => 1.6 * t - 0.8]
const rows = Array.from({ length: 240 }, (_, row) => {
  const [cycles, phase] = [1.5 + 1.5 * random(), random()]
  const samples = Array.from({ length: 24 }, (_, n) => KINDS[row % 3]((phase + cycles * n / 24) % 1) + 0.2 * (random() - 0.5))
  return samples.map((sample) => sample.toFixed(2)).join(',')
})
writeFileSync(new URL('waves-x.csv', import.meta.url), `${rows.join('\n')}\n`)
writeFileSync(new URL('waves-y.csv', import.meta.url), `${rows.map((_, row) => row % 3).join('\n')}\n`)
