// Whole models of PyTorch (pickled, TorchScript, torch.export) against the outputs of the modules: test/python/golden_torch_programs.py, and
// golden_torch_exported.py for versions before 2.8.
import { readFile } from 'node:fs/promises'
import { strToU8, unzipSync, zipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import type { Graph } from '../../src/graph/graph.ts'
import { onlyBytes } from '../../src/formats/reader.ts'
import { readSafetensors } from '../../src/formats/safetensors/safetensors.ts'
import { readTorch, torch } from '../../src/formats/torch/reader.ts'
import { compile } from '../../src/model/load.ts'
import type { NdArray } from '../../src/values/ndarray.ts'
import { expectError, expectRejection } from '../expect-error.ts'
import { checkOutput } from '../golden-outputs.ts'
import { describeBinaries, runtimeOf } from '../variants.ts'

interface Case {
  readonly name: string
  readonly file: string
  readonly options: { readonly module: string, readonly save: string }
  readonly inputs: Readonly<Record<string, unknown>>
  readonly outputs: Readonly<Record<string, unknown>>
}

const folder = new URL('../golden/torch-programs/', import.meta.url)
const older = new URL('../golden/torch-exported/', import.meta.url)
const casesOf = async (from: URL): Promise<Case[]> => (JSON.parse(await readFile(new URL('cases.json', from), 'utf8')) as { cases: Case[] }).cases
const arraysOf = async (from: URL): Promise<ReadonlyMap<string, NdArray>> => readSafetensors(await readFile(new URL('cases.safetensors', from))).tensors

const [cases, olderCases] = await Promise.all([folder, older].map(casesOf)) as [Case[], Case[]]

describeBinaries('whole models of PyTorch', (binary) => {
  describe.each([['', folder, cases], ['before 2.8', older, olderCases]] as const)('%s', async (_when, from, list) => {
    const arrays = await arraysOf(from)
    it.each(list.map((entry) => [entry.name, entry] as const))('%s', async (_, { name, file, inputs, outputs }) => {
      const bytes = await readFile(new URL(file, from))
      expect(torch.detect(bytes)).toBe(true)
      using model = await compile(await torch.read(onlyBytes(bytes), {}), { runtime: await runtimeOf(binary) })
      const given = Object.keys(inputs).map((input, n) => [model.inputs[n]?.name, arrays.get(`${name}/in/${input}`)] as const)
      const results = Object.values(model.run(Object.fromEntries(given) as Record<string, NdArray>))
      expect(results).toHaveLength(Object.keys(outputs).length)
      Object.keys(outputs).forEach((output, n) => checkOutput(arrays, name, output, results[n]))
    })
  })
})

describe('what is in whole models', () => {
  it.each(cases.map((entry) => [entry.name, entry] as const))('readTorch has the tensors of %s', async (_, { file, options }) => {
    const names = [...readTorch(await readFile(new URL(file, folder))).keys()].sort()
    const [whole] = cases.filter((entry) => entry.options.module === options.module)
    const same = [...readTorch(await readFile(new URL((whole as Case).file, folder))).keys()]
    expect(names).toEqual(same.sort())
  })
})

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0))
/** A float32 [2] over storage '0', as protocol 0 has it. */
const TWO = "ctorch._utils\n_rebuild_tensor_v2\n((S'storage'\nctorch\nFloatStorage\nS'0'\nS'cpu'\nI2\ntQI0\n(I2\nt(I1\ntI00\nccollections\nOrderedDict\n)RtR"
const MODULE = `c__torch__\nNet\n)\x81(dS'w'\n${TWO}sb.`

/** A TorchScript archive of one module with a tensor `w` [2], whose `forward(self, x)` has this body. */
function script(body: string, pickle: string = MODULE): Uint8Array {
  const code = `class Net(Module):\n  __parameters__ = ["w", ]\n  w : Tensor\n  def forward(self: __torch__.Net,\n    x: Tensor) -> Tensor:\n${body}`
  return zipSync({ 'x/data.pkl': bytesOf(pickle), 'x/data/0': new Uint8Array(8), 'x/code/__torch__.py': strToU8(code) })
}

