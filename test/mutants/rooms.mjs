// The rooms whose sources are mutated: how many mutations of each, and which tests know it.

/**
 * @typedef {object} Room
 * @property {string} name of its list in lists/
 * @property {readonly string[]} files what paths of its sources begin with
 * @property {number} count mutations that the generator takes of it
 * @property {readonly string[]} [near] tests that know it: what their paths begin with; quick ones are run first
 * @property {readonly string[]} [far] tests that are run when those have seen nothing
 * @property {boolean} [dist] its tests want the built package
 * @property {readonly string[]} [targets] of asconfig.json, which its tests take; default: all are built
 */

const CALLS = ['test/model.test.ts', 'test/model-files.test.ts', 'test/layers', 'test/load-options.test.ts', 'test/plan']
const OPERATORS = ['test/ops/', 'test/functions.test.ts', 'test/number-tables.test.ts', 'test/graph/', 'test/streams/refusals.test.ts']

/** @type {readonly Room[]} */
export const ROOMS = [
  {
    name: 'int8', files: ['assembly/products/int8/', 'src/ops/products/narrow-weights.ts', 'src/formats/quantized/'], count: 24,
    near: ['test/kernels/int8.test.ts', 'test/quantization/layers.test.ts', 'test/formats/keras-quantized.test.ts', 'test/formats/torch-quantized.test.ts'],
    far: ['test/formats/onnx-quantized.test.ts', 'test/formats/safetensors.test.ts', 'test/quantization/', 'test/ops/'], targets: ['simd'],
  },
  {
    name: 'quantization', files: ['src/quantization/'], count: 20,
    near: ['test/quantization/quantize.test.ts'], far: ['test/quantization/'],
  },
  {
    name: 'tesseract', files: ['src/formats/tesseract/', 'src/readers/recognition.ts', 'src/readers/tesseract.ts'], count: 24,
    near: ['test/formats/tesseract'], far: ['test/fuzz/tesseract.test.ts', 'test/cli/read.test.ts', 'test/formats/hostile.test.ts', 'test/load'],
  },
  {
    name: 'gradients', files: ['src/gradients/', 'assembly/gradients/'], count: 18,
    near: ['test/gradients/'], far: ['test/training/'], targets: ['gradients-simd'],
  },
  {
    name: 'training', files: ['src/training/', 'src/ops/training/'], count: 18,
    near: ['test/training/'], far: ['test/gradients/'],
  },
  {
    name: 'export', files: ['src/export/'], count: 14, near: ['test/export/written.test.ts', 'test/export/onnx-random.test.ts'], far: ['test/export/'],
  },
  {
    name: 'sharing', files: ['src/sharing/', 'src/runtime/threads/caller-memory.ts', 'src/runtime/threads/page-table.ts', 'src/runtime/threads/shared-runtime.ts'], count: 12,
    near: ['test/sharing/'], dist: true, targets: ['simd-threads'],
  },
  {
    name: 'threads', files: ['src/runtime/threads/', 'assembly/threads/'], count: 12, near: ['test/threads/'], far: ['test/runtime/', 'test/streams/'], targets: ['simd-threads'],
  },
  {
    name: 'kernels', files: ['assembly/'], count: 46, near: ['test/kernels/', 'test/functions.test.ts', 'test/ops/'],
    far: ['test/lstm-options.test.ts', 'test/golden.test.ts', 'test/properties.test.ts'], targets: ['simd'],
  },
  {
    name: 'values', files: ['src/values/', 'src/errors.ts', 'src/options.ts'], count: 12,
    near: ['test/values.test.ts', 'test/errors.test.ts', 'test/options.test.ts', 'test/realms.test.ts', 'test/runtime/tensor.test.ts'], far: [...CALLS, 'test/misuse.test.ts', 'test/formats/safetensors'],
  },
  { name: 'runtime', files: ['src/runtime/'], count: 18, near: ['test/runtime/'], far: [...CALLS, 'test/addresses.test.ts', 'test/training/kernels.test.ts', 'test/threads/training.test.ts'], dist: true },
  {
    name: 'recurrent', files: ['src/ops/recurrent/', 'src/ops/time/'], count: 19,
    near: ['test/lstm-options.test.ts', 'test/streams/refusals.test.ts', 'test/layers'], far: ['test/properties.test.ts', 'test/golden.test.ts', 'test/ops/', 'test/streams/'],
  },
  { name: 'operators', files: ['src/ops/'], count: 48, near: OPERATORS, far: ['test/formats/onnx', 'test/streams/'] },
  { name: 'graph', files: ['src/graph/'], count: 11, near: ['test/graph/', 'test/load-options.test.ts', 'test/streams/carry.test.ts'], far: [...CALLS, 'test/formats/safetensors'] },
  { name: 'plan', files: ['src/plan/', 'src/model/'], count: 28, near: CALLS, far: ['test/load.test.ts', 'test/misuse.test.ts', 'test/engine-memory.test.ts', 'test/allocation.test.ts', 'test/ops/', 'test/streams/', 'test/lstm-options.test.ts'] },
  { name: 'layers', files: ['src/layers/'], count: 14, near: ['test/layers', 'test/lstm-options.test.ts', 'test/load-options.test.ts'], far: ['test/golden.test.ts', 'test/formats/pytorch.test.ts'] },
  { name: 'streams', files: ['src/streams/'], count: 36, near: ['test/streams/'], far: ['test/engine-memory.test.ts', 'test/misuse.test.ts', 'test/allocation.test.ts', 'test/worklet/'] },
  { name: 'onnx', files: ['src/formats/onnx/'], count: 21, near: ['test/formats/onnx'], far: ['test/fuzz/onnx', 'test/streams/carry.test.ts', 'test/silero.test.ts', 'test/load'] },
  { name: 'keras', files: ['src/formats/keras/', 'src/formats/hdf5/', 'src/formats/tfjs/'], count: 38, near: ['test/formats/keras', 'test/formats/hdf5', 'test/formats/tfjs'], far: ['test/load', 'test/fuzz/h5.test.ts', 'test/formats/hostile.test.ts'] },
  { name: 'torch', files: ['src/formats/torch/', 'src/formats/pytorch'], count: 15, near: ['test/formats/torch', 'test/formats/pytorch'], far: ['test/load', 'test/fuzz/torch.test.ts', 'test/formats/hostile.test.ts'] },
  { name: 'tf1', files: ['src/formats/tf1/'], count: 14, near: ['test/formats/tf1'], far: ['test/load', 'test/fuzz/tf1.test.ts', 'test/formats/hostile.test.ts'] },
  { name: 'audio', files: ['src/formats/rtneural/', 'src/formats/nam/'], count: 9, near: ['test/formats/rtneural', 'test/formats/nam'], far: ['test/load', 'test/fuzz/rtneural.test.ts', 'test/fuzz/nam.test.ts'] },
  { name: 'readers', files: ['src/formats/', 'src/readers/'], count: 25, near: ['test/formats/', 'test/readers.test.ts', 'test/cli/npy.test.ts'], far: ['test/load', 'test/fuzz/', 'test/formats/hostile.test.ts'] },
  { name: 'worklet', files: ['src/worklet/'], count: 5, near: ['test/worklet/'], dist: true },
  { name: 'command', files: ['src/cli/'], count: 17, near: ['test/cli/'], dist: true },
]

/** The room of a source: the first that has it. @param {string} file @returns {Room | undefined} */
export const roomOf = (file) => ROOMS.find(({ files }) => files.some((start) => file.startsWith(start)))

/**
 * Never run for mutations: those that look at the built package (unless a room builds it), take minutes, or compare texts of the
 * repository. In rooms that build the package, the first kind is run.
 */
export const LEFT_OUT = ['test/models/', 'test/runtimes/', 'test/mutants/', 'test/bench/', 'test/package.test.ts', 'test/package-size.test.ts', 'test/chunks.test.ts', 'test/examples.test.ts', 'test/readme.test.ts',
  'test/compatibility.test.ts', 'test/architecture.test.ts', 'test/streams/soak.test.ts', 'test/kernels/exports.test.ts']
export const WANTS_DIST = ['test/core.test.ts', 'test/lines.test.ts', 'test/cli/cli.test.ts', 'test/cli/help-examples.test.ts', 'test/worklet/', 'test/runtime/runtime.test.ts']
