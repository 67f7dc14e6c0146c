// What the golden cases cover, feature by feature and framework by framework: the source of docs/compatibility.md.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { readSafetensors } from '../src/formats/safetensors/safetensors.ts'

/** Features of the frameworks' recurrent layers. `note` says why a feature has no cases of its own. */
export const FEATURES: readonly { readonly row: number, readonly title: string, readonly note?: string }[] = [
  { row: 1, title: 'single-step cell' },
  { row: 2, title: 'sequence layer, batch first' },
  { row: 3, title: 'time-major sequences' },
  { row: 4, title: 'unbatched input' },
  { row: 5, title: 'last output or all of them' },
  { row: 6, title: 'final state' },
  { row: 7, title: 'initial state' },
  { row: 8, title: 'state kept between calls' },
  { row: 9, title: 'state reset or set' },
  { row: 10, title: 'backwards' },
  { row: 11, title: 'bidirectional' },
  { row: 12, title: 'different backward layer' },
  { row: 13, title: 'stacked layers' },
  { row: 14, title: 'dropout between layers', note: 'training only' },
  { row: 15, title: 'input and recurrent dropout', note: 'training only' },
  { row: 16, title: 'projection' },
  { row: 17, title: 'peepholes' },
  { row: 18, title: 'clipping' },
  { row: 19, title: 'coupled input and forget gate' },
  { row: 20, title: 'layer-normalised cell' },
  { row: 21, title: 'forget bias at run time' },
  { row: 22, title: 'forget bias 1 at initialisation', note: 'training only: it is in the weights' },
  { row: 23, title: 'choice of activations' },
  { row: 24, title: 'no bias' },
  { row: 25, title: 'masking, any pattern' },
  { row: 26, title: 'lengths per sequence' },
  { row: 27, title: 'zeros at masked steps' },
  { row: 28, title: 'residual connections' },
  { row: 29, title: 'custom cells', note: 'not supported' },
  { row: 30, title: 'int8', note: 'see below' },
  { row: 31, title: 'float16 weights' },
  { row: 32, title: 'training', note: 'not supported' },
  { row: 33, title: 'sample-rate correction' },
  { row: 34, title: 'no allocation in steady state', note: 'of the run itself, which knows no formats: test/allocation.test.ts' },
  { row: 35, title: 'GRU' },
  { row: 36, title: 'GRU, reset gate after the recurrent product' },
  { row: 37, title: 'plain RNN' },
]

/** Folders of golden cases, and what the page calls them. */
const FOLDERS = {
  'pytorch': 'PyTorch files', 'torch-programs': 'PyTorch models', 'torch-exported': 'PyTorch before 2.8', 'onnx': 'ONNX', 'loops': 'ONNX with loops', 'keras3': 'Keras 3', 'keras2': 'Keras 2',
  'tf1': 'TensorFlow 1', 'tfjs': 'TensorFlow.js', 'rtneural': 'RTNeural',
} as const

export interface CaseFolder {
  readonly title: string
  /** Versions of what made the cases. */
  readonly versions: Readonly<Record<string, string>>
  /** The features each case covers. */
  readonly cases: readonly { readonly name: string, readonly rows: readonly number[] }[]
}

interface TorchCase {
  readonly name: string
  readonly layers: number
  readonly bidirectional: boolean
  readonly bias: boolean
  readonly batchFirst: boolean
  readonly initialState: boolean
}

/** torch.nn.LSTM, the cases of test/golden.test.ts, whose weights are made from seeds. */
function torchLstmCases(): CaseFolder {
  const { metadata } = readSafetensors(readFileSync(new URL('golden/lstm-pytorch.safetensors', import.meta.url)))
  const { versions, cases } = JSON.parse(metadata.get('lstm-golden') as string) as { versions: Record<string, string>, cases: TorchCase[] }
  const rowsOf = (test: TorchCase): number[] => [
    test.batchFirst ? 2 : 3, 5, 6,
    ...(test.initialState ? [7] : []), ...(test.bidirectional ? [11] : []), ...(test.layers > 1 ? [13] : []), ...(test.bias ? [] : [24]),
  ]
  return { title: 'torch.nn.LSTM', versions, cases: cases.map((test) => ({ name: test.name, rows: rowsOf(test) })) }
}

