// npm run bench:quantization
import { writeFile } from 'node:fs/promises'
import { runCommand } from './command.ts'
import { parseFlags } from './flags.ts'
import { ROOT } from './places.ts'
import { openDrawing } from './report/drawing.ts'
import { drawQuantization, type QuantizedSize } from './report/quantization-chart.ts'

const OPTIONS = { help: { type: 'boolean', short: 'h' } } as const
const HELP = `Size and error of the digits models with weights of 32, 16 and 8 bits, on 1,000 images; draws docs/benchmark/quantization.svg.

  npm run bench:quantization`

const UNITS = [8, 16, 32, 64, 128]
const IMAGES = 1000
const PIXELS = 784

await runCommand('bench:quantization', async (args) => {
  if (parseFlags(args, OPTIONS).help) {
    console.log(HELP)
    return 0
  }
  const [{ load }, { quantize }] = await Promise.all([import('lstm-wasm'), import('lstm-wasm/quantization')])
  const { readTestImages } = await import(new URL('examples/digits/mnist.mjs', ROOT).href) as { readTestImages: () => Promise<{ pixels: Float32Array }> }
  const { pixels } = await readTestImages()
  const data = { rows: pixels.subarray(0, IMAGES * PIXELS) }
  const points: QuantizedSize[] = []
  for (const units of UNITS) {
    const whole = await load(new URL(`examples/digits/models/digits-${units}.safetensors`, ROOT))
    points.push({ units, dtype: 'float32', bytes: whole.save().length, error: 0 })
    for (const dtype of ['float16', 'int8'] as const) {
      const { model, report } = await quantize(whole, { dtype, data })
      points.push({ units, dtype, bytes: model.save().length, error: report.change?.probs?.relative ?? NaN })
      model.dispose()
    }
    whole.dispose()
  }
  for (const { units, dtype, bytes, error } of points) console.log(`${units} units, ${dtype}: ${bytes} bytes, ${(100 * error).toPrecision(2)} % of the output`)
  await writeFile(new URL('docs/benchmark/quantization.svg', ROOT), drawQuantization(await openDrawing(), points))
  return 0
})
