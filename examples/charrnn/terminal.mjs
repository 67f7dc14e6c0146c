// Writes like Moby-Dick: node examples/charrnn/terminal.mjs [--prompt TEXT] [--temperature 0.7] [--length 800] [--seed N]
import { readFile } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { generate, seeded } from './generate.mjs'
import { makeModel } from './model.mjs'

const { prompt, temperature, length, seed } = readOptions()
const { model, characters } = await makeModel(await readFile(new URL('moby-dick.safetensors', import.meta.url)))
const width = Math.min(process.stdout.columns ?? 80, 100)

process.stdout.write(prompt)
let line = prompt // what is on the last line so far
let written = 0
let milliseconds = 0
const writer = generate({ model, characters }, { prompt, temperature, random: seeded(seed) })
while (written < length) {
  const begin = performance.now()
  const { value } = writer.next()
  milliseconds += performance.now() - begin
  write(value)
  // So that characters are seen as they come, and Ctrl-C is heard.
  if (++written % 8 === 0) await setImmediate()
}
writer.return()
console.log(`\n\n${length} characters, ${Math.round(length / milliseconds * 1000).toLocaleString('en')} a second `
  + `(${(milliseconds * 1000 / length).toFixed(0)} us each); temperature ${temperature}, seed ${seed}`)

/** Breaks lines between words: at a space that the next word may not fit behind. */
function write(character) {
  const isBreak = character === ' ' && line.length > width - 14
  process.stdout.write(isBreak ? '\n' : character === '\n' ? '\n\n' : character)
  line = isBreak || character === '\n' ? '' : line + character
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        prompt: { type: 'string', default: 'Call me ' },
        temperature: { type: 'string', default: '0.7' },
        length: { type: 'string', default: '800' },
        seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      },
    })
    const options = { prompt: values.prompt, temperature: Number(values.temperature), length: Number(values.length), seed: Number(values.seed) }
    if (!(options.temperature >= 0)) throw new Error(`--temperature: expected a number from 0 on, got '${values.temperature}'`)
    if (!(options.length >= 1)) throw new Error(`--length: expected a number of characters, got '${values.length}'`)
    if (!Number.isInteger(options.seed)) throw new Error(`--seed: expected a whole number, got '${values.seed}'`)
    return options
  } catch (error) {
    console.error(error.message)
    process.exit(1)
  }
}