/** Masks and calls, by the versions of Keras 3 that have different ones. */
function keras3Versions(): CaseFolder {
  const folders = ['keras-masks', 'keras-calls'].flatMap((kind) => readdirSync(new URL(`golden/${kind}/`, import.meta.url))
    .map((version) => JSON.parse(readFileSync(new URL(`golden/${kind}/${version}/cases.json`, import.meta.url), 'utf8')) as Omit<CaseFolder, 'title'>))
    .sort((a, b) => (a.versions.keras as string).localeCompare(b.versions.keras as string, 'en', { numeric: true }))
  const keras = [...new Set(folders.map(({ versions }) => versions.keras))].join(', ')
  return { title: 'Keras 3, versions', versions: { ...folders[0]?.versions, keras }, cases: folders.flatMap(({ versions, cases }) => cases.map((test) => ({ ...test, name: `${test.name} ${versions.keras}` }))) }
}

/** Files that are easily read wrongly, each with Keras's own output. */
function kerasFiles(): number {
  return Object.keys(JSON.parse(readFileSync(new URL('golden/keras-files/io.json', import.meta.url), 'utf8')) as object).length
}

/** All golden cases there are. */
export function goldenCases(): CaseFolder[] {
  const folders = Object.entries(FOLDERS).flatMap(([folder, title]): CaseFolder[] => {
    const url = new URL(`golden/${folder}/cases.json`, import.meta.url)
    if (!existsSync(url)) return []
    return [{ title, ...JSON.parse(readFileSync(url, 'utf8')) as Omit<CaseFolder, 'title'> }]
  })
  return [torchLstmCases(), ...folders, keras3Versions()]
}

/** Quantised models: what is measured of them. */
function quantizedLines(): string[] {
  const { versions, cases } = JSON.parse(readFileSync(new URL('golden/quantized/cases.json', import.meta.url), 'utf8')) as Omit<CaseFolder, 'title'>
  const keras = JSON.parse(readFileSync(new URL('golden/keras-quantized/cases.json', import.meta.url), 'utf8')) as Omit<CaseFolder, 'title'>
  const torch = JSON.parse(readFileSync(new URL('golden/torch-quantized/cases.json', import.meta.url), 'utf8')) as Omit<CaseFolder, 'title'>
  return [
    '## Quantised models',
    '',
    `${cases.length} ONNX models by onnxruntime ${versions.onnxruntime}'s own quantisers (\`quantize_dynamic\`, \`quantize_static\`, its optimiser, \`MatMulNBits\`), ${keras.cases.filter(({ rows }) => rows.length > 0).length} models of Keras ${keras.versions.keras}`,
    `and ${torch.cases.length} of PyTorch ${torch.versions.torch} are run with the integers of the file, in 8 bits but where the table says otherwise. onnxruntime and PyTorch`,
    'quantise activations by one scale and zero point, ours have a scale for each row, so that numbers differ by as much as both differ',
    'from the float32 model. Root mean squares, ours from float32, as a share of the framework\'s from float32:',
    '',
    '| | ours / theirs | tested to be at most |',
    '| --- | --- | --- |',
    '| `DynamicQuantizeLSTM`: int8, uint8, per tensor, per channel, `reduce_range` | 0.75 to 1.08 | 1.25 |',
    '| `MatMulInteger`, `ConvInteger`, `DynamicQuantizeMatMul` | 0.76 to 1.02 | 1.25 |',
    '| Q/DQ around `MatMul`, `Gemm`, `Conv` | 0.95 to 1.15 | 1.25 |',
    '| weights whose zero points leave no 8 bits, quantised anew | 0.81 to 1.44 | 1.6 |',
    '| Keras 3 `model.quantize(\'int8\')` (Dense, Embedding, EinsumDense, MultiHeadAttention): the same scheme | Keras\'s numbers within 5e-6 | |',
    '| Keras 3 int4, a scale for each output | 0.97 to 1.00 of Keras\'s | 1.25 |',
    '| PyTorch `quantize_dynamic` (LSTM, GRU, LSTMCell, Linear), whose activations have 7 bits | 0.45 to 0.87 of PyTorch\'s | 1.25 |',
    '| weights that are widened (4 bits, blocks, zero points in Q/DQ) | onnxruntime\'s numbers within 5e-6 | |',
    '| `QLinearMatMul`, `QLinearConv`, `QGemm`, `MatMulInteger`, `ConvInteger`: integers from integers | onnxruntime\'s integers, every one | |',
    '| `QAttention`, `QGemm` and `MatMulIntegerToFloat` to float32, Q/DQ of activations, rows of quantised tables | onnxruntime\'s numbers within 5e-6 | |',
    '',
  ]
}

