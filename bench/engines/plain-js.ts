// The LSTM in plain JavaScript of plain-lstm.ts.
import { draw, generated } from '../generation.ts'
import { outputSizeOf } from '../network.ts'
import type { Engine } from './engine.ts'

export const plainJs: Engine = {
  name: 'plain-js',
  variants: ['float32'],
  settings: 'typed arrays, four gates a pass, nothing allocated in the loop',
  packages: [],
  supports: ({ file, layers }) => file === undefined && layers.every(({ kind }) => kind !== 'gru'),
  available: async () => undefined,
  async create({ layers, tensors, inputs, mode, batch, timesteps, chances }) {
    const { stageOf } = await import('./plain-lstm.ts')
    const stages = layers.map((layer) => stageOf(layer, tensors, batch, mode === 'generate' ? 1 : timesteps))
    const runAll = (x: Float32Array | Int32Array) => stages.reduce((values, stage) => stage.run(values), x)
    const reset = () => stages.forEach((stage) => stage.reset())
    let output = new Float32Array(0)
    if (mode === 'generate') {
      const token = new Int32Array(1)
      const tokens = new Int32Array(chances.length)
      return {
        async: false,
        run() {
          reset()
          token[0] = 0
          for (let n = 0; n < chances.length; n++) {
            output = runAll(token) as Float32Array<ArrayBuffer>
            token[0] = tokens[n] = draw(output, chances[n])
          }
        },
        output: () => generated(tokens, output.subarray(0, outputSizeOf(layers))),
        dispose: () => undefined,
      }
    }
    let call = 0
    return {
      async: false,
      run() {
        if (mode === 'sequence') reset()
        output = runAll(inputs[call]) as Float32Array<ArrayBuffer>
        call = call + 1 === inputs.length ? 0 : call + 1
      },
      output: () => output,
      dispose: () => undefined,
    }
  },
}
