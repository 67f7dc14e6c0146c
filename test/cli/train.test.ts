import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Graph } from '../../src/graph/graph.ts'
import { compile, load } from '../../src/index.ts'
import { dense, input, lstm, sequential } from '../../src/layers/index.ts'
import type { GraphNode } from '../../src/ops/graph-data.ts'
import { createTrainer, resumeTrainer } from '../../src/training/index.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { plot } from '../../src/cli/train/train-plot.ts'
import { lstmWasm } from './in-process.ts'

const FILES = ['waves.json', 'waves-x.csv', 'waves-y.csv']
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lstm-wasm-train-'))
  for (const file of FILES) copyFileSync(fileURLToPath(new URL(`../../examples/train/${file}`, import.meta.url)), join(folder, file))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** Writes the configuration with other settings. */
function configure(changes: Readonly<Record<string, unknown>>): void {
  const config = JSON.parse(readFileSync(join(folder, 'waves.json'), 'utf8')) as Record<string, unknown>
  writeFileSync(join(folder, 'waves.json'), JSON.stringify({ ...config, ...changes }))
}

describe('lstm-wasm train', () => {
  it('trains the example: tells each epoch, draws the curves, writes a model and a checkpoint', async () => {
    const { code, stdout, stderr } = await lstmWasm(folder, ['train', 'waves.json'])
    expect([code, stderr]).toEqual([0, ''])
    const lines = stdout.split('\n')
    expect(lines[0]).toMatch(/^epoch 1\/40: loss \d\.\d{4}, accuracy 0\.\d{4}, valLoss \d\.\d{4}, valAccuracy 0\.\d{4}$/)
    expect(Number(/valAccuracy (\S+)$/.exec(lines[39] as string)?.[1])).toBeGreaterThan(0.85)
    expect(stdout).toContain('loss: * training, o validation\n')
    expect(stdout).toMatch(/ \|\*+ *o?/)
    expect(stdout).toMatch(/waves\.safetensors: [\d,]+ bytes\n$/)
    const rows = readFileSync(join(folder, 'waves-x.csv'), 'utf8').trim().split('\n').slice(192)
    const x = new NdArray(Float32Array.from(rows.flatMap((row) => row.split(',').map(Number))), [48, 24, 1])
    const model = await load(join(folder, 'waves.safetensors'))
    const { output } = model.run(x)
    const trainer = await resumeTrainer(readFileSync(join(folder, 'waves.checkpoint.safetensors')))
    const predicted = (await trainer.predict(x)).output as NdArray
    predicted.data.forEach((value, n) => expect(Math.abs(value - (output?.data[n] as number))).toBeLessThan(1e-6))
    expect([trainer.epoch, trainer.steps]).toEqual([40, 480])
    trainer.dispose()
    model.dispose()
  })

  it('stops by Ctrl-C, and writes the model and the checkpoint as they are then', async () => {
    configure({ epochs: 100_000 })
    const stopped = lstmWasm(folder, ['train', 'waves.json'])
    const timer = setInterval(() => process.stdout.write('') && process.listenerCount('SIGINT') > 0 && process.emit('SIGINT'), 100)
    const { code, stdout, stderr } = await stopped.finally(() => clearInterval(timer))
    expect([code, stdout]).toEqual([130, expect.stringMatching(/^epoch 1\/100000: /)])
    expect(stderr).toMatch(/^waves\.safetensors: [\d,]+ bytes, after [\d,]+ steps; the same command with --resume goes on\nlstm-wasm: stopped\n$/)
    const resumed = await resumeTrainer(readFileSync(join(folder, 'waves.checkpoint.safetensors')))
    expect(resumed.steps).toBe(Number(/after ([\d,]+)/.exec(stderr)?.[1]?.replaceAll(',', '')))
    resumed.dispose()
    expect((await load(join(folder, 'waves.safetensors'))).inputs[0]?.shape).toEqual(['batch', 24, 1])
  })

  it('goes on from the checkpoint, and comes to what it would have come to without a break', async () => {
    configure({ epochs: 4, optimizer: 'adam', earlyStopping: undefined, reduceOnPlateau: undefined })
    const whole = await lstmWasm(folder, ['train', 'waves.json'])
    const files = ['waves.safetensors', 'waves.checkpoint.safetensors'].map((name) => readFileSync(join(folder, name)))
    configure({ epochs: 3 })
    await lstmWasm(folder, ['train', 'waves.json'])
    configure({ epochs: 4 })
    const { code, stdout, stderr } = await lstmWasm(folder, ['train', 'waves.json', '--resume'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout.split('\n')[0]).toBe(whole.stdout.split('\n')[3])
    expect(['waves.safetensors', 'waves.checkpoint.safetensors'].map((name) => readFileSync(join(folder, name)))).toEqual(files)
    expect(await lstmWasm(folder, ['train', 'waves.json', '--resume'])).toEqual({
      code: 0, stdout: 'waves.checkpoint.safetensors: 4 of 4 epochs are over; with more "epochs" in waves.json it goes on\n', stderr: '',
    })
    configure({ checkpoint: undefined })
    expect(await lstmWasm(folder, ['train', 'waves.json', '--resume'])).toMatchObject({ code: 2, stderr: expect.stringContaining('has no "checkpoint"') as string })
    configure({ checkpoint: 'none.safetensors' })
    expect(await lstmWasm(folder, ['train', 'waves.json', '--resume'])).toMatchObject({ code: 1, stderr: expect.stringContaining('no such file') as string })
  })

  it('says what is wrong in the file, and writes nothing', async () => {
    const cases: [changes: Readonly<Record<string, unknown>>, message: RegExp][] = [
      [{ layer: [] }, /^lstm-wasm: waves\.json: no setting 'layer' \(did you mean 'layers'\?\)/],
      [{ layers: [{ layer: 'lstn', units: 3 }] }, /^lstm-wasm: waves\.json: layers\[0\]: expected a "layer" of lstm, gru, .*, got "lstn"/],
      [{ layers: [{ layer: 'lstm', unit: 3 }] }, /^lstm-wasm: lstm: no option 'unit' \(did you mean 'units'\?\)/],
      [{ loss: 'mean' }, /^lstm-wasm: loss: expected one of/],
      [{ loss: 'meanSquaredError' }, /^lstm-wasm: metrics: 'accuracy' does not go with the loss meanSquaredError/],
      [{ optimizer: { optimizer: 'adam', rate: 1 } }, /^lstm-wasm: adam: no option 'rate'/],
      [{ data: { x: 'waves-x.csv' } }, /^lstm-wasm: waves\.json: data: expected \{ "x": FILE, "y": FILE \}/],
      [{ data: { x: 'none.csv', y: 'waves-y.csv' } }, /^lstm-wasm: cannot read ".*none\.csv": no such file/],
      [{ data: { x: 'waves-y.csv', y: 'waves-y.csv' } }, /^lstm-wasm: /],
      [{ model: 'none/model.safetensors' }, /^lstm-wasm: cannot write '.*none.model\.safetensors': no such folder\n$/],
      [{ checkpoint: '.safetensors' }, /^lstm-wasm: cannot write '.*\.safetensors': it is a folder\n$/],
      [{ layers: [{ layer: 'lstm', timemajor: true }] }, /^lstm-wasm: lstm: no option 'timemajor' \(did you mean 'timeMajor'\?\); options are .*\btimeMajor\b(?!.*--time)/],
      [{ model: 'model.onnx' }, /^lstm-wasm: waves\.json: model: expected the name of a file to write that ends in \.safetensors/],
      [{ layers: [{ layer: 'lstm', units: 4 }, { layer: 'dense', units: 2 }] }, /^lstm-wasm: fit: targets: expected classes from 0 to 1, got 2 in row 2/],
    ]
    mkdirSync(join(folder, '.safetensors'))
    const text = readFileSync(join(folder, 'waves.json'), 'utf8')
    for (const [changes, message] of cases) {
      writeFileSync(join(folder, 'waves.json'), text)
      configure({ epochs: 1, ...changes })
      const { code, stdout, stderr } = await lstmWasm(folder, ['train', 'waves.json'])
      expect([code, stdout, message.test(stderr) || stderr]).toEqual([1, '', true])
    }
    writeFileSync(join(folder, 'waves.json'), 'what\never')
    expect((await lstmWasm(folder, ['train', 'waves.json'])).stderr).toMatch(/^lstm-wasm: waves\.json: not JSON: [^(]*\n$/)
    writeFileSync(join(folder, 'waves.json'), '{')
    expect((await lstmWasm(folder, ['train', 'waves.json'])).stderr).toMatch(/^lstm-wasm: waves\.json: not JSON: /)
    expect((await lstmWasm(folder, ['train'])).code).toBe(2)
    expect(() => readFileSync(join(folder, 'waves.safetensors'))).toThrow()
  })
})

describe('a model from a file', () => {
  /** 6 features -> 4 units -> two outputs, saved. */
  async function save(): Promise<void> {
    const net = sequential([input([5, 6]), lstm(4, { name: 'core' }), dense(3, { name: 'kind' })])
    const trainer = await createTrainer(net, { loss: 'mse' })
    const graph = trainer.engine.toGraph()
    const model = await compile({ ...graph, outputs: [...graph.outputs, { name: 'hidden', value: (graph.nodes[0] as GraphNode).outputs[0] as string }] })
    writeFileSync(join(folder, 'two.safetensors'), model.save())
    model.dispose()
    trainer.dispose()
    const numbers = (rows: number, width: number, f: (n: number) => number): string => (
      Array.from({ length: rows }, (_, row) => Array.from({ length: width }, (_, n) => f(row * width + n)).join(',')).join('\n')
    )
    writeFileSync(join(folder, 'x.csv'), numbers(21, 30, (n) => Math.sin(n * n)))
    writeFileSync(join(folder, 'kind.csv'), numbers(21, 1, (n) => n % 3))
    writeFileSync(join(folder, 'hidden.csv'), numbers(21, 4, (n) => Math.sin(n) / 2))
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  }
  const config = {
    from: 'two.safetensors', freeze: ['core'], data: { x: { input: 'x.csv' }, y: { output: 'kind.csv', hidden: 'hidden.csv' } },
    loss: { output: 'sparseCategoricalCrossentropy', hidden: 'mse' }, lossWeights: { hidden: 0.25 }, epochs: 2, model: 'out.safetensors',
  }

  it('goes on learning: several losses with weights, targets by name, a layer that stays as it is', async () => {
    await save()
    const { code, stdout, stderr } = await lstmWasm(folder, ['train', 'config.json'])
    expect([code, stderr]).toEqual([0, ''])
    const [, loss, kind, hidden] = /^epoch 1\/2: loss (\S+), output_loss (\S+), hidden_loss (\S+)$/m.exec(stdout)?.map(Number) ?? []
    expect(loss).toBeCloseTo((kind as number) + 0.25 * (hidden as number), 3)
    const [before, after] = await Promise.all(['two', 'out'].map(async (name) => (await load(join(folder, `${name}.safetensors`))).toGraph().constants))
    const changed = [...(before as Graph['constants']).keys()].filter((name) => String(before?.get(name)?.data) !== String(after?.get(name)?.data))
    expect(changed.sort()).toEqual(['kind.bias', 'kind.weight'])
  })

  it('is told from layers, and its data from files that are none', async () => {
    await save()
    const cases: [changes: object, message: string][] = [
      [{ layers: [{ layer: 'lstm', units: 2 }] }, "config.json: 'layers' goes with layers, and a model is given by \"from\""],
      [{ initializers: 'pytorch' }, "config.json: 'initializers' goes with layers, and a model is given by \"from\""],
      [{ from: 3 }, 'config.json: from: expected the name of a model file'],
      [{ freeze: ['cores'] }, "freeze: no layer or weight 'cores' that learns"],
      [{ data: { x: 'x.csv', y: { output: 3 } } }, 'config.json: data: expected { "x": FILE, "y": FILE }, or files by the names of inputs and outputs'],
      [{ data: { ...config.data, validation: { x: 'x.csv' } } }, 'config.json: data.validation: expected { "x": FILE, "y": FILE }'],
      [{ data: { x: 'x.csv', y: { kinds: 'kind.csv' } } }, 'fit: '],
    ]
    for (const [changes, message] of cases) {
      writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, ...changes }))
      const { code, stderr } = await lstmWasm(folder, ['train', 'config.json'])
      expect([code, stderr.startsWith(`lstm-wasm: ${message}`) || stderr]).toEqual([1, true])
    }
  })
})

describe('the chart', () => {
  it('has the curves from the first epoch to the last, and the largest and least number beside', () => {
    const text = plot('loss', { training: [4, 3, 2, 1, 0], validation: [4, 3.5, 3, 3, 3] })
    const lines = text.split('\n')
    expect(lines[0]).toBe('loss: * training, o validation')
    expect(lines[1]).toBe('    4.000 |@')
    expect(lines[12]).toBe('    0.000 |    *')
    expect(lines[13]).toBe('          +----- 5 epochs')
    expect(plot('x', { training: [1] }).split('\n')).toHaveLength(14)
    expect(plot('x', { training: [NaN] })).toBe('')
  })
})