/** What is refused, by name, where a file asks for it. */
const NOT_DONE: readonly string[] = [
  '## Not done',
  '',
  '- **Training.**',
  "- **Quantised weights**: operators of onnxruntime's QOperator but products (`QLinearAdd`, `QLinearSigmoid`, ...), zero points for each row of activations,",
  '  whole quantised modules and statically quantised models of PyTorch, `EinsumDense` and `MultiHeadAttention` of Keras in 4 bits.',
  '- **ONNX**: windows over three axes, `LRN`, `NonZero`, `Compress`, `Unique`, `DFT`, `STFT`, `EyeLike`, `DepthToSpace`, `CumProd`, `Tan` and the other functions of angles,',
  '  `RotaryEmbedding`, `RoiAlign`, `GridSample`, lists of tensors as inputs and outputs, or whose length elements decide, strings, sparse tensors; a `Loop` or an `If` that elements decide, not sizes; `Einsum` of',
  '  a diagonal; layouts that onnxruntime writes for one machine (nchwc); in com.microsoft, what its optimisers do not write for models around LSTMs.',
  "- **Keras**: Python code (`Lambda`, layers of one's own), files of Keras 1, `ConvLSTM1D` to `3D`, windows over three axes,",
  '  preprocessing layers but `Normalization` and `Rescaling`.',
  '- **PyTorch**: TorchScript with branches and loops, `.pt2` of versions before 2.6 that take recurrent layers apart, modules of which no `forward` is known. Their tensors are read, and the message',
  '  shows lines that load them, or the export to ONNX.',
  '- **TensorFlow**: SavedModels, frozen graphs, checkpoints of TensorFlow 2 and TensorFlow Lite are told by their content; the message has the command that converts them.',
  '- **Streams** of what works along the timesteps, or looks at later ones: backward layers, softmax and sums over time, windows that reach ahead, loops that are no layer.',
  '',
]

/** The page, as Markdown. */
export function compatibilityPage(folders: readonly CaseFolder[]): string {
  const total = folders.reduce((sum, { cases }) => sum + cases.length, 0)
  const covered = (folder: CaseFolder, row: number): number => folder.cases.filter(({ rows }) => rows.includes(row)).length
  const table = FEATURES.map(({ row, title, note }) => {
    const counts = folders.map((folder) => covered(folder, row) || '')
    return `| ${row} | ${title} | ${counts.join(' | ')} | ${note ?? ''} |`
  })
  const versions = folders.map(({ title, versions: made, cases }) => {
    const list = Object.entries(made).map(([name, version]) => `${name} ${version}`).join(', ')
    return `| ${title} | ${cases.length} | ${list} |`
  })
  return [
    '# Compatibility',
    '',
    '<!-- Written by `npm run docs:compatibility` from the golden cases; a test compares it with them. -->',
    '',
    `${total} golden cases, made by the frameworks themselves, run in \`npm test\`: each is within 5e-6 of the framework's own output, and no`,
    'farther from float64 than twice the framework is (or 1e-6, of the largest value where that is above 1). A number is how many of them have the feature; a',
    'blank means that the framework has no such feature, or that it is not verified. The cells that TensorFlow 1 had in contrib',
    '(coupled gates, layer normalisation) are transcribed in NumPy, since no TensorFlow that can be installed has them.',
    `Besides, ${kerasFiles()} Keras files of kinds that are easily read wrongly are within 5e-6 of Keras's output, or are refused where they should be.`,
    '',
    `| | feature | ${folders.map(({ title }) => title).join(' | ')} | |`,
    `| --- | --- | ${folders.map(() => '---').join(' | ')} | --- |`,
    ...table,
    '',
    '| cases of | number | made with |',
    '| --- | --- | --- |',
    ...versions,
    '',
    ...quantizedLines(),
    ...NOT_DONE,
  ].join('\n')
}