const read = (bytes: Uint8Array, options: object = {}): Promise<unknown> => torch.read(onlyBytes(bytes), options)

/** What is done with y, [..., 2], and why it is not followed. */
const NORMALISED: readonly (readonly [call: string, why: string])[] = [
  ['torch.select(y, 1, y)', 'has a size that is computed'], ['torch.select(y, 1, 0.5)', 'has a size that is computed'],
  ['torch.softmax(y, 7)', 'has an axis 7 of 2'], ['torch.softmax(y, -3)', 'has an axis -3 of 2'],
  ['torch.lstm(y, y, y, True, 1, 0., False, False, True)', 'has a packed sequence'], ['torch.lstm(y, y, [self.w], True, 1, 0., False, False)', 'has a packed sequence'],
  ['torch.lstm(y, [], [self.w], True, 1, 0.5, True, False, True)', 'was saved in training mode (model.eval() is missing)'],
  ['torch.gru(y, None, [self.w, self.w], True, 1, 0., False, False, True)', 'has 2 weights of gru, where 4 are expected'],
  ['torch.add(y, y, alpha=2)', 'has torch.add with alpha or a rounding mode'], ['torch.sub(y, y, 2)', 'has torch.sub with alpha or a rounding mode'],
  ['torch.div(y, y, rounding_mode="floor")', 'has torch.div with alpha or a rounding mode'],
  ['torch.convolution(y, self.w, None, [1], [0], [1], True, [0], 1)', 'has a transposed convolution'],
  ['torch.conv1d(y, self.w, None, [1], "circular", [1], 1)', 'has the padding circular'], ['torch.conv1d(y, self.w, None, [1, 2])', 'has a size that is computed'],
  ['torch.batch_norm(y, self.w, None, None, None, False, 0.1, 1.0e-05, True)', 'has a batch normalisation by the batch it is given'],
  ['torch.batch_norm(y, None, None, self.w, self.w, True, 0.1, 1.0e-05, True)', 'has a batch normalisation by the batch it is given'],
  ['torch.flatten(y, 0)', 'flattens other axes than all behind the batch'], ['torch.linear(y, y)', 'has weights that are computed'],
  ['torch.chunk(y, 3, 1)', 'has torch.chunk of an axis of 2, which 3 parts do not share evenly'], ['torch.chunk(y, y)', 'has torch.chunk with a number of parts that is not read'],
  ['torch.view(y, [-1, y])', 'has torch.view with a size that is computed'], ['torch.view(y, [0, 2])', 'has torch.view to no elements'],
  ['torch.pad(y, [1, 1], "symmetric")', 'has torch.pad with the mode symmetric'], ['torch.avg_pool1d(y, [2])', 'has torch.avg_pool1d of what has no batch'],
  ['torch.adaptive_avg_pool1d(y, [3])', 'has torch.adaptive_avg_pool1d to several parts'],
  ['torch.group_norm(y, 3)', 'has a normalisation of groups of an unknown number of channels'],
  ['torch.zeros([y])', 'has torch.zeros with a size that is computed'], ['torch.zeros([])', 'has torch.zeros without a shape'],
  ['(self.w).weight', 'has .weight of no module'], ['[y][3]', 'has an index that is not read'], ['[y]["a"]', 'has an index that is not read'],
  ['f(y)(y)', 'calls what is no name'], ['torch.tanh(self)', 'gives a module or a function as an argument'], ['math.exp(y)', 'has the name math'],
  ['torch.tanh(torch.split(y, 1))', 'gives a list as an argument whose length is not known'], ['(torch.split(y, [1, 1], 1))[2]', 'takes part 2 of 2'],
  ['(torch.split(y, y))[0]', 'has parts whose sizes are computed'], ['(torch.unbind(y))[-1]', 'has an index that is not read'], ['torch.max(y, 5)', 'has an axis 5 of 2'],
  ['torch.var(y, 0)', 'has torch.var of an unknown number of elements, which it divides by less 1'], ['torch.expand(y, [y, 2])', 'has torch.expand with a size that is computed'],
  ['torch._weight_norm(y, self.w, 0)', 'has weights that are computed'], ['torch._weight_norm(self.w, self.w, 5)', 'has a weight_norm along an axis that is not read'],
  ['torch.mul(y, torch._weight_norm(self.w, self.w, -1))', "has 2 lengths of 1 in 'w'"],
  ['__torch__.torch.nn.utils.rnn.pack_padded_sequence(y, y, True)', 'calls torch.nn.utils.rnn.pack_padded_sequence'],
]

describe('programs that are not followed', () => {
  it.each([
    ['    if torch.gt(x, 0):\n      y = x\n    return x\n', "decides by 'if'"],
    ['    y = torch.sort(x)\n    return torch.layer_norm(y, [2], self.w, None, 1.0e-05)\n', "does not tell the shape of its input 'x'"],
    ['    y = torch.layer_norm(x, [2], self.w, None, 1.0e-05)\n    return torch.cumsum(y, 1)\n', 'calls torch.cumsum'],
    ['    return (self).forward(x, )\n', 'calls modules that are too deep in one another'],
    [`    return ${'('.repeat(5000)}x${')'.repeat(5000)}\n`, 'has expressions that are too deep'],
    ['    return (x).size(0)\n', 'calls .size'],
    ['    y = x + 1\n    return y\n', 'has code that is not read: +'],
    ['    return self.v\n', "has no 'v' in ''"],
    ['    return y\n', 'has the name y'],
    ['    return torch.mul(x, CONSTANTS.c3)\n', 'has no tensor CONSTANTS.c3'],
    ['    return 3\n', 'gives no tensor'],
    ['    y = torch.layer_norm(x, [2], self.w, None, 1.0e-05)\n    return torch.leaky_relu(y, negative_slope=0.3)\n', 'calls torch.leaky_relu with negative_slope by name'],
    ['    y, z, = x\n    return y\n', 'takes apart what is no list'],
    ['    y, z, = torch.sort(x)\n    return y\n', 'takes apart what torch.sort gives'],
    ['    y = torch.layer_norm(x, [2], self.w, None, 1.0e-05)\n    return torch.elu(y, 1., 2.)\n', 'has torch.elu with 2'],
    ['    y = torch.layer_norm(x, [2], self.w, None, 1.0e-05)\n    return torch.dropout(y, 0.5, True)\n', 'was saved in training mode (model.eval() is missing)'],
    ['    return torch.layer_norm(x, [3], self.w, None, 1.0e-05)\n', 'is not understood as a graph (layerNormalization'],
    ...NORMALISED.map(([call, why]): [string, string] => [`    y = torch.layer_norm(x, [2], self.w, None, 1.0e-05)\n    return ${call}\n`, why]),
  ])('%j', async (body, why) => {
    await expectRejection(read(script(body)), 'UNSUPPORTED', new RegExp(`^this file is a TorchScript program that ${why.replace(/[().+]/g, '\\$&')}[^]*; no code of a file is run. Its tensors:\n {2}w float32 \\[2\\]\n[^]*torch\\.jit\\.load`))
  })

  it('modules of a class of their own show lines, with what the file says of their parts', async () => {
    const rnn = `ctorch.nn.modules.rnn\nRNN\n)\x81(dS'mode'\nS'RNN_RELU'\nsS'batch_first'\nI00\nsS'_parameters'\n(d${['weight_ih_l0', 'weight_hh_l0'].map((name) => `S'${name}'\n${TWO.replace('(I2\nt(I1\n', '(I1\nI1\nt(I1\nI1\n')}s`).join('')}sS'_modules'\n(dsb`
    const bytes = zipSync({ 'x/data.pkl': bytesOf(`c__main__\nNet\n)\x81(dS'_modules'\n(dS'core'\n${rnn}ssb.`), 'x/data/0': new Uint8Array(8) })
    await expectRejection(read(bytes), 'UNSUPPORTED', new RegExp([
      '^this file is a pickled module that has the class __main__\\.Net, whose order only its Python code knows; no code of a file is run\\.',
      "simpleRnn\\(1, { name: 'core', bias: false, activation: 'relu', returnSequences: true }\\), // batch_first=False there; \\[batch, timesteps, features\\] here",
    ].join('[^]*')))
    await expectRejection(read(await readFile(new URL('stack-whole.pt', folder)), { batchFirst: true }), 'VALUE', /^PyTorch: 'batchFirst' and 'timeMajor' are for bare state dicts/)
  })

  it('sizes that a file says alone take no memory', async () => {
    await expectRejection(read(script('    return torch.layer_norm(x, [100000000], None, None, 1.0e-05)\n')), 'FORMAT', /^torch: a normalisation: a file of \d+ bytes that unpacks to more than/)
    await expectRejection(read(script('    y, z, = torch.gru(x, None, [self.w], False, 100000000, 0., False, False, True)\n    return y\n')), 'UNSUPPORTED', /that has 1 weights of gru for 100000000 layers/)
  })

  it('torch.squeeze() without an axis is said, as it depends on sizes', async () => {
    const notesOf = async (call: string): Promise<unknown> => (
      (await read(script(`    y = torch.layer_norm(x, [2], self.w, None, 1.0e-05)\n    return ${call}\n`)) as Graph).notes ?? []
    )
    expect(await notesOf('torch.squeeze(y)')).toContainEqual(expect.stringMatching(/^torch\.squeeze\(\) takes away axes that have one element/))
    expect(await notesOf('torch.squeeze(y, 1)')).not.toContainEqual(expect.stringContaining('squeeze'))
  })

  it('what was frozen is told so: its tensors have no names', async () => {
    const frozen = script('    if torch.gt(x, 0):\n      y = x\n    return torch.mul(x, CONSTANTS.c0)\n', 'c__torch__\nNet\n)\x81(dS\'training\'\nI00\nsb.')
    await expectRejection(read(frozen), 'UNSUPPORTED', /^torch: this file is a TorchScript program that decides by 'if'; no code of a file is run\. It was frozen \(torch\.jit\.freeze\): [^]*torch\.onnx\.export\(torch\.jit\.load/)
  })

  it('modules within themselves are refused', () => {
    expectError(() => readTorch(script('', 'c__torch__\nNet\n)\x81p1\n(dS\'me\'\ng1\nsb.')), 'UNSUPPORTED', 'torch: expected modules at most 64 deep in one another')
  })
})

describe('torch.export', () => {
  it('loads what was exported without eval(), as long as there is no dropout', async () => {
    const graph = await torch.read(onlyBytes(await readFile(new URL('../foreign/exported.pt2', folder))), {})
    expect(graph.nodes.map(({ op }) => op)).toEqual(['lstm', 'linear'])
    expect(graph.inputs.map(({ shape }) => shape)).toEqual([[2, 1, 3]])
  })

  it('refuses archives that are broken', async () => {
    const members = unzipSync(await readFile(new URL('stack-export.pt2', folder)))
    const name = (end: string): string => Object.keys(members).find((member) => member.endsWith(end)) as string
    const change = (end: string, to: (text: string) => string | undefined): Uint8Array => {
      const changed = to(new TextDecoder().decode(members[name(end)]))
      const others = Object.entries(members).filter(([member]) => member !== name(end))
      return zipSync(Object.fromEntries([...others, ...(changed === undefined ? [] : [[name(end), strToU8(changed)] as const])]))
    }
    expectError(() => readTorch(change('weight_0', () => undefined)), 'FORMAT', /^torch: the tensor '.*' has no file in the archive$/)
    expectError(() => readTorch(change('weights_config.json', (text) => text.replace('"dtype": 7', '"dtype": 9'))), 'UNSUPPORTED', /^torch: the tensor '.*' is stored in a way that is not read/)
    expectError(() => readTorch(change('weights_config.json', (text) => text.replace('"as_int": 5', '"as_int": -5'))), 'FORMAT', /^torch: expected whole numbers >= 0 for the tensor/)
    expectError(() => readTorch(change('weights_config.json', (text) => text.slice(1))), 'FORMAT', /is no JSON$/)
    expectError(() => readTorch(change('model.json', () => undefined)), 'UNSUPPORTED', /^torch: expected one model in the archive of torch\.export, got 0/)
    await expectRejection(read(change('model.json', (text) => text.replace('torch.ops.aten.tanh.default', 'torch.ops.mine.tanh.default'))), 'UNSUPPORTED', /^this file is a program of torch\.export that calls torch\.ops\.mine\.tanh\.default; no code/)
    await expectRejection(read(change('model.json', (text) => text.replace('torch.ops.aten.tanh.default', 'torch.ops.aten.tan.default'))), 'UNSUPPORTED', /that calls torch\.tan in '1'; no code[^]*activation\('\?'\), \/\/ '1' to '2'/)
  })
})

describe('torch.export before 2.8', () => {
  it('has all tensors: parameters, buffers and constants', async () => {
    const tensors = readTorch(await readFile(new URL('constant-export.pt2', older)))
    expect([...tensors.keys()].sort()).toEqual(['again.bias', 'again.weight', 'constant', 'hidden', 'input.bias', 'input.weight', 'output.bias', 'output.weight'])
    expect([...tensors.get('constant')?.data ?? []]).toEqual([0.5, -1.5, 2.5])
    expect([...tensors.get('hidden')?.data ?? []]).toEqual([1.5, 2.5, -0.5])
  })

  it('of versions that take LSTMs apart is refused, with its tensors and the lines that load them', async () => {
    const bytes = await readFile(new URL('../foreign/decomposed.pt2', folder))
    await expectRejection(read(bytes), 'UNSUPPORTED', /^this file is a program of torch\.export that calls torch\.\w+[^]*no code of a file is run\. Its tensors:\n {2}weight_ih_l0 float32 \[8, 3\]\n[^]*lstm\(2, \{ name: 'main', returnSequences: true \}\)/)
    expect([...readTorch(bytes).keys()]).toEqual(['weight_ih_l0', 'weight_hh_l0', 'bias_ih_l0', 'bias_hh_l0'])
  })

  it('refuses archives that are broken', async () => {
    const members = unzipSync(await readFile(new URL('constant-export.pt2', older)))
    const change = (name: string, to: Uint8Array | undefined): Uint8Array => {
      const others = Object.entries(members).filter(([member]) => member !== name)
      return zipSync(Object.fromEntries([...others, ...(to === undefined ? [] : [[name, to] as const])]))
    }
    const [program, state, constants] = ['serialized_exported_program.json', 'serialized_state_dict.pt', 'serialized_constants.pt'] as const
    expectError(() => readTorch(change(program, strToU8('{'))), 'FORMAT', 'torch: serialized_exported_program.json is no JSON')
    expectError(() => readTorch(change(state, strToU8('PK'))), 'FORMAT', /^torch: /)
    // An archive may hold itself, without an end.
    expectError(() => readTorch(change(state, zipSync(members))), 'FORMAT', 'torch: expected one file data.pkl in the archive, got 0')
    expectError(() => readTorch(change(state, zipSync({ 'x/data.pkl': bytesOf('I7\n.') }))), 'FORMAT', 'torch: expected tensors by name in serialized_state_dict.pt')
    expectError(() => readTorch(change(state, zipSync({ 'x/data.pkl': bytesOf("(dS'a'\nI7\ns.") }))), 'UNSUPPORTED', "torch: serialized_state_dict.pt has something else than a tensor: 'a'")
    // What is not there is missed by the program.
    await expectRejection(read(change(constants, undefined)), 'UNSUPPORTED', /^this file is a program of torch\.export that has an input of the kind \w+/)
  })
})

it('archives of stable-baselines3 are the state dict of their policy', async () => {
  const policy = await readFile(new URL('../pytorch/lstm.pt', folder))
  const bytes = zipSync({ 'data': strToU8('{}'), 'policy.pth': policy, 'policy.optimizer.pth': policy, '_stable_baselines3_version': strToU8('2.3.0') }, { level: 0 })
  expect(torch.detect(bytes)).toBe(true)
  expect([...readTorch(bytes).keys()]).toEqual([...readTorch(policy).keys()])
  expect((await torch.read(onlyBytes(bytes), {})).nodes.map(({ op }) => op)).toEqual(['lstm'])
  // An archive may hold itself, without an end.
  expectError(() => readTorch(zipSync({ 'policy.pth': bytes })), 'FORMAT', 'torch: expected one file data.pkl in the archive, got 0')
})
